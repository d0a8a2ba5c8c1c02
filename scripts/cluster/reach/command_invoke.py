"""The API through `az aks command invoke`: Azure starts a pod that runs one command and hands its output over.

https://learn.microsoft.com/azure/aks/access-private-cluster. The command has the caller's own rights, takes seconds,
reads no standard input and streams nothing; Azure keeps what it prints to half a mebibyte.
"""

import io
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3

from scripts.core.azure import az
from scripts.core.errors import ExitCode, OperatorError

NAME = "az aks command invoke"
_STATUSES = {
    "NotFound": 404,
    "Forbidden": 403,
    "Unauthorized": 401,
    "Conflict": 409,
    "AlreadyExists": 409,
    "TooManyRequests": 429,
    "BadRequest": 400,
    "Invalid": 422,
}
_REFUSED = re.compile(r"Error from server \((\w+)\)")
_FAILED = 500


def refused(what: str) -> OperatorError:
    """Return the error for what one short command cannot do."""
    return OperatorError(
        f"{what} does not go through {NAME}, which runs one short command and streams nothing",
        "from inside the network: LLMCTL_CLUSTER_ACCESS=direct; else LLMCTL_CLUSTER_ACCESS=jump-host"
        " (docs/how-to/private-access.md)",
        ExitCode.REFUSED,
    )


@dataclass(frozen=True)
class CommandInvoke:
    """Runs kubectl inside one cluster."""

    subscription: str
    resource_group: str
    cluster: str
    ask: Callable[..., dict[str, Any]] = az

    def kubectl(self, *arguments: str, given: str | None = None) -> tuple[int, str]:
        """Run kubectl and return its exit status with its output, errors included. Raises OperatorError.

        `given` is its standard input; it becomes a part of the command, so that it must hold no secret.
        """
        command = shlex.join(["kubectl", *arguments])
        if given is not None:
            command = f"printf %s {shlex.quote(given)} | {command}"
        answer = self.ask(
            "aks", "command", "invoke", "--subscription", self.subscription, "--resource-group", self.resource_group,
            "--name", self.cluster, "--command", command,
        )  # fmt: skip
        if answer.get("provisioningState") != "Succeeded" or answer.get("exitCode") is None:
            raise OperatorError(
                f"{NAME} could not run the command: {answer.get('reason') or answer.get('provisioningState')}",
                "its pod needs a node with room, and the image mcr.microsoft.com/aks/command/runtime",
                ExitCode.NOT_READY,
            )
        return int(answer["exitCode"]), str(answer.get("logs") or "")


@dataclass(frozen=True)
class Requests:
    """Requests to the API as `kubectl` makes them (`scripts.cluster.api.Requests`)."""

    invoke: CommandInvoke
    page: int = 50
    """Objects in one answer, which has to stay below half a mebibyte."""

    def send(
        self,
        method: str,
        where: str,
        *,
        body: Mapping[str, Any] | None,
        content_type: str,  # noqa: ARG002
        limits: tuple[float, float],  # noqa: ARG002
    ) -> urllib3.BaseHTTPResponse:
        """Send a request; a change is a merge patch, the only kind there is. Raises OperatorError for what streams."""
        query = parse_qs(urlsplit(where).query)
        if query.get("follow") == ["true"] or query.get("watch") == ["true"]:
            raise refused("a stream")
        status, said = self.invoke.kubectl(
            *_arguments(method, where, body), given=json.dumps(body) if method == "POST" else None
        )
        if status:
            found = _REFUSED.search(said)
            http = _STATUSES.get(found[1], _FAILED) if found else _FAILED
            last = (said.strip() or "no message").splitlines()[-1]
            return _answer(http, json.dumps({"message": last}).encode())
        return _answer(200, said.encode())


def _arguments(method: str, where: str, body: Mapping[str, Any] | None) -> Sequence[str]:
    if method == "GET":
        return ("get", "--raw", where)
    if method == "POST":
        return ("create", "--raw", where, "-f", "-")
    parts = urlsplit(where).path.strip("/").split("/")
    *prefix, _, namespace, plural, name = parts
    kind = plural if prefix[0] == "api" else f"{plural}.{prefix[2]}.{prefix[1]}"
    return ("patch", kind, name, "-n", namespace, "--type", "merge", "-p", json.dumps(body), "-o", "json")


def _answer(status: int, body: bytes) -> urllib3.BaseHTTPResponse:
    return urllib3.HTTPResponse(body=io.BytesIO(body), status=status, preload_content=False)
