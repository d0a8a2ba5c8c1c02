"""Keys of the real LLM gateway are limited, replaced and revoked, and what was spent is summed from its own counts."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from scripts.applications.llm_gateway.api import GatewayApi
from scripts.applications.llm_gateway.people import set_person
from scripts.applications.llm_gateway.rotation import rotate
from scripts.applications.llm_gateway.spend import NO_TEAM, By, Spend, spend
from scripts.core.errors import OperatorError
from stacks.platform.components.chat.names import GATEWAY_KEY
from stacks.platform.components.llm_gateway import address, secrets
from stacks.settings.llm_gateway import PersonLimits
from tests.live.programs.stage import DATABASE_HOST, GATEWAY_URL, Stage
from tests.support.llm_gateway import pods
from tests.support.llm_gateway.pods import ask
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import Program, wait_for

pytestmark = pytest.mark.live
IP = "127.0.1.15"
ROWS = 'SELECT string_agg(t::text, chr(10)) FROM "LiteLLM_SpendLogs" t'
MODEL, OTHER = "llama3.1-8b", "qwen2-5-7b"


@dataclass
class CountingPeople:
    """A pod of the gateway with `gateway.spend_per_person`, on the database of the others."""

    pod: Program
    url: str


@pytest.fixture(scope="module")
def counting(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountingPeople]:
    # A call costs 38 millionths of a dollar here: the second one crosses the limit.
    limits = PersonLimits(budget_usd=0.00005, days=30, requests_per_minute=50, contact="it-help@example.com")
    gateway = stage.settings.gateway.model_copy(update={"spend_per_person": True, "person_limits": limits})
    settings = stage.settings.model_copy(update={"gateway": gateway})
    folder = tmp_path_factory.mktemp("counting")
    found = pods.rendered_release(settings, folder, DATABASE_HOST)
    roots = stage.database.folder / "server.crt"
    _, proxy = pods.pod(found, folder, stage.secrets, ip=IP, name="counting", database_roots=roots)
    with proxy.running():
        done = pods.register(settings, folder, stage.secrets, f"http://{IP}:{address.PORT}")
        assert done.returncode == 0, done.stdout + done.stderr
        yield CountingPeople(proxy, f"http://{IP}:{address.PORT}")


@pytest.fixture(scope="module")
def api(stage: Stage) -> GatewayApi:
    return GatewayApi(GATEWAY_URL, stage.secret(address.NAMESPACE, secrets.SECRET, "LITELLM_MASTER_KEY"))


def chat(key: str, prompt: str, model: str = MODEL, **more: object) -> int:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
    return ask(f"{GATEWAY_URL}/v1/chat/completions", body, key=key)[0]


def today(api: GatewayApi, by: By) -> dict[str, Spend]:
    now = datetime.now(UTC).date()
    return {item.name: item for item in spend(api, by, now - timedelta(days=1), now)}


def test_new_key_takes_over_name_team_limits_and_spending_and_the_old_one_works_for_its_grace(api: GatewayApi) -> None:
    api.set_team("divers", {"max_budget": 5})
    old = api.create_key("harbour", "divers", "30d")
    api.set_key("harbour", {"max_budget": 3.5, "budget_duration": "30d", "rpm_limit": 900, "models": [MODEL]})
    assert chat(old, "Before") == 200
    new, aside = rotate(api, "harbour", grace="24h", now=datetime.now(UTC))
    assert new != old
    assert re.fullmatch(r"harbour-until-rotated-\d{14}", aside)
    assert [chat(key, "Both?") for key in (old, new)] == [200, 200]
    assert chat(new, "Forbidden?", OTHER) in {401, 403}
    kept = api.key_of("harbour")
    assert (kept["team_id"], kept["max_budget"], kept["budget_duration"], kept["rpm_limit"], kept["models"]) == (
        "divers",
        3.5,
        "30d",
        900,
        [MODEL],
    )
    assert ask(f"{GATEWAY_URL}/key/generate", {}, key=new)[0] in {401, 403}, "the new key administers"
    ends = {alias: _ends(api, alias) - datetime.now(UTC) for alias in ("harbour", aside)}
    assert timedelta(days=29, hours=23) < ends["harbour"] < timedelta(days=30)
    assert timedelta(hours=23) < ends[aside] < timedelta(hours=25)
    api.revoke_key(aside)
    wait_for(lambda: chat(old, "Revoked?") in {401, 403}, PATIENCE_S, lambda: "the old key still works")


def _ends(api: GatewayApi, alias: str) -> datetime:
    found = datetime.fromisoformat(str(api.key_of(alias)["expires"]).replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def test_leaked_key_is_worthless_at_once(api: GatewayApi) -> None:
    api.set_team("divers", {})
    old = api.create_key("leaked", "divers", None)
    assert chat(old, "Before") == 200
    new, aside = rotate(api, "leaked", grace=None, now=datetime.now(UTC))
    assert aside == ""
    assert chat(new, "After") == 200
    wait_for(lambda: chat(old, "Leaked?") in {401, 403}, PATIENCE_S, lambda: "a leaked key still works")
    aliases = [str(key.get("key_alias")) for key in api.keys(None)]
    assert [alias for alias in aliases if alias.startswith("leaked")] == ["leaked"]


def test_rotation_of_a_key_that_nobody_has_changes_nothing(api: GatewayApi) -> None:
    with pytest.raises(OperatorError, match="no such key: nobody"):
        rotate(api, "nobody", grace="24h", now=datetime.now(UTC))


def test_team_goes_with_its_keys(api: GatewayApi) -> None:
    api.set_team("wreckers", {})
    key = api.create_key("wreckers-key", "wreckers", None)
    assert chat(key, "Before") == 200
    api.remove_team("wreckers")
    wait_for(lambda: chat(key, "After?") in {401, 403}, PATIENCE_S, lambda: "a removed team's key still works")
    assert "wreckers" not in {team["team_id"] for team in api.teams()}


def test_spending_is_summed_by_team_key_model_person_and_day_and_last_use_is_known(
    stage: Stage, api: GatewayApi
) -> None:
    api.set_team("counters", {})
    key = api.create_key("tally", "counters", None)
    master = stage.secret(address.NAMESPACE, secrets.SECRET, "LITELLM_MASTER_KEY")
    alone = json.loads(ask(f"{GATEWAY_URL}/key/generate", {"key_alias": "no-team"}, key=master)[2])["key"]
    assert api.key_of("tally")["last_active"] is None
    before = today(api, By.MODEL).get(OTHER, Spend(OTHER))
    for number in range(3):
        assert chat(key, f"Count {number}", OTHER, user="tally-person") == 200
    assert chat(alone, "Count one more", OTHER) == 200
    price = next(model.usd_per_million_tokens for model in stage.settings.models if model.name == OTHER)
    words = len(stage.engines.words)
    expected = Spend("tally", 3 * (12 + words) * price / 1e6, 3, 0, 36, 3 * words)

    def arrived(by: By, name: str, requests: int) -> Callable[[], bool]:
        return lambda: today(api, by).get(name, Spend(name)).requests >= requests

    for by, name, requests in ((By.KEY, "tally", 3), (By.PERSON, "tally-person", 3), (By.KEY, "no-team", 1)):
        wait_for(arrived(by, name, requests), PATIENCE_S, lambda: f"nothing is counted:\n{stage.gateway.log[-3000:]}")
    for by, name in ((By.KEY, "tally"), (By.TEAM, "counters"), (By.PERSON, "tally-person")):
        found = today(api, by)[name]
        assert found.usd == pytest.approx(expected.usd)
        assert (found.requests, found.failed, found.prompt_tokens, found.completion_tokens) == (3, 0, 36, 3 * words)
    assert today(api, By.MODEL)[OTHER].requests >= before.requests + 4
    assert today(api, By.TEAM)[NO_TEAM].requests >= 1
    assert today(api, By.DAY)[datetime.now(UTC).date().isoformat()].requests >= 4
    wait_for(lambda: api.key_of("tally")["last_active"] is not None, PATIENCE_S, lambda: "no last use is written")


def test_person_of_a_chat_is_counted_by_id_where_the_setting_is_on_and_named_nowhere_else(
    stage: Stage, api: GatewayApi, counting: CountingPeople
) -> None:
    """The other pod, without the setting, counts nobody: the same call, the same header."""
    key = stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)
    ids = {counting.url: "aaaaaaaa-1111-4222-8333-444444444444", GATEWAY_URL: "bbbbbbbb-1111-4222-8333-444444444444"}
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Who am I?"}]}
    for url, person in ids.items():
        headers = {
            "X-OpenWebUI-User-Id": person,
            "X-OpenWebUI-User-Email": "counted@example.com",
            "X-OpenWebUI-User-Name": "Counted Person",
            "X-OpenWebUI-Chat-Id": f"chat-of-{person}",
        }
        assert ask(f"{url}/v1/chat/completions", body, key=key, headers=headers)[0] == 200
    counted = ids[counting.url]
    wait_for(lambda: counted in today(api, By.PERSON), PATIENCE_S, lambda: f"not counted:\n{counting.pod.log[-3000:]}")
    assert today(api, By.PERSON)[counted].requests == 1
    assert ids[GATEWAY_URL] not in today(api, By.PERSON)

    def traces() -> list[dict[str, object]]:
        return [t for t in stage.opik.items.get("traces", []) if t.get("thread_id") == f"chat-of-{counted}"]

    with stage.opik.arrived:
        assert stage.opik.arrived.wait_for(lambda: len(traces()) >= 1, PATIENCE_S)
    assert [(trace["thread_id"], json.dumps(trace).count(counted)) for trace in traces()] == [(f"chat-of-{counted}", 1)]
    for place in (json.dumps(stage.opik.items), counting.pod.log, stage.database.superuser(ROWS, "litellm")):
        assert "counted@example.com" not in place
        assert "Counted Person" not in place
    assert counted not in counting.pod.log


def test_person_whose_budget_is_spent_is_told_so_and_another_one_goes_on(
    stage: Stage, api: GatewayApi, counting: CountingPeople
) -> None:
    key = stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)
    spender, other = "cccccccc-1111-4222-8333-444444444444", "dddddddd-1111-4222-8333-444444444444"
    body = {"model": MODEL, "messages": [{"role": "user", "content": "How much is left?"}]}

    def asks(person: str) -> tuple[int, bytes]:
        headers = {"X-OpenWebUI-User-Id": person}
        status, _, said = ask(f"{counting.url}/v1/chat/completions", body, key=key, headers=headers)
        return status, said

    wait_for(lambda: asks(spender)[0] == 429, PATIENCE_S, lambda: f"nobody is stopped:\n{counting.pod.log[-3000:]}")
    said = asks(spender)[1].decode()
    first_of_next_month = (datetime.now(UTC).replace(day=1) + timedelta(days=32)).strftime("%Y-%m-01")
    assert re.search(r"Your budget for the chat is used up: 7\.6e-05|Your budget for the chat is used up: 0\.0", said)
    assert f"It begins again on {first_of_next_month} at 00:00 UTC; it-help@example.com can raise it." in said
    assert spender not in said
    assert asks(other)[0] == 200
    assert spender not in counting.pod.log
    # More for one person, as `llmctl gateway person` gives it.
    set_person(api, spender, {"max_budget": 5.0, "budget_duration": "7d"})
    wait_for(lambda: asks(spender)[0] == 200, PATIENCE_S, lambda: "a budget of one's own changes nothing")


@pytest.mark.parametrize(
    ("limit", "asked"),
    [
        ({"rpm_limit": 2}, "2 questions"),
        ({"tpm_limit": 30}, "30 tokens, questions and answers together"),
    ],
    ids=["requests", "tokens"],
)
def test_rate_of_a_person_binds_that_person_and_is_told_in_words(
    stage: Stage, api: GatewayApi, counting: CountingPeople, limit: dict[str, int], asked: str
) -> None:
    """Of two people with the same limit, who use the same key of the chat, one asks too often."""
    key = stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)
    kind = next(iter(limit))
    start = {"rpm_limit": "eeeeeeee", "tpm_limit": "ffffffff"}[kind]
    eager, calm = (f"{start}-{number}111-4222-8333-444444444444" for number in (5, 6))
    for person in (eager, calm):
        set_person(api, person, {"max_budget": 5.0, "budget_duration": "30d", **limit})
    body = {"model": MODEL, "messages": [{"role": "user", "content": "How often may I ask?"}]}

    def asks(person: str) -> tuple[int, str, str]:
        headers = {"X-OpenWebUI-User-Id": person}
        status, answered, said = ask(f"{counting.url}/v1/chat/completions", body, key=key, headers=headers)
        return status, {name.lower(): text for name, text in answered.items()}.get("retry-after", ""), said.decode()

    refused: list[tuple[int, str, str]] = []

    def too_often() -> bool:
        refused[:] = [answer for answer in (asks(eager) for _ in range(3)) if answer[0] == 429]
        return bool(refused)

    wait_for(too_often, PATIENCE_S, lambda: f"nobody is stopped:\n{counting.pod.log[-3000:]}")
    _, retry_after, said = refused[0]
    assert retry_after == "60"
    assert f"You have reached what one person may ask in a minute: {asked}." in said
    assert "it-help@example.com can raise it" in said
    assert eager not in said
    assert "Rate limit exceeded" not in said
    assert asks(calm)[0] == 200
    assert eager not in counting.pod.log
