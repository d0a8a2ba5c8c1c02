"""Registers the keys by which parts of the platform call the gateway, and what each person may spend.

Arguments: aliases, each with its key in the file of that name in $KEYS; keys that they had before are dropped. Safe to
repeat. Environment: GATEWAY (address), LITELLM_MASTER_KEY, KEYS (folder), PERSON_LIMITS (JSON of a budget of LiteLLM's,
left out for none), KEY_MODELS (JSON, alias to the models that its key may use; every one where it is not named).
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ATTEMPTS = 60
PAUSE_S = 5


class RefusedError(Exception):
    """The gateway answered with an error."""

    def __init__(self, status: int, path: str, text: str) -> None:
        super().__init__(f"{path} answers {status}: {text[:300]}")
        self.status = status


def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Return the gateway's answer to an administrator. Raises RefusedError, and OSError when there is none."""
    request = urllib.request.Request(  # noqa: S310 - http inside the cluster
        os.environ["GATEWAY"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {os.environ['LITELLM_MASTER_KEY']}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        # The path without its query, which may hold a key.
        raise RefusedError(error.code, path.partition("?")[0], error.read().decode(errors="replace")) from None


def wait_until_ready() -> None:
    """Return once the gateway and its database answer. Raises OSError or RefusedError after the last attempt."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            call("GET", "/health/readiness")
        except (OSError, RefusedError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def registered(alias: str, key: str) -> dict[str, Any] | None:
    """Return what the gateway knows of this key by this alias; None where it does not know it."""
    try:
        known: dict[str, Any] = call("GET", f"/key/info?{urllib.parse.urlencode({'key': key})}")["info"]
    except RefusedError as error:
        if error.status in (400, 404):
            return None
        raise
    return known if known.get("key_alias") == alias else None


def register(alias: str, key: str, models: list[str]) -> str:
    """Make `key` the only one of this alias, for these models, and return what was done."""
    if known := registered(alias, key):
        if sorted(known.get("models") or []) == sorted(models):
            return "is registered"
        call("POST", "/key/update", {"key": key, "models": models})
        return "is registered for other models"
    listed = call("GET", f"/key/list?{urllib.parse.urlencode({'key_alias': alias, 'return_full_object': 'true'})}")
    if listed.get("keys"):
        call("POST", "/key/delete", {"key_aliases": [alias]})
    # Of this type it may use models, and none of the administration.
    call("POST", "/key/generate", {"key": key, "key_alias": alias, "key_type": "llm_api", "models": models})
    return "is registered anew" if listed.get("keys") else "is registered now"


def limit_people(limits: dict[str, Any]) -> None:
    """Write the budget that the configuration names for everybody."""
    known = {budget["budget_id"] for budget in call("GET", "/budget/list")}
    call("POST", "/budget/update" if limits["budget_id"] in known else "/budget/new", limits)


def main() -> None:
    """Register every alias that the command line names, and limit people where they shall be limited."""
    wait_until_ready()
    if limits := json.loads(os.environ.get("PERSON_LIMITS") or "null"):
        limit_people(limits)
    models: dict[str, list[str]] = json.loads(os.environ.get("KEY_MODELS") or "{}")
    for alias in sys.argv[1:]:
        key = (Path(os.environ["KEYS"]) / alias).read_text("utf-8").strip()
        print(f"{alias} {register(alias, key, models.get(alias, []))}")


if __name__ == "__main__":
    main()
