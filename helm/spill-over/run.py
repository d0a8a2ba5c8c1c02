"""One run of what looks after models with several pools: reads the cluster, does what `decide.py` says, notes it.

Environment: PLAN, a file; NAMESPACE of this job, its notes and the place holders; ENGINES, the engines' namespace.
Where it does not run in a pod: API, the address, and ACCOUNT, the folder with `token` and `ca.crt`.
"""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from decide import decide

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
NOTES = "spill-over"
TIMEOUT_S = 30
GONE = 404
DISRUPTED = 429


class Api:
    """The few requests that are needed of the Kubernetes API."""

    def __init__(self, url, account):
        self._url = url
        self._account = Path(account)

    def ask(self, path, method="GET", body=None, kind="application/json"):
        """Return the answer. Raises `urllib.error.HTTPError`."""
        token = (self._account / "token").read_text("utf-8").strip()
        request = urllib.request.Request(  # noqa: S310 - https alone, and so is what is sent
            f"{self._url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": kind},
        )
        trust = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=trust) as answer:  # noqa: S310
            return json.load(answer)

    def merge(self, path, body):
        """Change what `body` names."""
        return self.ask(path, "PATCH", body, "application/merge-patch+json")


def run(api, plan, now, namespace, engines):
    """Do what is to be done at `now`, print it, and return the state that was noted."""
    notes = f"/api/v1/namespaces/{namespace}/configmaps/{NOTES}"
    before = json.loads((api.ask(notes).get("data") or {}).get("state") or "{}")
    nodes = api.ask("/api/v1/nodes")["items"]
    pods = api.ask(f"/api/v1/namespaces/{engines}/pods")["items"]
    deployments = api.ask(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]
    holders = {item["metadata"]["name"]: item for item in deployments}
    state, evicted, replicas = decide(plan, now, before, nodes=nodes, pods=pods, holders=holders)
    # First: the admission policy reads `closed`, and what is evicted comes again under it.
    api.merge(notes, {"data": {"state": json.dumps(state, sort_keys=True), "closed": state["closed"]}})
    for name, count in replicas.items():
        api.merge(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", {"spec": {"replicas": count}})
        print(f"{name}: {'asks for a node of its first pool' if count else 'asks no longer'}")
    for pod in evicted:
        _evict(api, engines, pod["metadata"]["name"])
    hours = f"{state['seconds'] / 3600:.1f} node hours on later pools in {state['month']}"
    print(hours + (f" of {plan['hours']}" if plan["hours"] is not None else ""))
    return state


def _evict(api, namespace, name):
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    try:
        api.ask(f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", "POST", eviction)
        print(f"{name}: evicted, its answers end first")
    except urllib.error.HTTPError as error:
        if error.code not in (GONE, DISRUPTED):
            raise
        print(f"{name}: not evicted now: {error.code}")


def _address(settings):
    return f"https://{settings['KUBERNETES_SERVICE_HOST']}:{settings['KUBERNETES_SERVICE_PORT_HTTPS']}"


def main():
    """Run once."""
    settings = os.environ
    api = Api(settings.get("API") or _address(settings), settings.get("ACCOUNT", ACCOUNT))
    plan = json.loads(Path(settings["PLAN"]).read_text("utf-8"))
    run(api, plan, datetime.now(UTC), settings["NAMESPACE"], settings["ENGINES"])


if __name__ == "__main__":
    sys.exit(main())
