"""Trace and span of a call as Opik takes them, with what may be seen of it alone.

Environment: OPIK_PROJECT_NAME, the project of keys without a team.
"""

import os
import traceback
from datetime import UTC, datetime
from typing import Any

from call_texts import texts_of
from litellm.integrations.opik.utils import create_uuid7

KEPT_METADATA = {
    "created_from",
    *("type", "status", "model", "model_id", "model_group", "api_base", "cache_hit", "cost", "usage_object"),
    *("user_api_key_alias", "user_api_key_team_alias", "user_api_key_team_id"),
}
"""What LiteLLM tells of a call that names nobody and holds none of its texts."""
LONGEST_ERROR = 2000
OUTSIDE = "outside-"
"""How the ids of models outside the network begin (cloud.py)."""
LEFT_NETWORK = "left-network"
"""Tag of their traces."""


def failure(
    kwargs: dict[str, Any], record: dict[str, Any], start_time: datetime, end_time: datetime
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return trace and span of a failed call, in the shape that LiteLLM gives those of an answered one.

    There is no trace of its own where the caller has one, of which the call is a part.
    """
    metadata = (kwargs.get("litellm_params") or {}).get("metadata") or {}
    noted = metadata.get("opik") or {}
    error = kwargs.get("exception")
    common = {
        "project_name": noted.get("project_name") or project(),
        "start_time": _utc(start_time),
        "end_time": _utc(end_time),
        "input": record.get("messages"),
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


def fit(item: dict[str, Any], kwargs: dict[str, Any], record: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return a trace or span with what may be seen of it alone, in the project that the key may write to.

    `own` is what the caller itself wants to have in its metadata.
    """
    told = item.get("metadata") or {}
    if str(record.get("model_id") or "").startswith(OUTSIDE):
        item["tags"] = [*(item.get("tags") or []), LEFT_NETWORK]
    kept = {key: value for key, value in told.items() if key in KEPT_METADATA}
    item["project_name"] = project_of(record.get("metadata") or {}, str(item.get("project_name") or ""))
    if texts_of(kwargs, record):
        item["metadata"] = {**own, **kept}
        return item
    item["metadata"] = kept
    item["input"] = item["output"] = None
    if error := item.get("error_info"):
        # Engines repeat prompts in their errors.
        status = getattr(kwargs.get("exception"), "status_code", None)
        item["error_info"] = {
            "exception_type": error["exception_type"],
            "message": f"status {status}" if isinstance(status, int) else "",
            "traceback": "",
        }
    return item


def project_of(caller: dict[str, Any], wanted: str) -> str:
    """Return the project for the traces of a key: that of its team, or one below it (`team/…`) that the caller names.

    A key without a team has the environment's; the administrator's key, which has no name, takes any.
    """
    team, alias = caller.get("user_api_key_team_alias"), caller.get("user_api_key_alias")
    if not team and not alias:
        return wanted or project()
    own = str(team) if team else project()
    return wanted if wanted.startswith(f"{own}/") else own


def own_metadata(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what a program itself put beside its trace, to find it by."""
    metadata = (kwargs.get("litellm_params") or {}).get("metadata") or {}
    noted = metadata.get("opik") or {}
    handled = {"current_span_data", "project_name", "thread_id", "tags"}
    return {key: value for key, value in noted.items() if key not in handled}


def project() -> str:
    """Return the environment's project."""
    return os.environ.get("OPIK_PROJECT_NAME", "Default Project")


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
