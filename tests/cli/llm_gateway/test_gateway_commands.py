"""`llmctl gateway`: teams, budgets and keys by LiteLLM's interface, the models offered to Opik by Opik's."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.llm_gateway import commands as gateway
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import load_settings
from tests.support.cli.fake_tools import CONTEXT, install
from tests.support.web_servers import QuietHandler, port_of, served

MASTER = "sk-master-of-the-gateway"
OPIK_KEY = "sk-of-opik"


class Service:
    """LiteLLM's and Opik's interfaces, as far as the commands use them."""

    def __init__(self) -> None:
        self.teams: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.providers: list[dict[str, Any]] = []
        self.authorizations: set[str | None] = set()

    def reply(  # noqa: PLR0911
        self, method: str, path: str, body: Any
    ) -> tuple[int, Any]:
        path = path.partition("?")[0]
        providers = "/api/v1/private/llm-provider-key"
        if path == "/team/list":
            return 200, list(self.teams.values())
        if path in ("/team/new", "/team/update"):
            if (path == "/team/new") == (body["team_id"] in self.teams):
                return 400, {"error": {"message": "wrong operation for this team"}}
            self.teams.setdefault(body["team_id"], {"spend": 1.5}).update(body)
            return 200, {}
        if path == "/key/list":
            return 200, {"keys": list(self.keys.values()), "total_pages": 1}
        if path == "/key/generate":
            self.keys[body["key_alias"]] = body
            return 200, {"key": "sk-new"}
        if path == "/key/delete":
            missing = [alias for alias in body["key_aliases"] if self.keys.pop(alias, None) is None]
            return (404, {"error": {"message": f"no key {missing[0]}"}}) if missing else (200, {})
        if path == providers and method == "GET":
            return 200, {"content": self.providers}
        if path == providers:
            self.providers.append({"id": "1", **body})
            return 201, None
        if path == f"{providers}/1" and method == "PATCH":
            self.providers[0].update(body)
            return 204, None
        return 404, {"error": {"message": path}}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    tools = install(tmp_path / "tools", monkeypatch)
    encoded = {"LITELLM_MASTER_KEY": MASTER, "opik-key": OPIK_KEY}
    tools.write("get-secret.json", {"data": {k: base64.b64encode(v.encode()).decode() for k, v in encoded.items()}})
    found = Service()

    class Handler(QuietHandler):
        def _serve(self) -> None:
            found.authorizations.add(self.headers.get("Authorization"))
            status, content = found.reply(self.command, self.path, json.loads(self.body() or b"null"))
            self.answer(status, b"" if content is None else json.dumps(content).encode())

        do_GET = do_POST = do_PATCH = _serve

    with served(Handler) as address:
        tools.write("forward-port", str(port_of(address)))
        yield found
    for call in tools.calls:
        assert not any(secret in word for word in call for secret in (MASTER, OPIK_KEY))


def run(*words: str) -> Result:
    return CliRunner().invoke(gateway.app, words, obj=CommandTools(kubectl_of=lambda _environment: Kubectl(CONTEXT)))


def refused(*words: str) -> OperatorError:
    result = run(*words)
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def test_team_is_made_once_and_then_changed(service: Service) -> None:
    assert "made" in run("team", "research", "dev", "--budget-usd", "50", "--every", "30d", "--model", "phi3.5").output
    assert service.teams["research"]["max_budget"] == 50
    assert "changed" in run("team", "research", "dev", "--requests-per-minute", "60").output
    team = service.teams["research"]
    assert (team["max_budget"], team["budget_duration"], team["rpm_limit"], team["models"]) == (
        50,
        "30d",
        60,
        ["phi3.5"],
    )
    assert service.authorizations == {f"Bearer {MASTER}"}


def test_teams_show_budget_and_spending(service: Service) -> None:
    run("team", "research", "dev", "--budget-usd", "50", "--every", "30d")
    assert "research: 1.50 USD spent, 50 USD every 30d" in run("teams", "dev").output.replace("\n", " ")
    assert service.teams


def test_key_is_printed_alone_and_belongs_to_its_team(service: Service) -> None:
    run("team", "research", "dev")
    result = run("create-key", "reports", "dev", "--team", "research", "--expires", "90d")
    assert result.stdout == "sk-new\n"
    assert service.keys["reports"]["team_id"] == "research"
    assert service.keys["reports"]["key_type"] == "llm_api"


def test_key_of_an_unknown_team_is_refused(service: Service) -> None:
    error = refused("create-key", "reports", "dev", "--team", "nobody")
    assert error.code == ExitCode.USAGE
    assert service.keys == {}


def test_keys_of_the_platform_are_rotated_not_revoked(service: Service) -> None:
    error = refused("revoke-key", "chat-key", "dev")
    assert "secrets.versions.gateway-chat-key" in error.fix
    service.keys["reports"] = {"key_alias": "reports"}
    assert run("revoke-key", "reports", "dev").exit_code == 0
    assert "no key reports" in refused("revoke-key", "reports", "dev").message


@pytest.mark.parametrize(
    "words",
    [
        ("team", "x", "dev", "--every", "monthly"),
        ("team", "x", "dev", "--model", "gpt"),
        ("create-key", "k", "dev", "--team", "x", "--expires", "soon"),
    ],
)
def test_wrong_value_changes_nothing(service: Service, words: tuple[str, ...]) -> None:
    assert refused(*words).code == ExitCode.USAGE
    assert service.teams == {}


def test_opik_gets_every_model_by_the_name_that_it_asks_for_and_a_key_of_its_own(service: Service) -> None:
    assert run("judge", "dev").exit_code == 0
    (provider,) = service.providers
    assert provider["provider"] == "custom-llm"
    assert provider["base_url"] == "http://litellm.gateway.svc.cluster.local:4000/v1"
    assert provider["api_key"] == OPIK_KEY
    names = [f"custom-llm/platform/{model.name}" for model in load_settings("dev").models]
    assert provider["configuration"] == {"models": ",".join(names)}


def test_offering_again_renews_the_one_provider(service: Service) -> None:
    run("judge", "dev")
    service.providers[0]["api_key"] = "old"
    assert "renewed" in run("judge", "dev").output
    assert [provider["api_key"] for provider in service.providers] == [OPIK_KEY]
