"""The LLM gateway as a provider of Opik: its models in the playground and in online evaluation rules."""

import json
from collections.abc import Sequence

from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.errors import OperatorError
from scripts.opik.cluster import FRONTEND, NAMESPACE
from stacks.platform.components.llm_gateway.address import BASE_URL
from stacks.platform.components.opik.names import GATEWAY_KEY

from .api import message_of, secret_values

PROVIDER = "platform"
"""Name under which Opik knows the gateway."""


def offer_to_opik(kubectl: Kubectl, models: Sequence[str]) -> bool:
    """Make the LLM gateway a provider of Opik, or renew what Opik has; return whether it is new.

    Interface: `/v1/private/llm-provider-key` of Opik's backend (2.1.23).
    """
    (key,) = secret_values(kubectl, GATEWAY_KEY)
    offered = {
        "api_key": key,
        "base_url": BASE_URL,
        "configuration": {"models": ",".join(f"custom-llm/{PROVIDER}/{model}" for model in models)},
    }
    with kubectl.forwarded(NAMESPACE, *FRONTEND) as base:
        url = f"{base}/api/v1/private/llm-provider-key"
        try:
            known = json.loads(_sound(web.get(url)).body).get("content") or []
            mine = next((item for item in known if item.get("provider_name") == PROVIDER), None)
            if mine:
                _sound(web.send_json(f"{url}/{mine['id']}", offered, method="PATCH"))
            else:
                _sound(web.send_json(url, {"provider": "custom-llm", "provider_name": PROVIDER, **offered}))
        except web.NoAnswerError as error:
            raise OperatorError(f"Opik gives no answer: {error}", "llmctl opik health") from None
    return mine is None


def _sound(answer: web.Answer) -> web.Answer:
    if answer.status >= 400:
        raise OperatorError(f"Opik answers {answer.status}: {message_of(answer.body)}", "llmctl opik health")
    return answer
