"""Whether Azure has the machines of every node pool, in its zones, for this subscription, with what the file asks.

AKS may have less than the subscription
(https://learn.microsoft.com/azure/aks/reliability-availability-zones-configure), so that silence is no promise.
"""

from collections.abc import Iterator

from ..findings import Finding
from ..surroundings import Surroundings
from .pools import Pool, pools
from .skus import Sku, skus

_STOPS = "AKS refuses the pool, after vault, database and a quarter of an hour"
_GIB_IN_MIB = 1024
_LISTED = "az vm list-skus --location {region} --resource-type virtualMachines --zone --output table"


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield what Azure would refuse of each pool. Raises AnswerError."""
    offered = skus(asked, "virtualMachines")
    for pool in pools(asked.settings.cluster, asked.settings.azure):
        sku = offered.get(pool.size)
        if sku is None or sku.refused:
            yield _not_there(asked, pool, sku)
        else:
            yield from _zones(asked, pool, sku)
            yield from _abilities(asked, pool, sku)


def _not_there(asked: Surroundings, pool: Pool, sku: Sku | None) -> Finding:
    reason = f"is restricted for this subscription ({sku.refused})" if sku else "is not offered to this subscription"
    return Finding(
        f"{pool.key}.vm_size: {pool.size} {reason} in {asked.region}",
        _STOPS,
        f"choose another size or region ({_LISTED.format(region=asked.region)}), or ask for access:"
        " https://aka.ms/azureskunotavailable",
    )


def _zones(asked: Surroundings, pool: Pool, sku: Sku) -> Iterator[Finding]:
    if set(pool.zones) <= sku.zones:
        return
    there, missing = sorted(sku.zones), sorted(set(pool.zones) - sku.zones)
    kept = [zone for zone in pool.zones if zone in sku.zones]
    if pool.zones_key:
        fix = f"write {pool.zones_key}: {kept}" if kept else "choose another size or region"
    else:
        fix = f"choose another size in {pool.key}.vm_size, or write azure.zones: {kept}"
    yield Finding(
        f"{pool.zones_key or f'{pool.key}.vm_size'}: {pool.size} is available in {asked.region} in zones"
        f" {there or 'none'}, not in {missing}",
        _STOPS,
        fix,
    )


def _abilities(asked: Surroundings, pool: Pool, sku: Sku) -> Iterator[Finding]:
    if pool.spot and sku.ability("LowPriorityCapable") == "False":
        yield Finding(
            f"{pool.key}.priority: {pool.size} cannot be a spot machine", _STOPS, f"write {pool.key}.priority: regular"
        )
    if asked.settings.cluster.host_encryption and sku.ability("EncryptionAtHostSupported") == "False":
        yield Finding(
            f"{pool.key}.vm_size: {pool.size} cannot encrypt at the host, which cluster.host_encryption asks for",
            _STOPS,
            "choose another size, or write cluster.host_encryption: false",
        )
    if sku.ability("CpuArchitectureType") == "Arm64":
        yield Finding(
            f"{pool.key}.vm_size: {pool.size} has Arm processors", "no image runs on it", "choose an x64 size"
        )
    if pool.ephemeral_os_disk:
        yield from _ephemeral(pool, sku)


def _ephemeral(pool: Pool, sku: Sku) -> Iterator[Finding]:
    room = max(
        sku.number("CachedDiskBytes") / 1024**3,
        sku.number("MaxResourceVolumeMB") / _GIB_IN_MIB,
        sku.number("NvmeDiskSizeInMiB") / _GIB_IN_MIB,
    )
    if sku.ability("EphemeralOSDiskSupported") == "False" or (room and room < pool.os_disk_gib):
        has = f"has {room:.0f} GiB of its own" if room else "has no disk of its own"
        yield Finding(
            f"{pool.key}.ephemeral_os_disk: {pool.size} {has}, os_disk_gib is {pool.os_disk_gib}",
            _STOPS,
            f"write {pool.key}.ephemeral_os_disk: false"
            + (f", or os_disk_gib: {int(room)} at most" if room >= 64 else ""),
        )
