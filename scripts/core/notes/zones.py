"""What of an environment lies in one zone of several, and goes with it."""

from collections.abc import Iterator

from stacks.settings import Settings
from stacks.settings.network import Outbound
from stacks.settings.serving import ModelStore


def zone_notes(settings: Settings) -> Iterator[str]:
    """Yield a note on each thing that the failure of one zone takes away, and on what would keep it.

    All but the way out only where somebody pays for uptime (`cluster.tier`): a small environment chooses by price.
    """
    if len(settings.azure.zones) < 2:
        return
    if settings.network.outbound is Outbound.NAT_GATEWAY:
        yield (
            "network.outbound: a NAT gateway lies in one zone; when that fails, nodes of all zones lose Entra, model"
            " hubs and Let's Encrypt (load-balancer is zone-redundant)"
        )
    if settings.cluster.tier != "Free":
        yield from _paid_for(settings)


def _paid_for(settings: Settings) -> Iterator[str]:
    if settings.disks.redundancy == "lrs":
        yield (
            f"disks.redundancy: Opik's disks and the chat's uploads are in zone {settings.disks.lrs_zone} alone; when"
            " it fails, both are down until it is back (zrs disks attach in every zone; decided with the first"
            " deployment)"
        )
    if settings.database.high_availability != "zone-redundant":
        yield (
            "database.high_availability: PostgreSQL has no standby in another zone; when its zone fails, chat and LLM"
            " gateway are down until it is back (zone-redundant fails over in about two minutes)"
        )
    for name, pool in settings.cluster.gpu_pools.items():
        if pool.zones is not None and len(pool.zones) == 1:
            yield (
                f"cluster.gpu_pools.{name}.zones: the pool is in zone {pool.zones[0]} alone; its models are down with"
                " that zone"
            )
    if settings.models and settings.serving.model_store is ModelStore.AZURE_FILES:
        yield (
            "serving.model_store: weights are on shares in one zone that Azure chooses; when it fails, no engine reads"
            " any until it is back (node-disk loads them to each node)"
        )
