"""Whose texts leave the LLM gateway: neither what a chat holds nor who writes there, unless the settings say so.

Environment: TRACE_CHATS and TRACE_PROMPTS ("true": with the texts of chats, and of all other calls), CHAT_KEYS (aliases
of the keys of chats).
"""

import logging
import os
from contextvars import ContextVar
from typing import Any

OPEN_WEBUI = "x-openwebui-"
"""How headers begin in which Open WebUI tells who asks in which chat (ENABLE_FORWARD_USER_INFO_HEADERS)."""
CHAT_HEADERS = {f"{OPEN_WEBUI}chat-id", f"{OPEN_WEBUI}message-id"}
"""Those of them that name nobody."""
WITHOUT_TEXTS: ContextVar[bool] = ContextVar("without_texts", default=False)
"""Whether the call that is being answered must not leave its texts anywhere."""


class NoTexts(logging.Filter):
    """Leaves of messages about such a call only where they come from: engines repeat prompts in their errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; keep it in any case."""
        if WITHOUT_TEXTS.get() and record.levelno >= logging.WARNING:
            error = record.exc_info[0] if record.exc_info else None
            place = record.getMessage().partition(" - ")[0][:200] if error or " - " in record.getMessage() else "failed"
            status = getattr(record.exc_info[1], "status_code", "") if record.exc_info else ""
            record.msg = f"{place}: {error.__name__ if error else 'details'} {status} of a call without texts"
            record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
        return True


def texts_of(kwargs: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether the trace of a call holds what was asked and answered."""
    request = (kwargs.get("litellm_params") or {}).get("proxy_server_request") or {}
    return with_texts((record.get("metadata") or {}).get("user_api_key_alias"), request.get("headers") or {})


def with_texts(key: str | None, headers: dict[str, str]) -> bool:
    """Whether texts may be kept of calls with a key and headers; Open WebUI's headers make any call one of a chat."""
    by_chat = bool(key) and key in os.environ.get("CHAT_KEYS", "").split(",")
    chat = by_chat or any(str(name).lower().startswith(OPEN_WEBUI) for name in headers)
    return os.environ.get("TRACE_CHATS" if chat else "TRACE_PROMPTS", "").lower() == "true"


def headers_of(metadata: Any) -> Any:
    """Return the headers that LiteLLM repeats in metadata."""
    return metadata.get("headers") if isinstance(metadata, dict) else None


def forget_people(headers: Any) -> None:
    """Remove who writes in Open WebUI from the headers of a call, before anything else reads them."""
    if isinstance(headers, dict):
        for name in [*headers]:
            if str(name).lower().startswith(OPEN_WEBUI) and str(name).lower() not in CHAT_HEADERS:
                del headers[name]
