"""What the rest of the code has to know of the Job that makes the databases."""

from collections.abc import Iterator

from stacks.platform.common.databases import allow_database, private_endpoints
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import Layer, NamespaceRules, controller_namespace
from stacks.platform.common.traffic import DNS, allow_https_out, allow_to
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents

from .connections import connections
from .jobs import ACCOUNT, NAMESPACE, PODS, external_secret


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    network = components.settings.network
    traffic = (
        DNS,
        allow_database(network, PODS),
        allow_to("allow-vault", PODS, (private_endpoints(network),), 443),
        allow_https_out("allow-entra", PODS),
    )
    yield controller_namespace(NAMESPACE, traffic, layer=Layer.PREPARATION)


def _external_secrets(components: EnabledComponents, **_: str) -> Iterator[ExternalSecret]:
    yield external_secret(components.databases(), components.settings.secrets.versions)


COMPONENT = Component(
    package=__package__,
    position=60,
    needs=("secrets",),
    page="reference/data.md",
    summary="the Job that makes the applications' databases and their owners",
    enabled=lambda _: True,
    serves=lambda component: bool(component.databases),
    charts=("databases",),
    namespaces=_namespaces,
    connections=connections,
    external_secrets=_external_secrets,
    accounts=(ACCOUNT,),
)
