"""Whether Opik works: asked from inside the cluster, past the login."""

import json
from collections.abc import Mapping

from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.checks import Check
from scripts.core.errors import OperatorError
from scripts.core.http import Answer, NoAnswerError
from scripts.opik.cluster import FRONTEND, NAMESPACE, OpikCluster
from scripts.opik.versions import Version


def inside_checks(cluster: OpikCluster, version: Version | None) -> list[Check]:
    """Return how pods, page, backend and its stores are, and whether the server is the release that is deployed."""
    try:
        waiting = cluster.waiting_workloads()
    except OperatorError as error:
        return [Check("pods", error.message)]
    return [
        Check("pods", f"not ready: {', '.join(waiting)}" if waiting else ""),
        *_web_checks(cluster.kubectl, version),
    ]


def _web_checks(kubectl: Kubectl, version: Version | None) -> list[Check]:
    service, port = FRONTEND
    try:
        with kubectl.forwarded(NAMESPACE, service, port) as base:
            return [_page(base), *_stores(base), _version(base, version)]
    except OperatorError as error:
        return [Check("page", error.message)]


def _page(base: str) -> Check:
    answer = _get(f"{base}/")
    if isinstance(answer, str):
        return Check("page", answer)
    page = answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")
    return Check("page", "" if page else f"answers {answer.status} instead of a page")


def _stores(base: str) -> list[Check]:
    """Ask the backend for the health of all it depends on; it answers 503 when something critical is down."""
    answer = _get(f"{base}/api/health-check?name=all&type=ready")
    if isinstance(answer, str):
        return [Check("backend", answer)]
    checks = [Check("backend", "" if answer.status == 200 else f"answers {answer.status}")]
    try:
        entries = json.loads(answer.body)
    except ValueError:
        entries = None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, Mapping) for entry in entries):
        return checks if answer.status != 200 else [Check("backend", "answers with something else than its health")]
    for entry in entries:
        if entry.get("critical", True):
            checks.append(Check(f"backend: {entry.get('name', '?')}", "" if entry.get("healthy") else "is not healthy"))
    return checks


def _version(base: str, version: Version | None) -> Check:
    answer = _get(f"{base}/api/is-alive/ver")
    if isinstance(answer, str):
        return Check("version", answer)
    try:
        found = str(json.loads(answer.body)["version"])
    except (ValueError, KeyError, TypeError):
        return Check("version", f"cannot be read: the backend answers {answer.status}")
    wrong = version is not None and found != str(version)
    return Check(f"version {found}", f"the server is {found}, deployed is {version}" if wrong else "")


def _get(url: str) -> Answer | str:
    try:
        return web.get(url)
    except NoAnswerError as error:
        return str(error)
