"""Asks Log Analytics who did what.

Interface: `POST /v1/WORKSPACE/query` of https://api.loganalytics.io, by `az rest`: the CLI's own command is an
extension, and wants another id of the workspace.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.core.azure import az
from scripts.core.errors import ExitCode, OperatorError

QUERIES = Path(__file__).with_name("queries.yaml")
API = "https://api.loganalytics.io"
MOST = 5000
"""Rows of one answer; the service's own limit is 500000."""
_SINCE = re.compile(r"([1-9]\d{0,3})([hd])")
_HOURS = {"h": 1, "d": 24}


@dataclass(frozen=True)
class Entry:
    """One thing that somebody did; the field names are keys of the JSON form."""

    time: str
    what: str
    """Which query found it."""
    who: str
    did: str
    """The action."""
    on: str
    """What was acted on."""
    came: str
    """Address it came from."""
    result: str


@cache
def queries() -> dict[str, str]:
    """Return the queries by what they show."""
    found: dict[str, str] = YAML(typ="safe").load(QUERIES.read_text("utf-8"))
    return found


def duration(text: str) -> timedelta:
    """Return a time such as `24h` or `7d`. Raises OperatorError."""
    if not (found := _SINCE.fullmatch(text)):
        raise OperatorError(f"{text!r} is no time such as 24h or 7d", code=ExitCode.USAGE)
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


@dataclass(frozen=True)
class AuditLog:
    """The logs of one environment."""

    workspace_id: str
    """Resource id of the Log Analytics workspace."""
    ask: Callable[..., Mapping[str, Any]] = az

    def entries(self, what: str, since: timedelta) -> list[Entry]:
        """Return what was done, oldest first. Raises AzureError, also for a table that nothing was written to yet."""
        query = f"{queries()[what]}| order by Time asc\n| take {MOST}"
        body = {"query": query, "timespan": f"PT{int(since.total_seconds()) // 3600}H"}
        url = f"{API}/v1{self.workspace_id}/query"
        answer = self.ask(
            "rest", "--method", "POST", "--resource", API, "--url", url, "--body", json.dumps(body)
        )  # fmt: skip
        table = answer["tables"][0]
        names = [column["name"].lower() for column in table["columns"]]
        rows = (dict(zip(names, row, strict=True)) for row in table["rows"])
        return [Entry(what=what, **{name: str(value or "") for name, value in row.items()}) for row in rows]
