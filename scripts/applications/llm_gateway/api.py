"""LiteLLM's administration, asked through a forwarded port with the master key, which never leaves this process.

Interface: https://docs.litellm.ai/docs/proxy/virtual_keys and /team_budgets (1.101).
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.llm_gateway.address import NAMESPACE, PORT, SERVICE
from stacks.platform.components.llm_gateway.secrets import SECRET

MASTER_KEY = "LITELLM_MASTER_KEY"


@dataclass(frozen=True)
class GatewayApi:
    """The administration of one environment's gateway."""

    base: str
    key: str

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return what the gateway answers. Raises OperatorError."""
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            if body is None and method == "GET":
                answer = web.get(f"{self.base}{path}", headers=headers, timeout_s=30)
            else:
                answer = web.send_json(f"{self.base}{path}", body, method=method, headers=headers, timeout_s=30)
        except web.NoAnswerError as error:
            raise OperatorError(f"the gateway gives no answer: {error}") from None
        if answer.status >= 400:
            raise GatewayRefusedError(answer.status, path.partition("?")[0], message_of(answer.body))
        return json.loads(answer.body or b"null")

    def teams(self) -> list[dict[str, Any]]:
        """Return every team."""
        return list(self.call("GET", "/team/list"))

    def set_team(self, name: str, limits: Mapping[str, Any]) -> bool:
        """Make the team, or give it these limits; return whether it is new. A team's id is its name."""
        known = any(team["team_id"] == name for team in self.teams())
        self.call("POST", "/team/update" if known else "/team/new", {"team_id": name, "team_alias": name, **limits})
        return not known

    def keys(self, team: str | None = None) -> list[dict[str, Any]]:
        """Return every key, or those of a team; never a key's value, which the gateway does not know."""
        asked = {"return_full_object": "true", "size": "100"} | ({"team_id": team} if team else {})
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self.call("GET", f"/key/list?{urlencode(asked | {'page': str(page)})}")
            found += answer["keys"]
            if page >= int(answer.get("total_pages") or 1):
                return found
            page += 1

    def create_key(self, alias: str, team: str, expires: str | None) -> str:
        """Return a new key of a team, good for models alone."""
        if not any(known["team_id"] == team for known in self.teams()):
            raise OperatorError(f"no such team: {team}", f"llmctl gateway team {team} makes it", ExitCode.USAGE)
        desired = {"key_alias": alias, "team_id": team, "key_type": "llm_api", "duration": expires}
        return str(self.call("POST", "/key/generate", desired)["key"])

    def revoke_key(self, alias: str) -> None:
        """Make a key worthless."""
        self.call("POST", "/key/delete", {"key_aliases": [alias]})

    def key_of(self, alias: str) -> dict[str, Any]:
        """Return one key as the gateway keeps it. Raises OperatorError when there is none of that name."""
        found = next((key for key in self.keys() if key.get("key_alias") == alias), None)
        if found is None:
            raise OperatorError(f"no such key: {alias}", "llmctl gateway keys lists them", ExitCode.USAGE)
        return found

    def set_key(self, alias: str, limits: Mapping[str, Any]) -> None:
        """Give a key these limits."""
        self.call("POST", "/key/update", {"key": self.key_of(alias)["token"], **limits})

    def remove_team(self, name: str) -> None:
        """Remove a team with its keys."""
        self.call("POST", "/team/delete", {"team_ids": [name]})


class GatewayRefusedError(OperatorError):
    """The gateway answered with an error."""

    def __init__(self, status: int, path: str, message: str) -> None:
        super().__init__(f"the gateway answers {status} to {path}: {message}")
        self.status = status


def secret_values(kubectl: Kubectl, *names: str) -> list[str]:
    """Return values of the gateway's Secret. Raises OperatorError when one is missing."""
    data = kubectl.json("get", "secret", SECRET, "-n", NAMESPACE).get("data", {})
    if missing := [name for name in names if name not in data]:
        raise OperatorError(f"Secret {SECRET} in {NAMESPACE} has no {', '.join(missing)}", "look at its ExternalSecret")
    return [base64.b64decode(data[name]).decode() for name in names]


@contextmanager
def gateway_api(kubectl: Kubectl) -> Iterator[GatewayApi]:
    """Within, the gateway's administration can be called. Raises OperatorError."""
    (key,) = secret_values(kubectl, MASTER_KEY)
    with kubectl.forwarded(NAMESPACE, SERVICE, PORT) as base:
        yield GatewayApi(base, key)


def message_of(body: bytes) -> str:
    """Return the message of an error, cut to 300 characters."""
    try:
        found = json.loads(body)
        return str(found["error"]["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:300]
