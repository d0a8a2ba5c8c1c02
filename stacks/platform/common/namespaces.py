"""Namespaces and what bounds the pods in them: Pod Security level, quota, defaults and allowed traffic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from stacks.settings import Settings

from .ingress_mode import ingress_peer
from .traffic import CHALLENGE, DNS, TrafficRule, allow_from


class PodSecurity(StrEnum):
    """Levels of https://kubernetes.io/docs/concepts/security/pod-security-standards/."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


class Layer(IntEnum):
    """Where a namespace stands in lists of all of them."""

    CONTROLLERS = 1
    PREPARATION = 2
    """Jobs that get secrets to prepare something for the applications."""
    APPLICATIONS = 3
    ENGINES = 4
    """What applications call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceRules:
    """One namespace and everything that bounds what runs in it."""

    name: str
    layer: Layer
    enforced: PodSecurity = PodSecurity.RESTRICTED
    """Pods below this level are refused."""
    reported: PodSecurity = PodSecurity.RESTRICTED
    """Pods below this level are let in with a warning and an audit entry."""
    quota: Mapping[str, str]
    container_defaults: Mapping[str, str] = field(default_factory=lambda: {"memory": "128Mi"})
    """Limits of a container that states none."""
    container_requests: Mapping[str, str] = field(default_factory=lambda: {"cpu": "10m", "memory": "32Mi"})
    """Requests of a container that states none."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of its own, beside those of Pod Security."""
    traffic: tuple[TrafficRule, ...]
    """What its pods may send and receive; everything else is denied."""


def controller_namespace(name: str, traffic: Iterable[TrafficRule], layer: Layer = Layer.CONTROLLERS) -> NamespaceRules:
    """Bounds of a namespace with a few small pods, which need nothing that Pod Security could refuse."""
    return NamespaceRules(
        name=name,
        layer=layer,
        quota=no_external_services()
        | {"pods": "20", "requests.cpu": "1", "requests.memory": "2Gi", "limits.memory": "8Gi"},
        traffic=tuple(traffic),
    )


def application_namespace(
    settings: Settings,
    name: str,
    traffic: Iterable[TrafficRule],
    *,
    enforced: PodSecurity = PodSecurity.BASELINE,
    layer: Layer = Layer.APPLICATIONS,
) -> NamespaceRules:
    """Bounds of an application's namespace; DNS and challenges of certificates are allowed beside `traffic`."""
    return NamespaceRules(
        name=name,
        layer=layer,
        enforced=enforced,
        quota=no_external_services(claims=20) | {"pods": "100"},
        container_defaults={"memory": "1Gi"},
        container_requests={"cpu": "50m", "memory": "128Mi"},
        traffic=(DNS, *challenge(settings), *traffic),
    )


def challenge(settings: Settings) -> tuple[TrafficRule, ...]:
    """Challenge pods of cert-manager, which appear beside the Ingress whose host they prove; none appear in private."""
    if settings.is_private:
        return ()
    solver = {"acme.cert-manager.io/http01-solver": "true"}
    return (allow_from(CHALLENGE, solver, (ingress_peer(settings.ingress, settings.network),), 8089),)


def no_external_services(claims: int = 0) -> dict[str, str]:
    """Quota that forbids LoadBalancer and NodePort Services, and allows `claims` PersistentVolumeClaims."""
    return {"services.loadbalancers": "0", "services.nodeports": "0", "persistentvolumeclaims": f"{claims}"}
