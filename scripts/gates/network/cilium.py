"""Network policies evaluated by Cilium's own policy engine, which is what enforces them on AKS.

The program beside this module (`evaluator/main.go`) links the engine of the version in its `go.mod` and asks it about
every pair. Where Azure CNI powered by Cilium differs from Kubernetes' own wording, it decides as the agent on a node:

- **An `ipBlock` matches no pod and no node**, whatever its range: pods are known by their labels, nodes by the entities
  `host` and `remote-node`, and neither carries the label of a range.
  https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium (limitations), `resolveLabels` in
  https://github.com/cilium/cilium/blob/v1.18.4/pkg/ipcache/metadata.go
- **No selector matches a node**: only a rule without peers does, and it matches everything else as well.
- **The Kubernetes API of AKS is outside the cluster.** It is the entity `kube-apiserver`, and because it is no node it
  carries `world` and its address too, so that a range matches it (the same function: only host, remote-node, health and
  ingress count as inside). It calls webhooks through the tunnel's pods in `kube-system`, so that these are the callers:
  https://learn.microsoft.com/azure/aks/core-aks-concepts (konnectivity)
- **Pods on the host's network are their node**: no policy selects them, no selector of pods finds them.
- **A Service is translated to a pod before rules apply**: rules name pods and their ports, never a ClusterIP.
  The public address of the ingress counts as its pods when a pod calls it.
- **A pod's own node always gets in**, so that the kubelet's probes need no rule (`allow-localhost`).
- **Labels that name single pods are left out of identities** (`kubernetes.io` beside `app.kubernetes.io`,
  `statefulset.kubernetes.io/pod-name`, `pod-template-hash`, `controller-uid`): a rule that selects one selects none.
  https://github.com/cilium/cilium/blob/v1.18.4/pkg/labelsfilter/filter.go
- **A named port of an egress rule is looked up among all pods of the cluster**; a name with two numbers is dropped.
  https://github.com/cilium/cilium/blob/v1.18.4/pkg/types/portmap.go

Not part of it: AKS' node-local DNS, which answers on the node instead of the pods of `kube-dns` and is off here;
policies of other kinds (CiliumNetworkPolicy), of which the platform has none.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import user_cache

MODULE = Path(__file__).with_name("evaluator")
_SOURCES = ("go.mod", "go.sum", "main.go")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class OpenPort:
    """A port that a connection may be opened to."""

    number: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """An end of a connection that is no pod."""

    name: str
    address: str = ""
    entity: str = ""
    """`host`, `remote-node` or `kube-apiserver`; empty for any other address."""


Flows = Mapping[tuple[str, str], frozenset[OpenPort]]
"""Caller and receiver, pods as `namespace/name`, to the ports on which both ends let the connection through."""


def evaluate(
    *,
    namespaces: Sequence[Object],
    pods: Sequence[Object],
    policies: Sequence[Object],
    outside: Sequence[Outside],
    ports: Iterable[OpenPort],
) -> Flows:
    """Return every connection that the policies let through, on one of `ports`.

    `namespaces`, `pods` and `policies` are objects as the Kubernetes API takes them. Connections between two ends
    outside are left out, and those from a pod's own node are among them, since Cilium always lets them in. Raises
    OperatorError where the evaluator cannot be built or refuses an object.
    """
    given = {
        "namespaces": list(namespaces),
        "pods": list(pods),
        "policies": list(policies),
        "outside": [{"name": end.name, "address": end.address, "entity": end.entity} for end in outside],
        "ports": [{"number": port.number, "protocol": port.protocol} for port in sorted(set(ports))],
    }
    done = subprocess.run([str(program())], input=json.dumps(given), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise OperatorError(f"the network policies cannot be evaluated: {done.stderr.strip()}")
    return {
        (flow["from"], flow["to"]): frozenset(OpenPort(port["number"], port["protocol"]) for port in flow["ports"])
        for flow in json.loads(done.stdout)
    }


def program() -> Path:
    """Return the evaluator, built once per machine and version: some minutes, and 1 GB of Go's own caches.

    Raises OperatorError where Go is missing or the build fails.
    """
    built = where()
    if built.is_file():
        return built
    if shutil.which("go") is None:
        raise OperatorError(
            "Go is not on PATH, and the evaluator of network policies is not built yet",
            "install Go 1.26 or newer",
            ExitCode.NOT_READY,
        )
    built.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(built.with_name("build.lock")):
        if not built.is_file():
            _build(built)
    return built


def where() -> Path:
    """Return where the evaluator of this checkout is or will be, by what it is built from."""
    key = hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    return user_cache() / "tools" / f"network-policies-{key}" / "network-policies"


def _build(target: Path) -> None:
    unfinished = target.with_suffix(".new")
    environment = os.environ | {"GOWORK": "off"}
    command = ["go", "build", "-o", str(unfinished), "."]
    done = subprocess.run(command, cwd=MODULE, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OperatorError(
            f"the evaluator of network policies cannot be built: {reason}", "see the network, GOPROXY, the disk"
        )
    unfinished.rename(target)


if __name__ == "__main__":
    program()
