"""What azurerm and Azure refuse about the node pools of AKS clusters."""

from __future__ import annotations

from .checks import APPLY, VALIDATE, Rule, matching, on, one_of, when

_POOL = "azurerm_kubernetes_cluster_node_pool"

OS_SKUS = ("AzureLinux", "AzureLinux3", "Ubuntu", "Ubuntu2204", "Windows2019", "Windows2022")
POOL_NAME = matching("[a-z][a-z0-9]{0,11}", "at most 12 lower-case letters and digits")

RULES: tuple[Rule, ...] = (
    when(
        _POOL,
        VALIDATE,
        lambda get: (
            get("upgrade_settings")
            and not (get("upgrade_settings.max_surge") or get("upgrade_settings.max_unavailable"))
        ),
        "one of `max_surge,max_unavailable` must be specified in upgrade_settings",
    ),
    on(_POOL, VALIDATE, "os_sku", one_of(*OS_SKUS)),
    on(_POOL, VALIDATE, "name", POOL_NAME),
    on(_POOL, VALIDATE, "temporary_name_for_rotation", POOL_NAME),
    when(
        _POOL,
        APPLY,
        lambda get: not get("auto_scaling_enabled") and (get("min_count") or get("max_count")),
        "`max_count` and `min_count` must be set to `null` when `auto_scaling_enabled` is set to `false`",
    ),
    when(
        _POOL,
        APPLY,
        lambda get: get("eviction_policy") and get("priority") != "Spot",
        "`eviction_policy` can only be set when `priority` is set to `Spot`",
    ),
    when(
        _POOL,
        APPLY,
        lambda get: (get("spot_max_price") or -1) != -1 and get("priority") != "Spot",
        "`spot_max_price` can only be set when `priority` is set to `Spot`",
    ),
)
