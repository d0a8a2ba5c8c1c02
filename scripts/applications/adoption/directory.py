"""Logins of people, looked up in Entra by their e-mail addresses, which go by the connection and on no command line."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

from scripts.core import http as web
from scripts.core.azure import az
from scripts.core.errors import ExitCode, OperatorError

GRAPH = "https://graph.microsoft.com/v1.0"
BATCH = 20
"""Requests that Graph takes at once: https://learn.microsoft.com/graph/json-batching."""

Send = Callable[..., web.Answer]


def logins(emails: Sequence[str], send: Send = web.send_json) -> dict[str, str]:
    """Return the object id of each address's account; an address without one, or with several, is left out.

    An address is a name to log in with, or a mailbox. Raises OperatorError.
    """
    if not emails:
        return {}
    token = az("account", "get-access-token", "--resource-type", "ms-graph").get("accessToken", "")
    found: dict[str, str] = {}
    for start in range(0, len(emails), BATCH):
        part = emails[start : start + BATCH]
        requests = [{"id": str(number), "method": "GET", "url": _query(email)} for number, email in enumerate(part)]
        try:
            answer = send(f"{GRAPH}/$batch", {"requests": requests}, headers={"Authorization": f"Bearer {token}"})
        except web.NoAnswerError as error:
            raise OperatorError(f"Entra gives no answer: {error}", code=ExitCode.NOT_READY) from None
        if answer.status != 200:
            raise OperatorError(
                f"Entra answers {answer.status}", "log in with `az login` as a member of the tenant", ExitCode.NOT_READY
            )
        for number, body in _answers(json.loads(answer.body)):
            accounts = body.get("value") or []
            if len(accounts) == 1:
                found[part[number]] = str(accounts[0]["id"])
    return found


def _query(email: str) -> str:
    text = quote(email.replace("'", "''"), safe="")
    return f"/users?$filter=userPrincipalName%20eq%20'{text}'%20or%20mail%20eq%20'{text}'&$select=id"


def _answers(batch: Mapping[str, list[dict[str, object]]]) -> Iterator[tuple[int, dict[str, list[dict[str, str]]]]]:
    for one in batch["responses"]:
        if one["status"] != 200:
            raise OperatorError(f"Entra answers {one['status']} to a question for an account", "repeat it later")
        yield int(str(one["id"])), one["body"]  # type: ignore[misc]
