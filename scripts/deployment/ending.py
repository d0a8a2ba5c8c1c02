"""What a deployment ends with: addresses, models, GPUs, disks, logins, cost of a day, and the next steps."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from scripts.cost.amount import Cost
from scripts.cost.charges import charges_of
from scripts.cost.prices import Prices, kept_prices
from stacks.common.hosts import Host
from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.platform.components.start.names import HOST as START_PAGE
from stacks.settings import Settings
from stacks.settings.cluster import GpuPoolSettings
from stacks.settings.data import DataDisk
from stacks.settings.models import ModelSettings

DAYS = 365 / 12
"""Days of the month that prices count."""


def ending(settings: Settings, resources: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return the lines; `resources` are type and attributes of all that stands."""
    hosts = enabled_components(settings).hosts()
    models = _models(settings.models, settings.name)
    prices = kept_prices(settings.azure.region)
    machines = [*_gpus(settings.cluster.gpu_pools), *_disks(settings)]
    return [*_addresses(hosts, settings.domain), *models, *machines, *_logins(settings), *_price(resources, prices)]


def _addresses(hosts: Iterable[Host], domain: str) -> Iterator[str]:
    yield "Addresses"
    for host in hosts:
        yield f"  {host.title:<11} {host.url(domain)}"


def _models(models: Sequence[ModelSettings], environment: str) -> Iterator[str]:
    yield "Models"
    for model in models:
        loaded = f"{model.min_replicas} always loaded" if model.min_replicas else "starts at the first question"
        yield f"  {model.name:<20} {model.engine.value} on {', then '.join(model.pool)}, {loaded}"
    if not models:
        yield f"  none: `llmctl models add` lists one in environments/{environment}.yaml"


def _gpus(pools: Mapping[str, GpuPoolSettings]) -> Iterator[str]:
    yield "GPUs"
    for name, pool in pools.items():
        yield f"  {name:<11} {pool.min_nodes} to {pool.max_nodes} nodes {pool.vm_size}, {pool.priority.value}"
    if not pools:
        yield "  none"


def _disks(settings: Settings) -> Iterator[str]:
    yield "Disks, which outlive the cluster"
    if settings.opik.enabled:
        sizes = ", ".join(f"{disk.value} {settings.disks.size_gib(disk)}" for disk in DataDisk)
        yield f"  traces      {sizes} GiB, {settings.disks.redundancy}"
    if settings.chat.enabled:
        yield f"  uploads     {settings.disks.chat_uploads_gib} GiB"
    yield f"  PostgreSQL  {settings.database.storage_gib} GiB"


def _logins(settings: Settings) -> Iterator[str]:
    group = settings.identity.access_group_object_id or f'"{settings.prefix}-{settings.name} users"'
    yield "Login"
    yield f"  people      with Microsoft Entra, members of the group {group}:"
    yield f"              az ad group member add --group {group} --member-id OBJECT_ID"
    if settings.opik.enabled and settings.identity.manage:
        traces = settings.opik.access_group_object_id or f'"{settings.prefix}-{settings.name} traces"'
        yield f"  traces      in Opik: members of the group {traces}, at first the operators alone"
    if settings.gateway.enabled:
        yield f"  programs    llmctl gateway create-key NAME {settings.name} --team TEAM"
    who = ", ".join(settings.operators.object_ids) or "whoever deployed first"
    yield f"  operators   {who}"


def cost_per_month(resources: Iterable[tuple[str, Mapping[str, Any]]], prices: Prices) -> tuple[Cost, list[str]]:
    """Return what all of it costs a month, and what of it has no known price, each thing once with its number."""
    found = Cost()
    unpriced: Counter[str] = Counter()
    for type_, attributes in resources:
        for charge in charges_of(type_, attributes):
            cost = prices.cost(charge)
            if not cost.known:
                unpriced[charge.what] += 1
            found += cost
    return found, [f"{count} x {what}" if count > 1 else what for what, count in sorted(unpriced.items())]


def _price(resources: Iterable[tuple[str, Mapping[str, Any]]], prices: Prices) -> Iterator[str]:
    cost, unpriced = cost_per_month(resources, prices)
    low, high = cost.low / DAYS, cost.high / DAYS
    span = f"{low:,.2f}"
    if round(low, 2) != round(high, 2):
        span += f" (nothing asked) to {high:,.2f} (all pools full)"
    yield "Cost"
    yield f"  {'at least ' if unpriced else ''}{span} USD a day ({prices}, pay as you go)"
    if unpriced:
        yield f"  and, without a price here: {', '.join(unpriced)}; traffic"


def private_steps(settings: Settings, fingerprint: str = "") -> list[str]:
    """Return what is left for people to do so that clients find and trust a private environment.

    `fingerprint` is that of the internal CA's root; empty where it could not be read.
    """
    if not settings.is_private:
        return []
    lines = []
    if settings.private_access.tailscale:
        lines.append(f"Next: llmctl tailscale dns {settings.name} --apply lets the tailnet look {settings.domain} up")
        lines.append("  and the tailnet's policy has to approve the router's routes: docs/how-to/private-access.md")
    elif address := settings.nameserver_address:
        lines.append(f"Next: let your resolver ask {address} for {settings.domain}")
    if settings.has_internal_ca:
        lines += _trust_steps(enabled_components(settings), fingerprint)
    return lines


def _trust_steps(components: EnabledComponents, fingerprint: str) -> Iterator[str]:
    """Yield how a computer comes to trust the internal CA, whose root has the fingerprint."""
    name, shown = components.settings.name, fingerprint or "FINGERPRINT"
    yield "Next: let people's computers trust the internal CA (docs/how-to/trust-the-platform.md)"
    if "start" in components:
        yield f"  certificate and installer: {START_PAGE.url(components.settings.domain)}#trust"
    else:
        yield f"  certificate and installer: llmctl client ca {name} > ca.crt"
        yield f"                             llmctl client installer {name} > install-client.sh"
    yield f"  Linux, macOS  sudo sh install-client.sh --ca ca.crt --fingerprint {shown}"
    yield f"  Windows       .\\install-client.ps1 -Ca ca.crt -Fingerprint {shown}"
    if not fingerprint:
        yield f"  FINGERPRINT is what `llmctl client fingerprint {name}` prints"
    yield "  give people the fingerprint by another way than the certificate"


def next_steps(environment: str, outputs: dict[str, dict[str, Any]], *, records_written: bool = False) -> list[str]:
    """Return what is left for people to do, from the outputs of aks and platform.

    `records_written` says that the domain's records are the deployment's own (`ingress.dns_zone_id`).
    """
    lines = []
    records = outputs.get("platform", {}).get("dns_records", {}).get("value") or {}
    if records and not records_written:
        lines.append("Next: let your domain's DNS hold these records")
        lines += [f"  {host}  CNAME  {target}" for host, target in sorted(records.items())]
    aks = {name: output["value"] for name, output in outputs.get("aks", {}).items()}
    if aks:
        group, cluster = aks["resource_group_name"], aks["cluster_name"]
        credentials = f"az aks get-credentials --resource-group {group} --name {cluster}"
        lines.append(f"kubectl: {credentials} && kubelogin convert-kubeconfig -l azurecli")
    lines.append(f"Whether it works, from a question to its trace: llmctl health {environment}")
    lines.append(f"All outputs: llmctl outputs {environment}")
    return lines
