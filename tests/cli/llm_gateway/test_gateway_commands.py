"""`llmctl gateway`: teams, budgets and keys by LiteLLM's interface, the models offered to Opik by Opik's."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.llm_gateway import commands as gateway
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings, load_settings
from stacks.settings.llm_gateway import PersonLimits
from tests.support.chat.accounts import ChatAccounts
from tests.support.cli.fake_tools import CONTEXT, install
from tests.support.cli.terminals import Nobody, answering
from tests.support.web_servers import QuietHandler, port_of, served

MASTER = "sk-master-of-the-gateway"
OPIK_KEY = "sk-of-opik"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CHAT = ChatAccounts()
CHAT.add("mia@example.com")


class Service:
    """LiteLLM's and Opik's interfaces, as far as the commands use them."""

    def __init__(self) -> None:
        self.teams: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.providers: list[dict[str, Any]] = []
        self.authorizations: set[str | None] = set()
        self.counted: dict[str, Any] = {}
        self.customers: dict[str, dict[str, Any]] = {}
        self.full = False

    def reply(  # noqa: PLR0911, PLR0912
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
        if path == "/team/delete":
            self.teams = {name: team for name, team in self.teams.items() if name not in body["team_ids"]}
            return 200, {}
        if path == "/key/list":
            return 200, {"keys": list(self.keys.values()), "total_pages": 1}
        if path == "/key/generate":
            if self.full:
                return 400, {"error": {"message": "no more keys"}}
            self.keys[body["key_alias"]] = {"token": f"hash-of-{body['key_alias']}", **body}
            return 200, {"key": "sk-new"}
        if path == "/key/update":
            known = next(alias for alias, key in self.keys.items() if key["token"] == body["key"])
            changed = {**self.keys.pop(known), **{name: value for name, value in body.items() if name != "key"}}
            self.keys[changed["key_alias"]] = changed
            return 200, {}
        if path == "/customer/list":
            return 200, [{"user_id": name} for name in self.customers]
        if path in ("/customer/new", "/customer/update"):
            if (path == "/customer/new") == (body["user_id"] in self.customers):
                return 400, {"error": {"message": "wrong operation for this person"}}
            self.customers.setdefault(body["user_id"], {}).update(body)
            return 200, {}
        if path in self.counted:
            return 200, self.counted[path]
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


def run(*words: str, terminal: Terminal | None = None, settings: Settings | None = None) -> Result:
    tools = CommandTools(
        kubectl_of=lambda _environment: Kubectl(CONTEXT),
        load=lambda name: settings or load_settings(name),
        now=lambda: NOW,
        in_pod=lambda *_: CHAT,
        terminal=terminal or Nobody(),
    )
    return CliRunner().invoke(gateway.app, words, obj=tools)


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
    service.keys["reports"] = {"key_alias": "reports", "token": "hash"}
    assert run("revoke-key", "reports", "dev").exit_code == 0
    assert "no key reports" in refused("revoke-key", "reports", "dev").message


@pytest.mark.parametrize(
    "words",
    [
        ("team", "x", "dev", "--every", "monthly"),
        ("team", "x", "dev", "--model", "gpt"),
        ("create-key", "k", "dev", "--team", "x", "--expires", "soon"),
        ("key", "k", "dev"),
        ("key", "k", "dev", "--model", "gpt"),
        ("key", "k", "dev", "--budget-usd", "1", "--every", "often"),
        ("key", "nobody", "dev", "--budget-usd", "1"),
        ("rotate-key", "k", "dev", "--grace", "soon"),
        ("rotate-key", "nobody", "dev"),
        ("remove-team", "nobody", "dev", "--confirm", "nobody"),
        ("keys", "dev", "--unused-for", "long"),
        ("spend", "dev", "--from", "yesterday"),
        ("spend", "dev", "--from", "2026-11-30", "--to", "2026-11-01"),
        ("spend", "dev", "--csv", "--json"),
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


def test_key_gets_limits_of_its_own(service: Service) -> None:
    run("team", "research", "dev")
    run("create-key", "reports", "dev", "--team", "research")
    assert run("key", "reports", "dev", "--budget-usd", "10", "--every", "30d", "--model", "phi3.5").exit_code == 0
    key = service.keys["reports"]
    assert (key["max_budget"], key["budget_duration"], key["models"]) == (10, "30d", ["phi3.5"])


@pytest.mark.parametrize("words", [("key", "opik-key", "dev", "--budget-usd", "1"), ("rotate-key", "opik-key", "dev")])
def test_keys_of_the_platform_come_from_the_vault(service: Service, words: tuple[str, ...]) -> None:
    assert "secrets.versions.gateway-opik-key" in refused(*words).fix
    assert service.keys == {}


def test_keys_tell_who_has_not_used_one(service: Service) -> None:
    service.keys = {
        "fresh": {"key_alias": "fresh", "created_at": "2026-11-29T00:00:00Z", "team_id": "research"},
        "old": {"key_alias": "old", "created_at": "2026-01-01T00:00:00Z", "max_budget": 5, "spend": 1.25},
        "used": {"key_alias": "used", "created_at": "2026-01-01T00:00:00Z", "last_active": "2026-11-28T00:00:00"},
    }
    shown = run("keys", "dev").output.splitlines()
    assert shown == [
        "fresh: team research, 0.00 USD, never used, ends never",
        "old: team none, 1.25 of 5 USD, never used, ends never",
        "used: team none, 0.00 USD, used 2 days ago, ends never",
    ]
    assert [key["alias"] for key in json.loads(run("keys", "dev", "--unused-for", "90d", "--json").output)] == ["old"]


def test_key_is_rotated_and_only_the_new_one_is_printed(service: Service) -> None:
    run("team", "research", "dev")
    run("create-key", "reports", "dev", "--team", "research")
    service.keys["reports"] |= {"expires": "2026-12-10T12:00:00Z", "spend": 2.5, "rpm_limit": 7}
    result = run("rotate-key", "reports", "dev")
    assert result.stdout == "sk-new\n"
    assert "reports-until-rotated-20261130120000" in result.stderr
    new, old = service.keys["reports"], service.keys["reports-until-rotated-20261130120000"]
    assert (new["team_id"], new["spend"], new["rpm_limit"], new["duration"]) == ("research", 2.5, 7, "864000s")
    assert (old["token"], old["duration"]) == ("hash-of-reports", "24h")


def test_rotation_that_the_gateway_refuses_leaves_the_old_key_under_its_name(service: Service) -> None:
    run("team", "research", "dev")
    run("create-key", "reports", "dev", "--team", "research")
    service.full = True
    assert "no more keys" in refused("rotate-key", "reports", "dev", "--grace", "0").message
    assert list(service.keys) == ["reports"]


@pytest.mark.parametrize("state", [{"blocked": True}, {"expires": "2026-11-30T11:59:59Z"}])
def test_key_that_does_not_work_is_not_rotated(service: Service, state: dict[str, Any]) -> None:
    service.keys["reports"] = {"key_alias": "reports", "token": "hash", **state}
    assert refused("rotate-key", "reports", "dev").code == ExitCode.REFUSED
    assert list(service.keys) == ["reports"]


def test_team_is_removed_by_its_typed_name_with_the_keys_that_are_named(service: Service) -> None:
    run("team", "research", "dev")
    run("create-key", "reports", "dev", "--team", "research")
    assert refused("remove-team", "research", "dev").code == ExitCode.REFUSED
    terminal = answering(["research"])
    assert run("remove-team", "research", "dev", terminal=terminal).exit_code == 0
    assert "research and the keys reports stop working" in terminal.asked[0]
    assert service.teams == {}


def metrics(usd: float, requests: int) -> dict[str, Any]:
    tokens = {"prompt_tokens": 10 * requests, "completion_tokens": 20 * requests}
    return {"spend": usd, "api_requests": requests, "failed_requests": 0, **tokens}


def day(date: str) -> dict[str, Any]:
    keys = {
        "h1": {"metrics": metrics(1.5, 3), "metadata": {"key_alias": "reports", "team_id": "research"}},
        "h2": {"metrics": metrics(0.5, 2), "metadata": {"key_alias": "+cmd", "team_id": None}},
    }
    models = {"phi3.5": {"metrics": metrics(2, 5)}}
    people = {"id-of-mia@example.com": {"metrics": metrics(0.25, 1)}, "id-of-nobody": {"metrics": metrics(0.1, 1)}}
    parts = {"api_keys": keys, "model_groups": models, "entities": people}
    return {"date": date, "metrics": metrics(2, 5), "breakdown": parts}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("team", [("research", 3, 6), ("(no team)", 1, 4)]),
        ("key", [("reports", 3, 6), ("+cmd", 1, 4)]),
        ("model", [("phi3.5", 4, 10)]),
        ("day", [("2026-11-29", 2, 5), ("2026-11-30", 2, 5)]),
    ],
)
def test_spending_is_summed_over_the_days(service: Service, by: str, expected: list[tuple[str, float, int]]) -> None:
    service.counted["/user/daily/activity/aggregated"] = {"results": [day("2026-11-29"), day("2026-11-30")]}
    found = json.loads(run("spend", "dev", "--by", by, "--since", "7d", "--json").output)
    assert (found["from"], found["to"]) == ("2026-11-24", "2026-11-30")
    assert [(one["name"], one["usd"], one["requests"]) for one in found["spent"]] == expected


def test_spending_of_people_is_shown_by_address_over_all_pages(service: Service) -> None:
    service.counted["/customer/daily/activity"] = {"results": [day("2026-11-29")], "metadata": {"total_pages": 2}}
    gateway_settings = load_settings("dev").gateway.model_copy(update={"spend_per_person": True})
    settings = load_settings("dev").model_copy(update={"gateway": gateway_settings})
    assert "gateway.spend_per_person" in refused("spend", "dev", "--by", "person").fix
    lines = run("spend", "dev", "--by", "person", "--csv", settings=settings).stdout.splitlines()
    assert lines == [
        "person,usd,requests,failed,prompt_tokens,completion_tokens",
        "mia@example.com,0.5,2,0,20,40",
        "id-of-nobody,0.2,2,0,20,40",
    ]


def test_spending_as_a_table_ends_with_its_sum_and_a_formula_stays_text(service: Service) -> None:
    service.counted["/user/daily/activity/aggregated"] = {"results": [day("2026-11-30")]}
    words = run("spend", "dev", "--by", "key").output.split()
    assert words[words.index("total") + 1 :][:2] == ["2.00", "5"]
    assert "'+cmd,0.5,2,0,20,40" in run("spend", "dev", "--by", "key", "--csv").stdout.splitlines()


def test_period_without_a_call_says_so(service: Service) -> None:
    service.counted["/user/daily/activity/aggregated"] = {"results": []}
    assert "Nothing was asked from 2026-11-01 to 2026-11-30" in run("spend", "dev").output


def test_budget_of_one_person_is_kept_by_the_id_of_the_account_alone(service: Service) -> None:
    limits = PersonLimits(budget_usd=5, days=30, requests_per_minute=20)
    own = load_settings("dev").gateway.model_copy(update={"spend_per_person": True, "person_limits": limits})
    settings = load_settings("dev").model_copy(update={"gateway": own})
    mia = CHAT.users[0]["id"]
    assert "gateway.person_limits" in refused("person", "mia@example.com", "dev", "--budget-usd", "9").fix
    for every in ((), ("--every", "7d")):
        run("person", "Mia@example.com", "dev", "--budget-usd", "50", *every, settings=settings)
        period = every[1] if every else "30d"
        # A budget without a period would never begin again.
        kept = {"user_id": mia, "max_budget": 50.0, "budget_duration": period, "rpm_limit": 20}
        assert service.customers == {mia: kept}
    unknown = run("person", "tom@example.com", "dev", "--budget-usd", "9", settings=settings).exception
    assert isinstance(unknown, OperatorError)
    assert unknown.code is ExitCode.USAGE
