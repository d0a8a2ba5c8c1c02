"""The parts of one environment that commands about backup sets work on; tests hand over others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from scripts.azure.resources import Azure
from scripts.backup.cost import SNAPSHOTS, PricesOf
from scripts.backup.counts import counted_in
from scripts.backup.create import Making, Part
from scripts.backup.place import Place, place_of
from scripts.backup.quiesce import CLOCK, Clock, Quiescence
from scripts.backup.running import code
from scripts.backup.store import Store, store_of
from scripts.backup.stores import Stores, stores_of
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.core import environment_file
from scripts.core.console import report
from scripts.cost.sources import Sources
from stacks.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One environment."""

    settings: Settings
    place: Place
    azure: Azure
    store: Store
    kubectl: Callable[[], Kubectl]
    stores: Callable[[Kubectl], Stores] = stores_of
    clock: Clock = CLOCK
    sources: Sources = field(default_factory=Sources)
    """Where prices come from."""

    def prices(self, *, offline: bool) -> PricesOf:
        """Return what gives the prices of regions, each asked for once."""
        return cache(lambda region: self.sources.prices(region, [SNAPSHOTS], offline=offline))

    def quiescence(self) -> Quiescence | None:
        """Return what stops Opik's writes; None without Opik. Raises OperatorError without a cluster."""
        if not self.settings.opik.enabled:
            return None
        kubectl = self.kubectl()
        return Quiescence(kubectl, self.stores(kubectl), self.clock)

    def making(self, left_out: tuple[Part, ...]) -> Making:
        """Return what makes a set. Raises OperatorError without a cluster."""
        kubectl = self.kubectl()
        name = self.settings.name
        return Making(
            environment=name,
            place=self.place,
            azure=self.azure,
            store=self.store,
            kubectl=kubectl,
            quiescence=self.quiescence(),
            counted=counted_in(self.settings, kubectl, self.stores(kubectl).counts),
            code=code(environment_file.file_of(name).read_text("utf-8")),
            release_records=self.settings.cluster.release_records,
            left_out=left_out,
            clock=self.clock,
            tell=report,
        )


def opened(tools: Tools, environment: str) -> Opened:
    """Return the parts of an environment. Raises OperatorError when its durable stacks are not deployed."""
    settings = tools.load(environment)
    outputs: Mapping[str, Mapping[str, Any]] = tools.outputs_of(environment, "disks", "database")
    subscription = settings.azure.subscription_id
    return Opened(
        settings=settings,
        store=store_of(subscription, outputs["disks"]),
        place=place_of(settings, outputs),
        azure=tools.azure_of(subscription),
        kubectl=lambda: tools.kubectl_of(environment),
    )
