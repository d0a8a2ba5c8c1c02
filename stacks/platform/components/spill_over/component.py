"""What the rest of the code has to know of what looks after models with several pools."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, https_out
from stacks.platform.common.namespaces import Layer, NamespaceRules, no_external_services
from stacks.platform.common.traffic import DNS, Peer, WayOut, allow_https_out
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents

from .release import RELEASE

JOB_PODS = {"app.kubernetes.io/name": RELEASE}
MOST_PODS = 50


def _namespaces(_: EnabledComponents) -> Iterator[NamespaceRules]:
    yield NamespaceRules(
        name=RELEASE,
        layer=Layer.ENGINES,
        quota=no_external_services() | {"pods": f"{MOST_PODS}"},
        traffic=(DNS, allow_https_out("allow-kubernetes-api", JOB_PODS, WayOut.KUBERNETES_API)),
    )


def _connections(_: EnabledComponents) -> Iterator[Connection]:
    job = Peer(namespace=RELEASE, pods=JOB_PODS)
    yield from https_out(job, "Kubernetes API: nodes, pods of the engines, place holders", WayOut.KUBERNETES_API)


COMPONENT = Component(
    package=__package__,
    position=55,
    needs=("serving",),
    page="reference/serving.md",
    summary="what moves models back to their first pool, and holds them there once a budget is spent",
    enabled=lambda settings: any(model.later_pools for model in settings.models),
    charts=(RELEASE,),
    namespaces=_namespaces,
    connections=_connections,
)
