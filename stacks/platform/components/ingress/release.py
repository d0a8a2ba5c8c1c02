"""Chart values of F5 NGINX that only the stack knows."""

from collections.abc import Iterable, Mapping
from typing import Any

from stacks.common.routes import HostRoutes
from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_mode import INGRESS, WILDCARD_SECRET
from stacks.platform.common.timeouts import ingress as ingress_times
from stacks.settings import Settings

from .rights import ACCOUNT, certificate_namespaces, watched
from .snippets import snippets

AZURE = "service.beta.kubernetes.io/azure"


def nginx_ingress(
    settings: Settings,
    images: Mapping[str, Image],
    *,
    routes: Mapping[str, HostRoutes],
    address: Mapping[str, str],
    backends: Iterable[str],
) -> dict[str, Any]:
    """Values of F5 NGINX: replicas, times, routes, and annotations that give it its static `address`.

    It sends requests to the namespaces `backends`, and looks at no others.
    """
    backends = sorted(backends)
    hop = ingress_times(settings.serving)
    return {
        "controller": {
            "image": images["nginx-ingress/controller"].values(),
            "serviceAccount": {"name": ACCOUNT},
            "watchNamespace": ",".join(watched(backends)),
            "watchSecretNamespace": ",".join(certificate_namespaces(backends, is_private=settings.is_private)),
            **({"wildcardTLS": {"secret": f"{INGRESS}/{WILDCARD_SECRET}"}} if settings.is_private else {}),
            "replicaCount": settings.ingress.nginx_replicas,
            "config": {"entries": {"proxy-read-timeout": f"{hop.silence_seconds}s", **snippets(routes)}},
            "lifecycle": {"preStop": {"sleep": {"seconds": hop.pre_stop_seconds}}},
            "terminationGracePeriodSeconds": hop.grace_seconds,
            "service": {"annotations": dict(address)},
        }
    }


def public_address(name: str, resource_group: str) -> dict[str, str]:
    """Return what gives a Service the public address of this name."""
    return {f"{AZURE}-pip-name": name, f"{AZURE}-load-balancer-resource-group": resource_group}
