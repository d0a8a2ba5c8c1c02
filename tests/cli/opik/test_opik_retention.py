"""`llmctl opik retention`: the workspace's rule becomes what the environment file says, asked before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.opik.commands import app
from scripts.cli.tools import Tools
from scripts.core.console import Terminal
from scripts.core.errors import OperatorError
from stacks.platform.components.opik.application import DELETES_OLD_TRACES
from stacks.platform.components.opik.release import opik as chart_values
from stacks.settings import Settings, load_settings
from tests.support.cli.terminals import Nobody, answering
from tests.support.stacks.components import with_images
from tests.support.web_servers import QuietHandler, served


class Backend:
    """The rules of one workspace, and one of a single project, which is its owner's."""

    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = [{"id": "p", "retention": "short_14d", "level": "project"}]
        self.base = ""

    @contextmanager
    def forwarded(self, _namespace: str, _service: str, _port: int) -> Iterator[str]:
        yield self.base

    def workspace(self) -> list[Any]:
        return [rule["retention"] for rule in self.rules if rule["level"] == "workspace"]


@pytest.fixture
def backend() -> Iterator[Backend]:
    found = Backend()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.answer_json(200, {"content": found.rules})

        def do_POST(self) -> None:
            rule = json.loads(self.body())
            assert rule["apply_to_past"] is True
            found.rules = [one for one in found.rules if one["level"] != "workspace"]
            found.rules.append({"id": "w", "level": "workspace", **rule})
            self.answer(200, b"{}")

        def do_DELETE(self) -> None:
            number = self.path.rpartition("/")[2]
            found.rules = [rule for rule in found.rules if rule["id"] != number]
            self.answer(200)

    with served(Handler) as address:
        found.base = f"http://{address}"
        yield found


def kept(days: int | None) -> Settings:
    settings = load_settings("dev")
    return settings.model_copy(update={"opik": settings.opik.model_copy(update={"retention_days": days})})


def run(backend: Backend, days: int | None, terminal: Terminal | None = None, *words: str) -> Result:
    given = Tools(
        load=lambda _name: kept(days),
        kubectl_of=lambda _name: backend,  # type: ignore[arg-type,return-value]
        terminal=terminal or Nobody(),
    )
    return CliRunner().invoke(app, ["retention", "dev", *words], obj=given)


@pytest.mark.parametrize(("days", "name"), [(14, "short_14d"), (60, "base_60d"), (400, "extended_400d")])
def test_the_rule_becomes_what_the_file_says_once(backend: Backend, days: int, name: str) -> None:
    assert run(backend, days, answering("y")).exit_code == 0
    assert backend.workspace() == [name]
    again = run(backend, days)
    assert (again.exit_code, "already" in again.stdout) == (0, True)


def test_traces_are_deleted_only_after_a_yes(backend: Backend) -> None:
    assert isinstance(run(backend, 14).exception, OperatorError)
    assert isinstance(run(backend, 14, answering("")).exception, OperatorError)
    assert backend.workspace() == []
    assert run(backend, 14, None, "--yes").exit_code == 0
    assert backend.workspace() == ["short_14d"]


def test_without_the_setting_the_rule_goes_and_those_of_projects_stay(backend: Backend) -> None:
    run(backend, 14, None, "--yes")
    assert run(backend, None).exit_code == 0
    assert [rule["id"] for rule in backend.rules] == ["p"]


@pytest.mark.parametrize(("days", "switched_on"), [(None, False), (14, True)])
def test_the_backend_deletes_only_where_the_setting_is(days: int | None, *, switched_on: bool) -> None:
    values = chart_values(*with_images(kept(days)))
    given = values["component"]["backend"]["env"].get("JAVA_OPTS", "")
    assert (DELETES_OLD_TRACES in given) is switched_on
    assert ("-Dliquibase.propertySubstitutionEnabled=true" in given) is switched_on
