"""Requests an answer of an engine as every caller does: through the serving proxy, which starts it from zero."""

import base64
import json

from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.errors import OperatorError
from stacks.platform.common.timeouts import path_seconds
from stacks.platform.components.serving.engines import ENGINE_KEYS, PROXY, PROXY_PORT, SERVING, ServingEngine
from stacks.settings.models import Engine
from stacks.settings.serving import ServingSettings

MARGIN_SECONDS = 60
KEY = "VLLM_API_KEY"


def engine_headers(kubectl: Kubectl, engine: ServingEngine) -> dict[str, str]:
    """Return what a caller of the engine has to send. Raises OperatorError when its key cannot be read."""
    if engine.engine is not Engine.VLLM:
        return {}
    data = kubectl.json("get", "secret", ENGINE_KEYS, "-n", SERVING).get("data", {})
    if KEY not in data:
        raise OperatorError(f"Secret {ENGINE_KEYS} in {SERVING} has no {KEY}", "look at its ExternalSecret")
    return {"Authorization": f"Bearer {base64.b64decode(data[KEY]).decode()}"}


def answer_problem(kubectl: Kubectl, serving: ServingSettings, engine: ServingEngine) -> str:
    """Say why the engine's first model gives no answer, or nothing; waits as long as a caller would."""
    model = engine.served_id(engine.leader)
    question = {"model": model, "messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 1}
    try:
        with kubectl.forwarded(SERVING, PROXY, PROXY_PORT) as base:
            answer = web.send_json(
                f"{base}/{engine.name}/v1/chat/completions",
                question,
                headers=engine_headers(kubectl, engine),
                timeout_s=path_seconds(serving) + MARGIN_SECONDS,
            )
    except web.NoAnswerError as error:
        return f"{engine.name} gives no answer: {error}"
    except OperatorError as error:
        return f"{engine.name} cannot be asked: {error.message}"
    try:
        answered = bool(json.loads(answer.body)["choices"])
    except (ValueError, KeyError, TypeError):
        answered = False
    if answer.status == 200 and answered:
        return ""
    said = answer.body.decode(errors="replace").strip()[:300]
    return f"{engine.name} answers {answer.status}: {said}"
