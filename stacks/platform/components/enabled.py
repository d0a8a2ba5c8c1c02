"""The components that an environment's settings call for, and every list that is made of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stacks.common.hosts import Host
from stacks.common.routes import HostRoutes
from stacks.platform.common.accounts import WorkloadAccount
from stacks.platform.common.catalogue import Image
from stacks.platform.common.catalogue import images as pinned_images
from stacks.platform.common.connections import Connection, metrics, name_lookups
from stacks.platform.common.databases import Database
from stacks.platform.common.egress import ROOTS_LABEL, by_proxy, connections_by_proxy
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.host_calls import calls_hosts
from stacks.platform.common.images import deployed_images
from stacks.platform.common.namespaces import Layer, NamespaceRules
from stacks.platform.common.scraping import Target
from stacks.platform.common.traffic import Peer, allow_from
from stacks.settings import Settings
from stacks.settings.secrets.names import GeneratedSecret

from .base import Component, GatewayCaller, Health, TraceReceiver
from .registry import by_need, components


def enabled_components(settings: Settings, *, extra_paths: Sequence[Path] = ()) -> "EnabledComponents":
    """Return the components that are on: those that the settings call for, and those that one of these needs.

    `extra_paths` are folders with further components.
    """
    known = components(extra_paths)
    wanted = [component for component in known if component.serves is None and component.enabled(settings)]
    return EnabledComponents(
        settings=settings,
        components=tuple(
            component
            for component in known
            if component in wanted or (component.serves is not None and any(map(component.serves, wanted)))
        ),
        known=known,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnabledComponents:
    """Components of one environment in the order of lists, and what they declare together."""

    settings: Settings
    components: tuple[Component, ...]
    """Those that are on."""
    known: tuple[Component, ...]
    """Every component, also those that are off."""

    def __iter__(self) -> Iterator[Component]:
        """Iterate over the components that are on."""
        return iter(self.components)

    def __contains__(self, name: object) -> bool:
        """Whether the component of this name is on."""
        return any(component.name == name for component in self.components)

    def in_order_of_need(self) -> Iterator[Component]:
        """Return the components, each after those that it needs."""
        return by_need(self.components)

    def namespaces(self) -> tuple[NamespaceRules, ...]:
        """Return every namespace, controllers first."""
        return tuple(sorted(self._namespaces(self.components), key=lambda rules: rules.layer))

    def namespaces_beside(self, name: str) -> tuple[NamespaceRules, ...]:
        """Return the namespaces of all other components than `name`, applications first."""
        others = self._namespaces(component for component in self.components if component.name != name)
        return applications_first(others)

    def _namespaces(self, selected: Iterable[Component]) -> list[NamespaceRules]:
        network = self.settings.network
        found = (self._with_health(rules) for component in selected for rules in component.namespaces(self))
        return [
            replace(rules, traffic=by_proxy(rules.traffic, network), labels={**rules.labels, **self._roots(rules)})
            for rules in found
        ]

    def _roots(self, rules: NamespaceRules) -> dict[str, str]:
        """Return the label by which trust-manager gives the roots to a namespace whose pods call hosts."""
        given = self.settings.bundles_roots and calls_hosts(rules.traffic)
        return {ROOTS_LABEL: "true"} if given else {}

    def _with_health(self, rules: NamespaceRules) -> NamespaceRules:
        """Let those in who ask for the health of a namespace's pods."""
        readers = tuple(component.health_reader for component in self.components if component.health_reader)
        asked = tuple(
            allow_from("allow-health", health.pods.pods, readers, health.port)
            for health in self.health()
            if readers and health.pods.namespace == rules.name
        )
        return replace(rules, traffic=(*rules.traffic, *asked)) if asked else rules

    def connections(self) -> tuple[Connection, ...]:
        """Return everything that the network has to let through, and what it may let through besides."""
        return (
            *connections_by_proxy(
                (connection for component in self.components for connection in component.connections(self)),
                self.settings.network,
            ),
            *metrics(self.settings.monitoring, self.targets()),
            *name_lookups(self.namespaces()),
        )

    def external_secrets(self, *, database_host: str = "") -> tuple[ExternalSecret, ...]:
        """Return what is copied out of the vault; `database_host` is the PostgreSQL server."""
        return tuple(
            secret
            for component in self.components
            for secret in component.external_secrets(self, database_host=database_host)
        )

    def user_secrets(self) -> tuple[str, ...]:
        """Return the names in the vault of secrets that people write there: declared ones, and those of the file."""
        declared = [name for component in self.components for name in component.user_secrets]
        delivered = [name for secret in self.external_secrets() for name in secret.keys.values()]
        own = (name for name in delivered if not isinstance(name, GeneratedSecret))
        return tuple(dict.fromkeys([*declared, *own]))

    def images(self, pinned: Mapping[str, Image] | None = None) -> dict[str, Image]:
        """Return the images that are deployed, upstream, at the versions that the environment has chosen.

        By `<chart>/<image>`; `pinned` stands for what `helm/images.yaml` pins. An image of a chart that no component
        names is among them.
        """
        known = {chart for component in self.known for chart in component.charts}
        unused = known - self.charts()
        left_out = {name for component in self.components for name in component.unused_images(self.settings)}
        chosen = self.at_chosen_versions(pinned).items()
        used = {name: image for name, image in chosen if name.partition("/")[0] not in unused and name not in left_out}
        return used | self._own_images()

    def charts(self) -> set[str]:
        """Return the releases of `helm/charts.yaml` that are deployed."""
        return {chart for component in self.components for chart in _used_charts(component, self.settings)}

    def at_chosen_versions(self, pinned: Mapping[str, Image] | None = None) -> Mapping[str, Image]:
        """Return all pinned images, also of components that are off, at the environment's versions."""
        chosen: Mapping[str, Image] = pinned_images() if pinned is None else pinned
        for component in self.known:
            chosen = component.image_versions(chosen, self.settings)
        return chosen

    def deployed_images(self) -> Mapping[str, Image]:
        """Return every image as it is deployed: from the environment's registry by digest once it stands there.

        Raises LockError when the lock file is damaged.
        """
        return deployed_images(
            self.settings.name, self.settings.azure_names, {**self.at_chosen_versions(), **self._own_images()}
        )

    def _own_images(self) -> dict[str, Image]:
        return {name: image for component in self.components for name, image in component.images.items()}

    def login_accounts(self) -> dict[str, WorkloadAccount]:
        """Return accounts that prove themselves to Entra as the Entra application, by the name of their credential."""
        return {account.name: account for component in self.components for account in component.login_accounts}

    def hosts(self) -> tuple[Host, ...]:
        """Return the host names that the ingress answers for."""
        return tuple(host for component in self.components for host in component.hosts)

    def known_hosts(self) -> tuple[Host, ...]:
        """Return the hosts of every component, also of those that are off."""
        return tuple(host for component in self.known for host in component.hosts)

    def host_names(self) -> list[str]:
        """Return the host names in full."""
        return [host.name(self.settings.domain) for host in self.hosts()]

    def routes(self) -> dict[str, HostRoutes]:
        """Return what each host answers, by its name in full."""
        return {host.name(self.settings.domain): host.routes for host in self.hosts()}

    def redirect_uris(self) -> list[str]:
        """Return where Entra may return logins to, sorted."""
        domain = self.settings.domain
        return sorted(host.redirect_uri(domain) for host in self.hosts() if host.callback_path is not None)

    def health(self) -> tuple[Health, ...]:
        """Return where the hosts' pods say that they answer."""
        return tuple(component.health for component in self.components if component.health)

    def databases(self) -> tuple[Database, ...]:
        """Return the applications' databases."""
        return tuple(database for component in self.components for database in component.databases)

    def engine_callers(self) -> tuple[Peer, ...]:
        """Return who may call the engines themselves."""
        return tuple(component.engine_caller for component in self.components if component.engine_caller)

    def gateway_callers(self) -> tuple[GatewayCaller, ...]:
        """Return who calls models through the LLM gateway."""
        return tuple(component.gateway_caller for component in self.components if component.gateway_caller)

    def trace_receiver(self) -> TraceReceiver | None:
        """Return where the LLM gateway sends traces; None where nothing takes any."""
        return next((component.trace_receiver for component in self.components if component.trace_receiver), None)

    def targets(self) -> tuple[Target, ...]:
        """Return the pods that metrics are collected from."""
        return tuple(target for component in self.components for target in component.targets(self.settings))


def applications_first(namespaces: Iterable[NamespaceRules]) -> tuple[NamespaceRules, ...]:
    """Return namespaces by layer, but the controllers' last."""
    return tuple(sorted(namespaces, key=lambda rules: (rules.layer is Layer.CONTROLLERS, rules.layer)))


def _used_charts(component: Component, settings: Settings) -> set[str]:
    return set(component.charts) - set(component.unused_charts(settings))
