"""Weights on Hugging Face and in Ollama's registry, and what this machine fetches, asked of real web servers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from scripts.preflight.findings import Outcome
from scripts.preflight.run import Result
from tests.support.preflight.internet import internet
from tests.support.preflight.surroundings import EVERYTHING, result, sound, surroundings
from tests.support.web_servers import Reply

NOWHERE = "http://127.0.0.1:9"
VLLM: dict[str, Any] = {
    "name": "qwen", "engine": "vllm", "id": "Qwen/Qwen2.5-7B-Instruct-AWQ", "revision": "main", "pool": "t4",
    "quantization": "awq", "weights_gib": 5.2, "kv_cache_kib_per_token": 56,
}  # fmt: skip
OLLAMA: dict[str, Any] = {
    "name": "phi", "engine": "ollama", "id": "phi3.5", "pool": "t4", "quantization": "q4", "weights_gib": 2.1,
    "kv_cache_kib_per_token": 384,
}  # fmt: skip
SERVED = (200, {"Content-Type": "application/json"}, json.dumps({"id": "x", "gated": False}).encode())
GATED = (200, {"Content-Type": "application/json"}, json.dumps({"id": "x", "gated": "manual"}).encode())


def with_models(*models: dict[str, Any], **serving: Any) -> Any:
    made = sound(cluster={"gpu_pools": {"t4": {"vm_size": "Standard_NC4as_T4_v3", "max_nodes": 3}}}, serving=serving)
    return type(made).model_validate(made.model_dump() | {"models": list(models)})


def looked(answer: Callable[[str, str, dict[str, str]], Reply], environment: Any, **variables: str) -> Result:
    with internet(answer) as web:
        return result("models", surroundings(NOWHERE, environment, web=web, variables=variables))


def refused(status: int, code: str = "") -> Reply:
    return status, {"X-Error-Code": code} if code else {}, b"{}"


def test_models_that_can_be_had_pass() -> None:
    seen = []

    def answer(host: str, path: str, _headers: dict[str, str]) -> Reply:
        seen.append((host, path))
        return SERVED

    models = (VLLM, OLLAMA, {**OLLAMA, "name": "own", "id": "someone/own:7b"})
    assert looked(answer, with_models(*models)).outcome is Outcome.PASSED
    assert sorted(seen) == [
        ("huggingface.co", "/api/models/Qwen/Qwen2.5-7B-Instruct-AWQ/revision/main"),
        ("registry.ollama.ai", "/v2/library/phi3.5/manifests/latest"),
        ("registry.ollama.ai", "/v2/someone/own/manifests/7b"),
    ]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (refused(401, "RepoNotFound"), "Hugging Face has no Qwen/Qwen2.5-7B-Instruct-AWQ, or it is private"),
        (refused(404, "RepoNotFound"), "Hugging Face has no Qwen/Qwen2.5-7B-Instruct-AWQ, or it is private"),
        (
            refused(404, "RevisionNotFound"),
            "Hugging Face has no revision main of Qwen/Qwen2.5-7B-Instruct-AWQ, or it is private",
        ),
        (
            refused(403, "GatedRepo"),
            "Qwen/Qwen2.5-7B-Instruct-AWQ is gated, and nobody without an account has no access",
        ),
        (GATED, "Qwen/Qwen2.5-7B-Instruct-AWQ is gated, and serving.hugging_face_token is off"),
    ],
)
def test_a_repository_that_cannot_be_had(reply: Reply, sentence: str) -> None:
    found = looked(lambda _host, _path, _headers: reply, with_models(VLLM))
    assert [finding.what for finding in found.findings] == [f"models.qwen: {sentence}"]
    assert found.outcome is Outcome.FAILED


def test_access_to_a_gated_model_is_looked_at_with_the_token() -> None:
    tokens = set()

    def answer(_host: str, path: str, headers: dict[str, str]) -> Reply:
        tokens.add(headers.get("authorization"))
        return refused(403, "GatedRepo") if "/resolve/" in path else GATED

    gated = with_models(VLLM, hugging_face_token=True)
    found = looked(answer, gated, HF_TOKEN="hf_secret")
    assert [finding.what for finding in found.findings] == [
        "models.qwen: Qwen/Qwen2.5-7B-Instruct-AWQ is gated, and the account of HF_TOKEN has no access"
    ]
    assert tokens == {"Bearer hf_secret"}
    assert "hf_secret" not in str(found)
    granted = looked(lambda _host, path, _headers: (302, {"Location": "/x"}, b"") if "/resolve/" in path else GATED,
                     gated, HF_TOKEN="hf_secret")  # fmt: skip
    assert granted.outcome is Outcome.PASSED


def test_a_gated_model_without_a_token_here_is_not_checked() -> None:
    found = looked(lambda _host, _path, _headers: GATED, with_models(VLLM, hugging_face_token=True))
    assert found.not_checked == (
        "qwen: Qwen/Qwen2.5-7B-Instruct-AWQ is gated; export HF_TOKEN to have its access looked at"
    )


def test_a_tag_that_ollama_does_not_have() -> None:
    found = looked(lambda _host, _path, _headers: refused(404), with_models({**OLLAMA, "id": "phi3.5:nope"}))
    assert [(finding.what, finding.fix) for finding in found.findings] == [
        ("models.phi: Ollama's registry has no phi3.5:nope", "correct its id: https://ollama.com/library/phi3.5/tags")
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(("model", "host"), [(VLLM, "huggingface.co"), (OLLAMA, "registry.ollama.ai")])
def test_a_hub_that_does_not_answer_properly_judges_no_model(status: int, model: dict[str, Any], host: str) -> None:
    found = looked(lambda _host, _path, _headers: refused(status), with_models(model))
    assert found.not_checked == f"{model['name']}: {host} answers with status {status}"


def test_a_hub_that_answers_with_a_page_judges_no_model() -> None:
    found = looked(lambda _host, _path, _headers: (200, {}, b"<html>log in to the network</html>"), with_models(VLLM))
    assert found.not_checked == "qwen: huggingface.co answers with something else than JSON"


def test_models_that_wait_for_the_same_host_are_one_sentence() -> None:
    models = (OLLAMA, {**OLLAMA, "name": "other", "id": "gemma2:2b"})
    found = looked(lambda _host, _path, _headers: refused(503), with_models(*models))
    assert found.not_checked == "phi, other: registry.ollama.ai answers with status 503"


def test_a_model_that_can_be_had_and_one_that_cannot_are_told_apart() -> None:
    found = looked(
        lambda host, _path, _headers: refused(404) if host == "registry.ollama.ai" else refused(503),
        with_models(OLLAMA, VLLM),
    )
    assert [finding.what for finding in found.findings] == ["models.phi: Ollama's registry has no phi3.5"]
    assert found.not_checked == "qwen: huggingface.co answers with status 503"


# --- sources ---------------------------------------------------------------------------------------------------------


def sources(answer: Callable[[str, str, dict[str, str]], Reply], *stacks: str) -> Result:
    with internet(answer) as web:
        return result("sources", surroundings(NOWHERE, web=web, stacks=stacks or EVERYTHING))


def test_registries_charts_and_sources_are_reached() -> None:
    seen = set()

    def answer(host: str, path: str, _headers: dict[str, str]) -> Reply:
        seen.add(f"{host}{path}")
        return (401, {}, b"") if path == "/v2/" else (200, {}, b"")

    assert sources(answer).outcome is Outcome.PASSED
    assert {
        "registry-1.docker.io/v2/",
        "ghcr.io/v2/",
        "quay.io/v2/",
        "github.com/comet-ml/opik/info/refs?service=git-upload-pack",
        "charts.external-secrets.io/index.yaml",
        "registry.terraform.io/.well-known/terraform.json",
    } <= seen


def test_what_is_not_reached_is_one_failure_and_one_warning() -> None:
    blocked = ("github.com", "quay.io", "registry-1.docker.io")
    found = sources(lambda host, _path, _headers: (503, {}, b"") if host in blocked else (200, {}, b""))
    assert [(finding.outcome, finding.what) for finding in found.findings] == [
        (Outcome.FAILED, "this machine does not reach quay.io, github.com: answers with status 503"),
        (Outcome.WARNING, "this machine does not reach registry-1.docker.io: answers with status 503"),
    ]
    assert found.findings[0].why == "the deployment fetches charts and images, source there"


def test_a_proxy_that_asks_for_a_login_reaches_nothing() -> None:
    found = sources(lambda _host, _path, _headers: (407, {}, b""), "acr")
    assert [finding.what for finding in found.findings] == [
        "this machine does not reach registry.terraform.io: answers with status 407"
    ]


def test_a_machine_without_internet_gets_one_sentence() -> None:
    import httpx

    from scripts.preflight.internet.web import Web

    def nothing(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("all connection attempts failed")

    web = Web(httpx.Client(transport=httpx.MockTransport(nothing)))
    found = result("sources", surroundings(NOWHERE, web=web, stacks=("disks",)))
    assert [finding.what for finding in found.findings] == [
        (
            "this machine does not reach registry.terraform.io: registry.terraform.io gives no answer (ConnectError:"
            " all"
            " connection attempts failed)"
        )
    ]


def test_weights_of_adapters_and_of_what_guesses_are_looked_at_as_the_model_s_own() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    model = VLLM | {
        "lora": [{"name": "sql", "id": "acme/sql-lora", "revision": commit}],
        "speculative": {"method": "draft_model", "id": "acme/draft", "revision": commit, "weights_gib": 0.5},
    }

    def answer(_host: str, path: str, _headers: dict[str, str]) -> Reply:
        if "acme/sql-lora" in path:
            return refused(404, "RepoNotFound")
        return GATED if "acme/draft" in path else SERVED

    found = looked(answer, with_models(model))
    assert [finding.what for finding in found.findings] == [
        "models.qwen.lora.sql: Hugging Face has no acme/sql-lora, or it is private",
        "models.qwen.speculative: acme/draft is gated, and serving.hugging_face_token is off",
    ]
