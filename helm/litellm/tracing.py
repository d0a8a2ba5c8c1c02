"""What LiteLLM's own Opik callback leaves out: failed calls, the chat that a call belongs to, and who called.

LiteLLM loads `platform` from beside its configuration (`litellm_settings.callbacks: [tracing.platform]`).
"""

import logging
import os
import traceback
from datetime import UTC, datetime
from typing import Any

import httpx
from litellm.integrations.custom_logger import CustomLogger
from litellm.integrations.opik.utils import create_uuid7

CHAT_HEADER = "x-openwebui-chat-id"
"""Header in which Open WebUI names the chat (ENABLE_FORWARD_USER_INFO_HEADERS)."""
SEND_TIMEOUT_S = 10
LONGEST_ERROR = 2000

log = logging.getLogger("platform.tracing")


class PlatformTracing(CustomLogger):
    """Adds thread and tags to every trace, and sends a trace of its own for every call that failed."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Note chat, key and team in the metadata that becomes a trace, unless the caller says otherwise."""
        del cache, call_type
        headers = (data.get("proxy_server_request") or {}).get("headers") or {}
        metadata = data.get("metadata")
        if not isinstance(metadata, dict):
            metadata = data["metadata"] = {}
        noted = dict(metadata.get("opik") or {})
        if chat := headers.get(CHAT_HEADER):
            noted.setdefault("thread_id", chat)
        callers = (user_api_key_dict.key_alias, user_api_key_dict.team_alias)
        noted["tags"] = [*noted.get("tags", []), *(name for name in callers if name)]
        metadata["opik"] = noted
        return data

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Send a trace with the error; a failure to do so is logged and hinders nobody."""
        del response_obj
        url = os.environ.get("OPIK_URL_OVERRIDE")
        record = kwargs.get("standard_logging_object")
        # Without a provider no engine was called: a wrong key or name, which anybody could fill the traces with.
        if not url or not record or not record.get("custom_llm_provider"):
            return
        trace, span = payloads(kwargs, record, start_time, end_time)
        try:
            async with httpx.AsyncClient(base_url=url, timeout=SEND_TIMEOUT_S) as client:
                for kind, item in (("traces", trace), ("spans", span)):
                    if item:
                        answer = await client.post(f"/v1/private/{kind}/batch", json={kind: [item]})
                        answer.raise_for_status()
        except httpx.HTTPError as error:
            log.warning("a failed call is not traced: %s", error)


def payloads(
    kwargs: dict[str, Any], record: dict[str, Any], start_time: datetime, end_time: datetime
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return trace and span of a failed call, as Opik's batch interface takes them.

    There is no trace of its own where the caller has one, of which the call is a part.
    """
    metadata = (kwargs.get("litellm_params") or {}).get("metadata") or {}
    noted = metadata.get("opik") or {}
    error = kwargs.get("exception")
    common = {
        "project_name": noted.get("project_name") or os.environ.get("OPIK_PROJECT_NAME", "Default Project"),
        "start_time": _utc(start_time),
        "end_time": _utc(end_time),
        "input": {"messages": record.get("messages")},
        "tags": [*noted.get("tags", []), "failed"],
        "metadata": {
            "created_from": "litellm",
            "model_group": record.get("model_group"),
            "user_api_key_alias": (record.get("metadata") or {}).get("user_api_key_alias"),
            "user_api_key_team_alias": (record.get("metadata") or {}).get("user_api_key_team_alias"),
        },
        "error_info": {
            "exception_type": type(error).__name__,
            "message": str(record.get("error_str") or error)[:LONGEST_ERROR],
            "traceback": "".join(traceback.format_exception(error))[-LONGEST_ERROR:] if error else "",
        },
    }
    name = str(record.get("call_type") or "call")
    caller = noted.get("current_span_data") or {}
    trace = None if caller else {"id": create_uuid7(), "name": name, **common}
    if trace and noted.get("thread_id"):
        trace["thread_id"] = noted["thread_id"]
    span = {
        "id": create_uuid7(),
        "trace_id": trace["id"] if trace else caller.get("trace_id"),
        "name": name,
        "type": "llm",
        "model": str(record.get("model_group") or record.get("model")),
        "provider": str(record.get("custom_llm_provider") or ""),
        **common,
    }
    if caller.get("id"):
        span["parent_span_id"] = caller["id"]
    return trace, span


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


platform = PlatformTracing()
