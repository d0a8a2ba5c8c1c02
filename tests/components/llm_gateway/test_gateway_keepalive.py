"""What a caller of the pinned LiteLLM hears while an engine starts: comments, then the answer or its failure.

Runs where `scripts/lab/install-live litellm` was.
"""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.settings import load_settings
from tests.support.llm_gateway.litellm_process import LITELLM, MASTER_KEY, Gateway, Upstream, gateway, upstream
from tests.support.patience import PATIENCE_S

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path(LITELLM).exists(), reason="LiteLLM is not installed (scripts/lab/install-live)"),
]
MODEL = "qwen2-5-7b"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Upstream]]:
    settings = load_settings("dev")
    lively = settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"keepalive_seconds": 1})})
    folder = tmp_path_factory.mktemp("litellm")
    with upstream() as engines, upstream() as opik, gateway(lively, folder, engines, opik) as started:
        yield started, engines


def _stream(running: Gateway, engines: Upstream) -> tuple[int, bytes, str]:
    """Return status, what came before the engine was let go, and the rest."""
    engines.held.clear()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE_S)
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello?"}], "stream": True}
        headers = {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        first = answer.readline()
    finally:
        engines.held.set()
    rest = answer.read().decode()
    connection.close()
    return answer.status, first, rest


def test_a_stream_says_something_before_its_engine_answers(running: tuple[Gateway, Upstream]) -> None:
    started, engines = running
    engines.status, engines.text = 200, "It works."
    status, first, rest = _stream(started, engines)
    assert (status, first) == (200, b": ping\n")
    assert '"content":"It"' in rest.replace(" ", "")
    assert rest.rstrip().endswith("data: [DONE]")


def test_an_engine_that_does_not_start_is_an_error_within_the_stream(running: tuple[Gateway, Upstream]) -> None:
    started, engines = running
    engines.status, engines.text = 503, "the model is still starting"
    status, first, rest = _stream(started, engines)
    assert (status, first) == (200, b": ping\n")
    # Its text is LiteLLM's own by then; the status is the engine's.
    assert '"code": "503"' in rest


def test_a_call_that_is_not_streamed_keeps_its_status(running: tuple[Gateway, Upstream]) -> None:
    started, engines = running
    engines.status, engines.text = 503, "the model is still starting"
    assert started.chat(MODEL)[0] == 503
