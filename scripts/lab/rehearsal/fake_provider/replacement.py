"""Which changes make the providers destroy and create again, and which they refuse to make at all."""

from __future__ import annotations

from typing import Any

from .force_new import EVERY_AZURE_TYPE, FORCE_NEW, FORCE_NEW_IF, KUBERNETES, shrinks
from .protocol.values import is_unknown, lookup

# Changed by way of a temporary pool, and only if the configuration names one.
_ROTATED = (
    "fips_enabled",
    "host_encryption_enabled",
    "kubelet_config",
    "kubelet_disk_type",
    "linux_os_config",
    "max_pods",
    "node_public_ip_enabled",
    "os_disk_size_gb",
    "os_disk_type",
    "pod_subnet_id",
    "snapshot_id",
    "ultra_ssd_enabled",
    "vm_size",
    "vnet_subnet_id",
    "zones",
)


def replaced_by(type_name: str, prior: Any, planned: Any) -> list[str]:
    """Return the paths whose change makes Terraform replace the resource."""
    paths = list(FORCE_NEW.get(type_name, ()))
    if type_name.startswith("azurerm_"):
        paths += EVERY_AZURE_TYPE
    if type_name.startswith("kubernetes_"):
        paths += KUBERNETES
    found = [path for path in paths if _changed(prior, planned, path)]
    for (of_type, path), decides in FORCE_NEW_IF.items():
        if of_type == type_name and _changed(prior, planned, path):
            after = lookup(planned, path)
            if is_unknown(after) or decides(lookup(prior, path), after):
                found.append(path)
    return found


def _changed(prior: Any, planned: Any, path: str) -> bool:
    return bool(lookup(prior, path) != lookup(planned, path))


def refused_change(type_name: str, prior: Any, planned: Any) -> str | None:
    """Return why the provider refuses, at apply, to make a change in place."""
    if type_name == "azurerm_managed_disk" and shrinks(prior.get("disk_size_gb"), planned.get("disk_size_gb")):
        return "- New size must be greater than original size. Shrinking disks is not supported on Azure"
    protected = "purge_protection_enabled"
    if type_name == "azurerm_key_vault" and prior.get(protected) and not planned.get(protected):
        return "once Purge Protection has been Enabled it's not possible to disable it"
    prefix = {"azurerm_kubernetes_cluster": "default_node_pool.", "azurerm_kubernetes_cluster_node_pool": ""}
    if type_name in prefix:
        start = prefix[type_name]
        names = [*_ROTATED, *(("only_critical_addons_enabled",) if start else ())]
        changed = [f"{start}{name}" for name in names if _changed(prior, planned, f"{start}{name}")]
        if changed and not lookup(planned, f"{start}temporary_name_for_rotation"):
            return (
                "`temporary_name_for_rotation` must be specified when updating any of the following properties"
                f" {changed}"
            )
    return None
