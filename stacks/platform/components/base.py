"""The description of one component: everything that the rest of the code asks about it, in one place.

A component is a folder of `stacks/platform/components` whose `component.py` holds a `COMPONENT`, and whose
`resources.py` has `add`, which puts it into the stack. Everything else that names components is a loop over the
descriptions (`registry`, `enabled`). Descriptions are plain data and functions of the settings: reading them imports
neither cdktf nor a chart, so that commands that synthesize nothing may loop over them, too.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from stacks.common.hosts import Host
from stacks.platform.common.accounts import WorkloadAccount
from stacks.platform.common.catalogue import Image
from stacks.platform.common.connections import Connection
from stacks.platform.common.databases import Database
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import NamespaceRules
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target
from stacks.platform.common.traffic import Peer
from stacks.settings import Settings
from stacks.settings.secrets.names import GeneratedSecret

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from .context import Context
    from .enabled import EnabledComponents


class SecretsOf(Protocol):
    """Says which secrets of the vault a component gets."""

    def __call__(self, components: "EnabledComponents", *, database_host: str) -> Iterable[ExternalSecret]:
        """Return them; `database_host` is the PostgreSQL server, for templates that hold an address of a database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCaller:
    """Pods that call models through the LLM gateway, with a key of their own."""

    key_name: str
    """Alias of the key in the LLM gateway, and its key in the LLM gateway's Secret."""
    secret: GeneratedSecret
    pods: Peer
    private: bool = False
    """Whether what people write there is nobody else's business, so that traces leave it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceReceiver:
    """Where the LLM gateway sends its traces."""

    url: str
    pods: Peer
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Where the pods behind a host say that they answer, without a login and without anything else."""

    host: Host
    url: str
    """Address inside the cluster that answers 200."""
    pods: Peer
    port: int
    """Port of the pods that stand behind it."""


def _nothing(*_: object, **__: object) -> tuple[()]:
    return ()


def _as_pinned(images: Mapping[str, Image], _: Settings) -> Mapping[str, Image]:
    return images


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One thing that runs in the cluster, or that decides what may run there."""

    package: str
    """Package that holds it (`__package__`); its last part is the component's name."""
    position: int = 1000
    """Where it stands in lists. Lists reach Terraform, so another position is a change of what is deployed."""
    needs: tuple[str, ...] = ()
    """Components that are added before it where they are on, and whose modules it may import."""
    before_pods: bool = False
    """Whether what runs in the platform's namespaces has to come after it; then it needs no other component."""
    page: str
    """Page in `docs/` that tells of it."""
    summary: str
    """What it is, in half a sentence."""

    enabled: Callable[[Settings], bool]
    """Whether the settings call for it. Whoever else needs to know asks this, or `EnabledComponents`."""
    serves: "Callable[[Component], bool] | None" = None
    """For a component that is there for others: whether it is for this one. Without any such it is off."""

    charts: tuple[str, ...]
    """Names in `helm/` that it uses: folders, and keys of `charts.yaml` and `images.yaml`."""
    unused_charts: Callable[[Settings], Iterable[str]] = _nothing
    """Those of them that it leaves out under these settings."""
    unused_images: Callable[[Settings], Iterable[str]] = _nothing
    """Images of its charts, by `<chart>/<image>`, that it leaves out under these settings."""
    images: Mapping[str, Image] = field(default_factory=dict)
    """Images by `<chart>/<image>` that `helm/images.yaml` does not pin."""
    image_versions: Callable[[Mapping[str, Image], Settings], Mapping[str, Image]] = _as_pinned
    """Pinned images at the versions that the environment has chosen."""

    namespaces: "Callable[[EnabledComponents], Iterable[NamespaceRules]]" = _nothing
    """Namespaces of its own, with Pod Security, quota, defaults and traffic rules."""
    connections: "Callable[[EnabledComponents], Iterable[Connection]]" = _nothing
    """Who talks to whom and why, which its traffic rules have to let through; lookups of names and what metrics are
    collected from are known without."""
    external_secrets: SecretsOf = _nothing
    """What is copied out of the vault for it."""
    user_secrets: tuple[str, ...] = ()
    """Names in the vault of secrets that people write there, not Terraform."""

    accounts: tuple[WorkloadAccount, ...] = ()
    """Service accounts that act in Azure as a managed identity."""
    login_accounts: tuple[WorkloadAccount, ...] = ()
    """Service accounts that prove themselves to Entra as the Entra application."""
    hosts: tuple[Host, ...] = ()
    """Host names that it answers on, each with the path to which Entra returns a login."""
    health: Health | None = None
    """Set where people are shown whether it answers."""
    health_reader: Peer | None = None
    """Set where its pods ask for the health of all others, which then let them in."""

    databases: tuple[Database, ...] = ()
    """Its databases on the PostgreSQL server."""
    engine_caller: Peer | None = None
    """Set where its pods may call the engines themselves."""
    gateway_caller: GatewayCaller | None = None
    """Set where it calls models through the LLM gateway."""
    trace_receiver: TraceReceiver | None = None
    """Set where it takes traces."""

    targets: Callable[[Settings], Iterable[Target]] = _nothing
    """Pods that metrics are collected from."""
    parts: Callable[[Settings], Iterable[Part]] = _nothing
    """What runs of it, in the order in which it starts; it stops in reverse."""
    word: str = ""
    """How a command line names it, where that is not its own name."""
    stays: bool = False
    """Whether it goes on while the platform is stopped: others need it at each of their changes."""
    alerts: tuple[str, ...] = ()
    """Files of `helm/monitors/rules`, without their ending."""
    dashboards: tuple[str, ...] = ()
    """Files of `helm/dashboards/files`, without their ending."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.package.rpartition(".")[2]

    def add(self, context: "Context") -> "ITerraformDependable | None":
        """Put it into the stack; return what components that need it have to wait for.

        Its resources are imported here and nowhere else: they import cdktf, which starts Node.
        """
        added: ITerraformDependable | None = import_module(f"{self.package}.resources").add(context)
        return added
