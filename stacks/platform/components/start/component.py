"""What the rest of the code has to know of the start page."""

from collections.abc import Iterator
from dataclasses import replace

from stacks.platform.common.egress import INTERNAL_ROOT_LABEL
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import NamespaceRules, PodSecurity, application_namespace
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings

from .login import external_secret
from .names import HOST, LOGIN, LOGIN_ACCOUNT, LOGIN_METRICS_PORT, LOGIN_PODS, NAMESPACE, PAGE, READER
from .traffic import connections, start_traffic


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    traffic = start_traffic(components)
    rules = application_namespace(components.settings, NAMESPACE, traffic, enforced=PodSecurity.RESTRICTED)
    yield replace(rules, labels={INTERNAL_ROOT_LABEL: "true"} if components.settings.has_internal_ca else {})


def _external_secrets(components: EnabledComponents, **_: str) -> Iterator[ExternalSecret]:
    yield external_secret(components.settings.secrets.versions)


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(name=LOGIN, namespace=NAMESPACE, labels=LOGIN_PODS, port="metrics", number=LOGIN_METRICS_PORT)


COMPONENT = Component(
    package=__package__,
    position=95,
    needs=("secrets", "certificates", "trust"),
    page="reference/start-page.md",
    summary="the start page, and the login before it",
    enabled=lambda settings: settings.has_start_page,
    charts=(PAGE, "oauth2-proxy"),
    namespaces=_namespaces,
    connections=connections,
    external_secrets=_external_secrets,
    login_accounts=(LOGIN_ACCOUNT,),
    hosts=(HOST,),
    health_reader=READER,
    targets=_targets,
    parts=lambda _: (
        Part(name="login", namespace=NAMESPACE, workload=f"deployment/{LOGIN}", container="oauth2-proxy"),
        Part(name="nginx", namespace=NAMESPACE, workload=f"deployment/{PAGE}", container="nginx", main=True),
    ),
)
