"""A key of the LLM gateway is replaced by a new one with its name, its limits and what it has spent.

By the interface for updating and making keys: LiteLLM's own for this, `/key/regenerate`, needs its enterprise licence
(litellm/proxy/management_endpoints/key_management_endpoints.py, 1.101).
"""

from datetime import datetime
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

from .api import GatewayApi

KEPT = (
    "team_id",
    "user_id",
    "models",
    "aliases",
    "config",
    "permissions",
    "metadata",
    "max_parallel_requests",
    "tpm_limit",
    "rpm_limit",
    "max_budget",
    "budget_duration",
    "allowed_cache_controls",
    "allowed_routes",
    "spend",
)
"""What the new key takes over from the old one."""


def rotate(api: GatewayApi, alias: str, *, grace: str | None, now: datetime) -> tuple[str, str]:
    """Return the new key and the alias of the old one, which works for `grace` longer, such as `24h`.

    Without `grace` the old key is worthless at once and its alias is empty. Raises OperatorError; the old key then
    still works under its own name.
    """
    old = api.key_of(alias)
    if old.get("blocked"):
        raise OperatorError(f"{alias} is blocked", "create a key of another name", ExitCode.REFUSED)
    aside = f"{alias}-until-rotated-{now:%Y%m%d%H%M%S}"
    api.call("POST", "/key/update", {"key": old["token"], "key_alias": aside})
    try:
        new = str(api.call("POST", "/key/generate", _like(old, alias, now))["key"])
    except OperatorError:
        api.call("POST", "/key/update", {"key": old["token"], "key_alias": alias})
        raise
    if grace:
        api.call("POST", "/key/update", {"key": old["token"], "duration": grace})
        return new, aside
    api.revoke_key(aside)
    return new, ""


def _like(old: dict[str, Any], alias: str, now: datetime) -> dict[str, Any]:
    kept = {name: old[name] for name in KEPT if old.get(name) not in (None, [], {}, "")}
    left = _seconds_left(old, now)
    return {"key_alias": alias, **kept, **({"duration": f"{left}s"} if left is not None else {})}


def _seconds_left(old: dict[str, Any], now: datetime) -> int | None:
    if not old.get("expires"):
        return None
    left = int((datetime.fromisoformat(str(old["expires"]).replace("Z", "+00:00")) - now).total_seconds())
    if left <= 0:
        raise OperatorError(
            f"{old.get('key_alias')} has expired", "create a key of another name, or revoke it first", ExitCode.REFUSED
        )
    return left
