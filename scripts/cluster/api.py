"""The Kubernetes API of one environment's cluster: what commands ask it, whatever the way to it (`client`, `reach`).

Objects are taken as the JSON that the API sends: making the client's models of five hundred pods takes longer than
asking for them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3

from scripts.core.errors import ExitCode, OperatorError

Object = dict[str, Any]

PREFIXES = {
    **dict.fromkeys(("pods", "nodes", "events", "persistentvolumeclaims", "secrets"), "/api/v1"),
    **dict.fromkeys(("deployments", "statefulsets", "daemonsets"), "/apis/apps/v1"),
    "jobs": "/apis/batch/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "scaledobjects": "/apis/keda.sh/v1alpha1",
    "certificates": "/apis/cert-manager.io/v1",
}
"""Kinds that commands read, by their plural, to the part of the path before the namespace."""

TIMEOUT_S = 60.0
FOLLOW_TIMEOUT_S = 3600.0
"""Silence after which a stream counts as broken and is asked for again."""
_MERGE = "application/merge-patch+json"


class ClusterError(OperatorError):
    """The API refused a request or was not reached; `status` is the HTTP status, 0 without an answer."""

    def __init__(self, message: str, fix: str = "", code: ExitCode = ExitCode.FAILED, *, status: int = 0) -> None:
        super().__init__(message, fix, code)
        self.status = status


class Requests(Protocol):
    """Sends requests to the API server, whatever the way."""

    @property
    def page(self) -> int:
        """Objects in one answer; the API hands longer lists over in pages."""

    def send(
        self,
        method: str,
        where: str,
        *,
        body: Mapping[str, Any] | None,
        content_type: str,
        limits: tuple[float, float],
    ) -> urllib3.BaseHTTPResponse:
        """Return the answer, whatever its status; `where` is path and query, `limits` seconds to connect and to read.

        Raises OperatorError, urllib3's HTTPError or OSError without one.
        """


@dataclass(frozen=True)
class ClusterApi:
    """Requests to the API server; safe to use from threads."""

    requests: Requests
    timeout_s: float = TIMEOUT_S
    """For one answer; streams may be silent for longer."""

    def items(self, plural: str, namespace: str = "", *, selector: str = "", fields: str = "") -> list[Object]:
        """Return all objects of a kind, in one namespace or in all of them. Raises ClusterError."""
        found: list[Object] = []
        more = ""
        while True:
            asked = {"limit": self.requests.page, "labelSelector": selector, "fieldSelector": fields, "continue": more}
            answer = self._json("GET", path(plural, namespace), asked)
            found += answer.get("items") or []
            more = str((answer.get("metadata") or {}).get("continue") or "")
            if not more:
                return found

    def known_items(self, plural: str, namespace: str = "") -> list[Object]:
        """Return the same; none where the cluster does not know the kind, as before its operator is installed."""
        try:
            return self.items(plural, namespace)
        except ClusterError as error:
            if error.status != 404:
                raise
            return []

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """Return one object. Raises ClusterError, with status 404 where there is none."""
        return self._json("GET", f"{path(plural, namespace)}/{name}")

    def patch(self, plural: str, namespace: str, name: str, change: Mapping[str, Any]) -> Object:
        """Merge `change` into an object; None removes a key. Raises ClusterError."""
        return self._json("PATCH", f"{path(plural, namespace)}/{name}", body=change, content_type=_MERGE)

    def evict(self, namespace: str, pod: str) -> None:
        """Let a pod go as a disruption budget allows. Raises ClusterError, with status 429 where it does not."""
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        self._json("POST", f"{path('pods', namespace)}/{pod}/eviction", body=eviction)

    def watch(self, plural: str, namespace: str) -> Iterator[tuple[str, Object]]:
        """Yield what is there as ADDED, then every change, until the server ends the watch. Raises ClusterError."""
        answer = self._send("GET", path(plural, namespace), {"watch": "true"}, timeout_s=FOLLOW_TIMEOUT_S)
        with answer:
            for line in lines_of(answer):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]

    def log(self, namespace: str, pod: str, container: str, **asked: Any) -> urllib3.BaseHTTPResponse:
        """Return the log of a container as a stream of bytes, to be closed; `asked` as the API names it.

        https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
        Raises ClusterError, with status 400 while the container has not started.
        """
        query = {"container": container, "timestamps": "true", **asked}
        return self._send("GET", f"{path('pods', namespace)}/{pod}/log", query, timeout_s=FOLLOW_TIMEOUT_S)

    def _json(
        self,
        method: str,
        where: str,
        query: Mapping[str, Any] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        with self._send(method, where, query, body=body, content_type=content_type) as answer:
            try:
                found: Object = json.loads(answer.data)
            except (ValueError, urllib3.exceptions.HTTPError):
                raise ClusterError(f"the cluster's answer to {method} {where} cannot be read", _NETWORK) from None
        return found

    def _send(
        self,
        method: str,
        where: str,
        query: Mapping[str, Any] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout_s: float = 0,
    ) -> urllib3.BaseHTTPResponse:
        asked = urlencode({key: value for key, value in (query or {}).items() if value not in ("", None)})
        limits = (self.timeout_s, timeout_s or self.timeout_s)
        try:
            answer = self.requests.send(
                method, f"{where}{f'?{asked}' if asked else ''}", body=body, content_type=content_type, limits=limits
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterError(f"the cluster does not answer: {_cause(error)}", _NETWORK, ExitCode.NOT_READY) from None
        if answer.status >= 400:
            raise _refused(answer, f"{method} {where}")
        return answer


_NETWORK = "check the network and VPN, and whether the cluster is stopped (off-hours)"


def path(plural: str, namespace: str = "") -> str:
    """Return the path of a kind's objects, in a namespace or in all of them."""
    return f"{PREFIXES[plural]}{f'/namespaces/{namespace}' if namespace else ''}/{plural}"


def batches_of(answer: urllib3.BaseHTTPResponse) -> Iterator[list[bytes]]:
    """Yield the lines of a stream without their ends, as many at once as have arrived.

    Raises ClusterError where it breaks off.
    """
    rest = b""
    try:
        for chunk in answer.stream(65536):
            *whole, rest = (rest + chunk).split(b"\n")
            if whole:
                yield whole
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ClusterError(f"the stream broke off: {_cause(error)}", _NETWORK) from None
    if rest:
        yield [rest]


def lines_of(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the same one by one. Raises ClusterError where it breaks off."""
    for batch in batches_of(answer):
        yield from batch


def _refused(answer: urllib3.BaseHTTPResponse, where: str) -> ClusterError:
    with answer:
        try:
            said = str(json.loads(answer.data).get("message", ""))
        except (ValueError, AttributeError, urllib3.exceptions.HTTPError):
            said = ""
    status = answer.status
    message = f"the cluster answers {status} to {where}{f': {said}' if said else ''}"
    if status == 401:
        return ClusterError(message, "log in with `az login`", ExitCode.NOT_READY, status=status)
    if status == 403:
        return ClusterError(message, "docs/reference/permissions.md lists the roles of operators", status=status)
    return ClusterError(message, status=status)


def _cause(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).rpartition("): ")[2] or type(error).__name__
