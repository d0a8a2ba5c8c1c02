"""What of an environment file nobody here can know: what Azure sells where, and which ranges a company uses inside."""

from collections.abc import Iterator

from stacks.settings import Settings
from stacks.settings.azure_catalog import regions
from stacks.settings.rules.network import PRIVATE


def outside_notes(settings: Settings) -> Iterator[str]:
    """Yield a note on each value that is compared with nothing here, with who knows."""
    azure, cluster = settings.azure, settings.cluster
    if azure.region not in regions.KNOWN:
        yield (
            f"azure.region: {azure.region} is newer than this release, which does not know whether it has zones and a"
            f" pair; `llmctl preflight {settings.name}` asks Azure"
        )
    sizes = dict.fromkeys(
        [cluster.system_pool.vm_size, cluster.workload_pool.vm_size]
        + [pool.vm_size for pool in cluster.gpu_pools.values()]
    )
    yield (
        f"cluster: whether {azure.region} has {', '.join(sizes)} for this subscription is not known here;"
        f" `llmctl preflight {settings.name}` asks Azure"
    )
    for network in settings.network.private_client_ranges:
        if not any(network.subnet_of(private) for private in PRIVATE):
            yield (
                f"network.private_client_ranges: {network} is a range of the internet; it is right only where your"
                " company uses it inside, and routes it to this network"
            )
