"""What F5 NGINX may do with the Kubernetes API: its chart's ClusterRole reads every Secret of the cluster.

What version 5.5 asks for: `newNamespacedInformer` in internal/k8s/controller.go and cmd/nginx-ingress/main.go of
https://github.com/nginx/kubernetes-ingress/tree/v5.5.4. Its informer lists all Secrets of a namespace where it needs
those of certificates, and RBAC cannot tell types of Secrets apart: it reads the Secrets of namespaces with an Ingress.
"""

from collections.abc import Iterable

from stacks.platform.common.ingress_mode import INGRESS
from stacks.platform.common.rights import READ, Rights, Rule, rule

ACCOUNT = "ingress-controller"
"""Not the name that the chart would choose, so that an upgrade makes it before the chart removes its own."""
CLASS = "nginx"
LEASE = "nginx-ingress-leader-election"
"""Made by the chart."""


def watched(backends: Iterable[str]) -> list[str]:
    """Return the namespaces that the controller looks at: its own, for its address, and those of `backends`."""
    return sorted({INGRESS, *backends})


def certificate_namespaces(backends: Iterable[str], *, is_private: bool) -> list[str]:
    """Return where the controller reads certificates: beside each Ingress, or its own one for all hosts."""
    return [INGRESS] if is_private else sorted(backends)


def controller_rights(backends: Iterable[str], *, wildcard: bool = False) -> Rights:
    """Return the rights of the controller, which sends requests to the namespaces `backends`.

    With `wildcard` it reads no Secret there, only its own.
    """
    routes: tuple[Rule, ...] = (
        rule("", ["services", "pods"], READ),
        rule("discovery.k8s.io", ["endpointslices"], READ),
        rule("networking.k8s.io", ["ingresses"], READ),
        rule("", ["events"], ["create", "patch", "list"]),
    )
    secrets = rule("", ["secrets"], READ)
    shown = rule("networking.k8s.io", ["ingresses/status"], ["update"])
    certificates: tuple[Rule, ...] = (shown,) if wildcard else (shown, secrets)
    own: tuple[Rule, ...] = (
        rule("", ["configmaps"], READ),
        # It writes its version to its own pod's labels.
        rule("", ["pods"], ["update"]),
        rule("apps", ["replicasets"], ["get"]),
        rule("coordination.k8s.io", ["leases"], ["get", "update"], names=[LEASE]),
        rule("coordination.k8s.io", ["leases"], ["create"]),
        *((secrets,) if wildcard else ()),
    )
    return Rights(
        namespace=INGRESS,
        name=ACCOUNT,
        create=True,
        cluster=(
            rule("networking.k8s.io", ["ingressclasses"], ["get"], names=[CLASS]),
            rule("", ["namespaces"], ["get"], names=watched(backends)),
        ),
        namespaces={INGRESS: routes + own, **dict.fromkeys(sorted(set(backends)), routes + certificates)},
    )
