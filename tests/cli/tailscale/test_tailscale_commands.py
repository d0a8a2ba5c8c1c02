"""`llmctl tailscale dns` shows what a tailnet lacks, changes it when told to, and touches no other domain."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.applications.tailscale.api import connected
from scripts.cli.tailscale import commands as tailscale
from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings, load_settings, parse_settings
from tests.support.web_servers import QuietHandler, served

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
OTHERS = {"other.example.com": ["10.9.9.9"]}
"""What somebody else set in the same tailnet."""


def private() -> Settings:
    file = ENVIRONMENTS / "valid.private_with_tailscale.yaml"
    return parse_settings(file.read_text(), file.name)


class Tailnet(QuietHandler):
    """Tailscale's API in the shapes that its documentation records, with one tailnet and one login."""

    domains: dict[str, list[str]]
    changes: list[object]

    def do_GET(self) -> None:
        if self._refused():
            return
        if self.path != "/api/v2/tailnet/-/dns/split-dns":
            self.answer_json(404, {"message": "tailnet not found"})
            return
        self.answer_json(200, self.domains)

    def do_PATCH(self) -> None:
        if self._refused():
            return
        change = json.loads(self.body())
        self.changes.append(change)
        for domain, addresses in change.items():
            if addresses:
                self.domains[domain] = addresses
            else:
                self.domains.pop(domain, None)
        self.answer_json(200, self.domains)

    def do_POST(self) -> None:
        if self.path == "/api/v2/oauth/token" and self.body() == b"client_id=id&client_secret=planted":
            self.answer_json(200, {"access_token": "short-lived", "token_type": "Bearer", "expires_in": 3600})
        else:
            self.answer_json(401, {"message": "API token invalid"})

    def _refused(self) -> bool:
        if self.headers["Authorization"] == "Bearer short-lived":
            return False
        self.answer_json(401, {"message": "API token invalid"})
        return True


@pytest.fixture
def api() -> Iterator[tuple[str, type[Tailnet]]]:
    """Give over the address of the API, and what it holds."""
    handler = type("ThisTailnet", (Tailnet,), {"domains": {**OTHERS}, "changes": []})
    with served(handler) as address:
        yield f"http://{address}", handler


LOGIN = {"TAILSCALE_OAUTH_CLIENT_ID": "id", "TAILSCALE_OAUTH_CLIENT_SECRET": "planted"}


def run(address: str, *words: str, settings: Settings | None = None, variables: Mapping[str, str] = LOGIN) -> Result:
    tools = Tools(
        load=lambda _name: settings or private(),
        tailnet_of=lambda name: connected(name, variables, address=address),
    )
    return CliRunner().invoke(tailscale.app, ["dns", "dev", *words], obj=tools)


def test_a_difference_is_shown_and_nothing_changed(api: tuple[str, type[Tailnet]]) -> None:
    result = run(api[0])
    assert result.stdout == "llm.internal\n  + 10.40.18.5\nNothing was changed; --apply makes this change.\n"
    assert api[1].changes == []


def test_the_zone_is_set_once_and_other_domains_stay(api: tuple[str, type[Tailnet]]) -> None:
    assert run(api[0], "--apply").stdout.endswith("Changed.\n")
    again = run(api[0], "--apply")
    assert again.stdout == "The tailnet asks 10.40.18.5 for llm.internal; there is nothing to change.\n"
    assert api[1].changes == [{"llm.internal": ["10.40.18.5"]}]
    assert api[1].domains == {**OTHERS, "llm.internal": ["10.40.18.5"]}


def test_a_nameserver_that_was_set_by_hand_is_shown_as_going(api: tuple[str, type[Tailnet]]) -> None:
    api[1].domains["llm.internal"] = ["10.1.1.1"]
    assert run(api[0]).stdout.splitlines()[:3] == ["llm.internal", "  - 10.1.1.1", "  + 10.40.18.5"]


def test_the_zone_is_taken_away_and_other_domains_stay(api: tuple[str, type[Tailnet]]) -> None:
    api[1].domains["llm.internal"] = ["10.40.18.5"]
    run(api[0], "--remove", "--apply")
    assert api[1].domains == OTHERS
    assert run(api[0], "--remove", "--apply").stdout.endswith("there is nothing to change.\n")


def test_programs_get_json(api: tuple[str, type[Tailnet]]) -> None:
    assert json.loads(run(api[0], "--json").stdout) == {
        "domain": "llm.internal",
        "found": [],
        "needed": ["10.40.18.5"],
        "changed": False,
    }


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "no login for Tailscale's API"),
        ({"TAILSCALE_API_TOKEN": "old"}, "Tailscale refuses the login: API token invalid"),
    ],
)
def test_a_missing_or_refused_login_says_what_to_set(
    api: tuple[str, type[Tailnet]], variables: dict[str, str], message: str
) -> None:
    error = run(api[0], variables=variables).exception
    assert isinstance(error, OperatorError)
    assert (error.message, error.code) == (message, ExitCode.NOT_READY)
    assert "TAILSCALE_API_TOKEN" in error.fix
    assert "old" not in str(error)


def test_a_public_environment_has_nothing_to_set(api: tuple[str, type[Tailnet]]) -> None:
    error = run(api[0], settings=load_settings("dev")).exception
    assert isinstance(error, OperatorError)
    assert error.code is ExitCode.REFUSED
    assert "exposure: private" in error.fix
