"""The gateway on its real database and Redis: keys, budgets, limits, and the trace of every call."""

import ast
import json
import re
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.components.chat.names import GATEWAY_KEY
from stacks.platform.components.llm_gateway import address, secrets
from tests.live.programs.stage import GATEWAY_URL, Stage
from tests.support.llm_gateway.pods import ask
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import litellm_python, wait_for

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[4]
OLLAMA, VLLM = "llama3.1-8b", "qwen2-5-7b"
MODELS = ["phi3.5", "llama3.1-8b", "mistral-7b", "gemma2-2b", "gpt-oss", "deepseek-r1", "qwen2-5-7b"]
CHAT = "/v1/chat/completions"


def master(stage: Stage) -> str:
    return stage.secret(address.NAMESPACE, secrets.SECRET, "LITELLM_MASTER_KEY")


def platform_key(stage: Stage) -> str:
    return stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)


def new_key(stage: Stage, **limits: Any) -> str:
    status, _, body = ask(f"{GATEWAY_URL}/key/generate", {"key_type": "llm_api", **limits}, key=master(stage))
    assert status == 200, body
    return str(json.loads(body)["key"])


@pytest.fixture(scope="module")
def team_key(stage: Stage) -> str:
    """Return the key of a program whose team is `research`."""
    status, _, body = ask(f"{GATEWAY_URL}/team/new", {"team_alias": "research"}, key=master(stage))
    assert status == 200, body
    return new_key(stage, team_id=json.loads(body)["team_id"], key_alias="reports-app")


def chat(key: str, prompt: str, model: str = VLLM, **more: Any) -> tuple[int, dict[str, str], bytes]:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
    return ask(GATEWAY_URL + CHAT, body, key=key)


def test_all_migrations_are_applied_and_the_database_s_owner_is_no_superuser(stage: Stage) -> None:
    assert stage.migrations >= 165
    tables = stage.database.superuser(
        "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'LiteLLM%' AND tableowner = 'litellm'", "litellm"
    )
    assert int(tables) >= 70
    assert stage.database.superuser("SELECT rolsuper FROM pg_roles WHERE rolname = 'litellm'") == "f"


def test_readiness_names_the_database_and_lists_the_models_of_dev(stage: Stage) -> None:
    status, _, body = ask(f"{GATEWAY_URL}/v1/models", key=platform_key(stage))
    assert status == 200
    assert [model["id"] for model in json.loads(body)["data"]] == MODELS


@pytest.mark.usefixtures("stage")
def test_whoever_has_no_key_is_answered_as_the_check_of_the_host_expects() -> None:
    assert ask(GATEWAY_URL + address.HOST.guarded_path)[0] == 401


def test_key_of_the_platform_uses_models_and_nothing_else(stage: Stage) -> None:
    assert chat(platform_key(stage), "Does the platform's key work?")[0] == 200
    for path in ("/key/generate", "/team/new", "/user/new"):
        assert ask(GATEWAY_URL + path, {}, key=platform_key(stage))[0] in {401, 403}


def test_key_works_for_its_models_until_it_is_blocked(stage: Stage) -> None:
    key = new_key(stage, models=[VLLM])
    assert chat(key, "Allowed?")[0] == 200
    assert chat(key, "Forbidden?", OLLAMA)[0] in {401, 403}
    assert ask(f"{GATEWAY_URL}/key/block", {"key": key}, key=master(stage))[0] == 200
    wait_for(lambda: chat(key, "Blocked?")[0] in {401, 403}, PATIENCE_S, lambda: "a blocked key still works")


def test_request_limit_is_kept(stage: Stage) -> None:
    key = new_key(stage, rpm_limit=3)
    answers = [chat(key, "How often?")[0] for _ in range(6)]
    assert answers.count(200) == 3
    assert answers.count(429) == 3


def test_spend_is_written_and_a_budget_ends_it(stage: Stage) -> None:
    price = next(model.usd_per_million_tokens for model in stage.settings.models if model.name == VLLM)
    tokens = 12 + len(stage.engines.words)
    once = tokens * price / 1_000_000
    key = new_key(stage, max_budget=once * 1.5)
    assert chat(key, "First, within the budget")[0] == 200
    assert chat(key, "Second, which crosses it")[0] == 200
    wait_for(
        lambda: chat(key, "Third, beyond it")[0] in {400, 429},
        PATIENCE_S,
        lambda: "a budget that is used up stops nobody",
    )


def test_spend_reaches_the_database(stage: Stage) -> None:
    def logged() -> int:
        return int(stage.database.superuser('SELECT count(*) FROM "LiteLLM_SpendLogs"', "litellm"))

    before = logged()
    assert chat(platform_key(stage), "Is it written?")[0] == 200
    wait_for(lambda: logged() > before, PATIENCE_S, lambda: f"no spend is written:\n{stage.gateway.log[-3000:]}")


def test_answer_is_streamed_through_front_and_gateway(stage: Stage) -> None:
    status, headers, body = chat(platform_key(stage), "Streamed?", OLLAMA, stream=True)
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/event-stream")
    lines = [line for line in body.decode().splitlines() if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    words = [json.loads(line[6:])["choices"] for line in lines[:-1]]
    said = "".join(choice[0]["delta"].get("content") or "" for choice in words if choice)
    assert said.split() == stage.engines.words
    asked = stage.engines.asked[-1]
    assert (asked.host, asked.path) == ("ollama-t4.serving", CHAT)


def test_trace_arrives_field_by_field(stage: Stage, team_key: str) -> None:
    prompt = f"Which fields has this trace? {time.monotonic()}"
    assert chat(team_key, prompt)[0] == 200
    (trace,) = stage.opik.wait("traces", prompt)
    assert trace["project_name"] == "research"
    assert prompt in json.dumps(trace["input"])
    assert trace["output"]["choices"][0]["message"]["content"].split() == stage.engines.words
    assert trace["metadata"]["model_group"] == VLLM
    assert trace["start_time"] <= trace["end_time"]
    assert {"reports-app", "research"} <= set(trace["tags"])
    (span,) = stage.opik.wait("spans", prompt)
    assert (span["trace_id"], span["type"]) == (trace["id"], "llm")
    assert span["usage"]["prompt_tokens"] == 12
    assert span["usage"]["completion_tokens"] == len(stage.engines.words)


@pytest.mark.parametrize(
    ("wanted", "project"),
    [
        (None, "research"),
        ("research", "research"),
        ("research/weekly", "research/weekly"),
        ("dev", "research"),
        ("finance", "research"),
        ("research-of-others", "research"),
        ("", "research"),
    ],
)
def test_key_writes_into_the_projects_of_its_team_alone(
    stage: Stage, team_key: str, wanted: str | None, project: str
) -> None:
    prompt = f"Where to? {time.monotonic()}"
    named = {} if wanted is None else {"metadata": {"opik": {"project_name": wanted}}}
    body = {"model": VLLM, "messages": [{"role": "user", "content": prompt}], **named}
    headers = {} if wanted is None else {"opik_project_name": wanted}
    assert ask(GATEWAY_URL + CHAT, body, key=team_key, headers=headers)[0] == 200
    assert [trace["project_name"] for trace in stage.opik.wait("traces", prompt)] == [project]
    assert [span["project_name"] for span in stage.opik.wait("spans", prompt)] == [project]


def test_key_without_a_team_writes_into_the_environment_s_project(stage: Stage) -> None:
    prompt = f"Without a team? {time.monotonic()}"
    key = new_key(stage, key_alias="alone")
    assert chat(key, prompt, metadata={"opik": {"project_name": "finance"}})[0] == 200
    assert [trace["project_name"] for trace in stage.opik.wait("traces", prompt)] == ["dev"]


def test_what_somebody_writes_in_the_chat_is_nowhere_but_there(stage: Stage) -> None:
    """A planted text, address and secret: neither traces nor the gateway's records, files and logs have them."""
    planted = ("my salary is 4711 talers", "mia.private@example.com", "sk-planted-by-mia-0123456789", "Mia Private")
    writer = {
        "X-OpenWebUI-User-Name": planted[3],
        "X-OpenWebUI-User-Id": "00000000-aaaa-4000-8000-planted00000",
        "X-OpenWebUI-User-Email": planted[1],
        "X-OpenWebUI-User-Role": "user",
        "X-OpenWebUI-Chat-Id": "chat-of-mia",
    }
    body = {
        "model": VLLM,
        "messages": [{"role": "user", "content": " ".join(planted)}],
        "metadata": {"user": planted[1]},
    }
    address = GATEWAY_URL + CHAT
    assert ask(address, body, key=platform_key(stage), headers=writer)[0] == 200
    stage.engines.status = 500
    try:
        assert ask(address, body, key=platform_key(stage), headers=writer)[0] == 500
    finally:
        stage.engines.status = 200

    def of_the_chat() -> list[dict[str, Any]]:
        return [trace for trace in stage.opik.items.get("traces", []) if trace.get("thread_id") == "chat-of-mia"]

    with stage.opik.arrived:
        assert stage.opik.arrived.wait_for(lambda: len(of_the_chat()) >= 2, PATIENCE_S)
    assert {trace["project_name"] for trace in of_the_chat()} == {"dev"}
    rows = 'SELECT count(*) FROM "LiteLLM_SpendLogs"'
    before = int(stage.database.superuser(rows, "litellm"))

    def written() -> bool:
        # LiteLLM drops counts that its database does not take in time.
        assert chat(platform_key(stage), "One more call is written.")[0] == 200
        return int(stage.database.superuser(rows, "litellm")) > before

    wait_for(written, PATIENCE_S, lambda: "no spend is written")
    tables = stage.database.superuser("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "litellm")
    found = {
        f"table {table}": stage.database.superuser(f'SELECT row_to_json(t)::text FROM "{table}" t', "litellm")
        for table in tables.splitlines()
    }
    found |= {"traces": json.dumps(stage.opik.items), "log of the gateway": stage.gateway.log}
    found |= {
        str(path): path.read_text("utf-8", "replace")
        for path in (stage.folder / "gateway-1").rglob("*")
        if path.is_file() and path.suffix in {".json", ".log", ".part", ".db"}
    }
    assert [(where, text) for where, held in found.items() for text in (*planted, "planted00000") if text in held] == []


def test_failed_call_is_traced_with_its_error(stage: Stage, team_key: str) -> None:
    prompt = f"Will it fail? {time.monotonic()}"
    stage.engines.status = 500
    try:
        assert chat(team_key, prompt)[0] == 500
    finally:
        stage.engines.status = 200
    (trace,) = stage.opik.wait("traces", prompt)
    assert "out of memory" in trace["error_info"]["message"]
    assert "failed" in trace["tags"]


def test_log_has_the_address_of_the_connection_whatever_a_request_says(stage: Stage) -> None:
    """Port-forwards come from the pod itself, which uvicorn believes by default."""
    connection = HTTPConnection("litellm.gateway.svc.cluster.local", address.PORT, timeout=PATIENCE_S)
    made_up = {"X-Forwarded-For": "198.51.100.9", "Authorization": f"Bearer {platform_key(stage)}"}
    connection.request("GET", "/v1/models?of=a-made-up-address", headers=made_up)
    assert connection.getresponse().read()
    wait_for(lambda: "of=a-made-up-address" in stage.gateway.log, PATIENCE_S, lambda: stage.gateway.log)
    (line,) = (line for line in stage.gateway.log.splitlines() if "of=a-made-up-address" in line)
    assert re.search(r"127\.0\.\d\.\d+:\d+ - ", line)
    assert "198.51.100.9" not in line


def test_no_connection_is_reset_when_a_client_comes_back_after_a_pause(stage: Stage) -> None:
    """Clients keep a connection for 15 s: the server must not close it first (a reset in the middle of a request)."""
    host = "litellm.gateway.svc.cluster.local"
    headers = {"Authorization": f"Bearer {platform_key(stage)}"}
    # Pauses around the 5 s after which uvicorn, left to itself, closes.
    waiting = [(HTTPConnection(host, address.PORT, timeout=PATIENCE_S), 4.9 + number * 0.02) for number in range(20)]
    for connection, _ in waiting:
        connection.request("GET", "/v1/models", headers=headers)
        assert connection.getresponse().read()
    started = time.monotonic()
    for connection, pause in waiting:
        time.sleep(max(0.0, started + pause - time.monotonic()))
        connection.request("GET", "/v1/models", headers=headers)
        assert connection.getresponse().status == 200
        connection.close()


def test_lines_that_the_page_tells_to_type_list_the_models(stage: Stage) -> None:
    page = (ROOT / "docs" / "reference" / "llm-gateway.md").read_text("utf-8")
    (block,) = (found for found in re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE) if "curl " in found)
    typed = block.replace("https://api.<domain>", GATEWAY_URL).replace("sk-…", new_key(stage))
    assert typed.count(GATEWAY_URL) == 1
    done = subprocess.run(["bash", "-ec", typed], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert {model["id"] for model in json.loads(done.stdout)["data"]} == {model.name for model in stage.settings.models}


def test_what_the_recipe_installs_has_every_package_that_our_callbacks_import() -> None:
    """As the image has: a package that is missing ends the recipe of the page in an error of Python."""
    files = [ast.parse(file.read_text("utf-8")) for file in sorted((ROOT / "helm" / "litellm").glob("*.py"))]
    own = {file.stem for file in (ROOT / "helm" / "litellm").glob("*.py")}
    named = {
        name
        for tree in files
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    found = "import importlib.util, sys; print([n for n in sys.argv[1:] if importlib.util.find_spec(n) is None])"
    packages = sorted({name.partition(".")[0] for name in named} - own)
    assert "prometheus_client" in packages
    done = subprocess.run([litellm_python(), "-c", found, *packages], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
