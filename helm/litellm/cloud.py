"""Models outside the network: who may use them, whose answers are marked, and how the LLM gateway logs in to Azure.

Only keys that name such a model may use it, themselves or by their team, directly or as another model's fall-back: a
key without a list, which may use every model of our own, may use none outside. Answers that left the network say so: in
headers, and in the chat in a line above the answer.

LiteLLM loads `platform` from beside its configuration (`litellm_settings.callbacks: [cloud.platform]`).

Environment: CLOUD_MODELS (JSON, names to where they are processed), CLOUD_CHAT_KEYS (aliases of the keys of chats);
CLOUD_TOKEN_URL, CLOUD_CLIENT_ID and CLOUD_TOKEN_FILE where models are used without a key.
"""

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy.auth import fallback_model_access
from prometheus_client import Counter

PLACES: dict[str, str] = json.loads(os.environ.get("CLOUD_MODELS") or "{}")
ID = "outside-"
"""How the ids of these models begin in LiteLLM's list (`model_info.id`)."""
SCOPE = "https://cognitiveservices.azure.com/.default"
WHO = {"user", "safety_identifier"}
"""What a call may say of a person, which no service outside learns."""
RENEW_S = 300
"""How long before its end a token is renewed."""
TOKEN_TIMEOUT_S = 15

LEFT = Counter("platform_left_network", "Answers of models outside the network", ["model", "instead_of"])
log = logging.getLogger("platform.cloud")


def outside(model: Any) -> str | None:
    """Return the name of the model outside the network that a name or id in LiteLLM's list stands for."""
    name = str(model or "").removeprefix(ID)
    return name if name in PLACES else None


def may_leave(model: Any, key: Any) -> bool:
    """Whether a key may use a model: its own list or its team's names every one outside the network."""
    name = outside(model)
    if name is None or key is None:
        return name is None
    if str(getattr(key.user_role, "value", key.user_role)) == "proxy_admin":
        return True
    return name in {*(key.models or ()), *(key.team_models or ())}


def _key_of(kwargs: dict[str, Any]) -> Any:
    """Return the key of a call that is about to be sent; None for a call that no caller made."""
    found = (kwargs.get(place) or {} for place in ("metadata", "litellm_metadata"))
    return next((key for metadata in found if (key := metadata.get("user_api_key_auth"))), None)


def _refusal(name: str | None) -> HTTPException:
    text = f"{name} is outside the network; only keys and teams whose list names it may use it"
    return HTTPException(403, {"error": text})


class Login:
    """A token of Entra's for Azure OpenAI, by the pod's own service account."""

    def __init__(self) -> None:
        self._token, self._until = "", 0.0
        self._asking = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that is good for minutes. Raises httpx.HTTPError."""
        async with self._asking:
            if time.monotonic() > self._until - RENEW_S:
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        # The kubelet replaces the file long before its token ends.
        proof = await asyncio.to_thread(Path(os.environ["CLOUD_TOKEN_FILE"]).read_text, "utf-8")
        form = {
            "grant_type": "client_credentials",
            "client_id": os.environ["CLOUD_CLIENT_ID"],
            "scope": SCOPE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": proof.strip(),
        }
        async with httpx.AsyncClient(timeout=TOKEN_TIMEOUT_S) as entra:
            answer = await entra.post(os.environ["CLOUD_TOKEN_URL"], data=form)
        if answer.is_error:
            # Entra names the reason by a number, AADSTS…, and repeats no proof.
            log.warning("Entra gives no token: %d %s", answer.status_code, answer.text[:300])
        answer.raise_for_status()
        given = answer.json()
        self._token, self._until = given["access_token"], time.monotonic() + float(given["expires_in"])


class PlatformCloud(CustomLogger):
    """Bounds and marks what leaves the network."""

    def __init__(self) -> None:
        super().__init__()
        self._login = Login()

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Refuse a model outside the network to a key that does not name it."""
        del cache, call_type
        if not may_leave(data.get("model"), user_api_key_dict):
            raise _refusal(outside(data["model"]))
        return data

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any] | None:
        """Say nothing of who asks, and log in by the token of now: LiteLLM keeps one beyond its end."""
        del call_type
        info = kwargs.get("model_info") or {}
        if (name := outside(info.get("id"))) is None:
            return None
        # The last place that every way to a model passes, whatever it was called by.
        if not may_leave(name, _key_of(kwargs)):
            raise _refusal(name)
        known = {name: value for name, value in kwargs.items() if name not in WHO}
        return {**known, "azure_ad_token": await self._login.token()} if info.get("keyless") else known

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: Any,
        response: Any,
        request_headers: dict[str, str] | None = None,
        litellm_call_info: dict[str, Any] | None = None,
    ) -> dict[str, str] | None:
        """Mark an answer of a model outside the network in its headers."""
        del data, user_api_key_dict, response, request_headers
        name = outside((litellm_call_info or {}).get("model_id"))
        return None if name is None else {"x-left-network": name, "x-processed-in": PLACES[name]}

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncIterator[Any]:
        """Tell the chat by an event of its own, which it shows above the answer and keeps with it."""
        del request_data
        told = user_api_key_dict.key_alias not in os.environ.get("CLOUD_CHAT_KEYS", "").split(",")
        async for chunk in response:
            if not told and (name := outside((getattr(chunk, "_hidden_params", None) or {}).get("model_id"))):
                told = True
                yield _status(f"Left the network: answered by {name}, processed in {PLACES[name]}")
            yield chunk

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Count the answer, and the model that it stands for."""
        del response_obj, start_time, end_time
        record = kwargs.get("standard_logging_object") or {}
        if name := outside(record.get("model_id")):
            metadata = (kwargs.get("litellm_params") or {}).get("metadata") or {}
            LEFT.labels(name, metadata.get("original_model_group") or "").inc()


def _status(text: str) -> bytes:
    event = {"type": "status", "data": {"description": text, "done": True}}
    return f"data: {json.dumps({'choices': [], 'event': event})}\n\n".encode()


_by_key = fallback_model_access.is_model_authorized_for_token


async def _authorized(*, model: str, valid_token: Any, llm_router: Any) -> bool:
    """Take the place of LiteLLM's question for each fall-back, which a key without a list may always use."""
    return may_leave(model, valid_token) and await _by_key(model=model, valid_token=valid_token, llm_router=llm_router)


fallback_model_access.is_model_authorized_for_token = _authorized
platform = PlatformCloud()
