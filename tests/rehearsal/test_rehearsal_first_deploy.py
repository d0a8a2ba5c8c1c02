"""`llmctl deploy` as typed for the first time: what was checked and what it costs is shown before it asks."""

from collections.abc import Collection
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli.deploy import deploy
from scripts.cli.tools import Tools
from scripts.core.console import Terminal, err
from scripts.core.errors import ExitCode, OperatorError
from scripts.lab.rehearsal.cloud import Cloud
from scripts.preflight.checks import Check
from scripts.preflight.findings import warning
from scripts.preflight.run import Report, Result, Told
from stacks.settings import Settings
from tests.support.cli.environment_folder import use_environments
from tests.support.rehearsal.file_drill import FileDrill

pytestmark = pytest.mark.rehearsal

FILE = """\
name: dev
azure:
  subscription_id: 00000000-5eed-4000-8000-000000000001
  region: westeurope
domain: llm.acme.io
ingress: {acme_email: platform@acme.io}
"""
LOW_QUOTA = warning("4 of 10 vCPUs are free", why="a third node would not come", fix="az quota update")


class Doubtful(Terminal):
    """A person who reads, and says no."""

    def interactive(self) -> bool:
        return True

    def answer(self, question: str) -> str | None:
        err.print(f"ASKED: {question}", markup=False)
        return "n"


def preflight(
    settings: Settings,
    stacks: Collection[str],
    told: Told,  # noqa: ARG001
    *,
    undeployed: Collection[str],
) -> Report:
    assert set(stacks) == set(undeployed)
    check = Check(name="quota", looks_at="", why="", stacks=("aks",), look=lambda _asked: [])
    return Report(settings.name, tuple(stacks), (Result(check, (LOW_QUOTA,)),))


def test_a_first_deployment_shows_its_checks_and_its_cost_before_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_environments(tmp_path / "environments", monkeypatch)
    drill = FileDrill(tmp_path, FILE)
    tools = Tools(
        terminal=Doubtful(),
        checkout=tmp_path,
        workspace=lambda _name: drill.rehearsal.workspace,
        rollout=drill.rollout,
        preflight=preflight,
    )
    result = CliRunner().invoke(deploy.app, ["dev", "--skip-images"], obj=tools)
    assert isinstance(result.exception, OperatorError), result.output
    assert result.exception.code is ExitCode.REFUSED
    shown = " ".join(result.stderr.split())
    places = [
        shown.index(text)
        for text in ("4 of 10 vCPUs are free", "az quota update", "This will cost about ", "ASKED: Apply this to dev?")
    ]
    assert places == sorted(places)
    assert "USD a month (list prices of this release, eastus, 2026-11-30): llmctl cost dev" in shown
    assert Cloud(drill.rehearsal.folder).objects() == []
