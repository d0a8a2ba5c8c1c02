"""What the bindings leave out of a provider's schema, as far as this platform meets it.

Read from the pinned providers' own schemas; a test compares both for every type in use (``PROVIDER_SCHEMAS``).
Arguments whose name ends in ``_wo`` are write-only in resources, without exception in the pinned versions.
"""

from __future__ import annotations

from typing import Any

WRITE_ONLY_SUFFIX = "_wo"

_VAULT_CLIENT = ("kube_admin_config", "kube_admin_config_raw", "kube_config", "kube_config_raw")
_STORAGE_KEYS = tuple(
    f"{rank}_{name}"
    for rank in ("primary", "secondary")
    for name in ("access_key", "connection_string", "blob_connection_string")
)

# (kind, type) -> dotted paths of the attributes whose value Terraform hides.
SENSITIVE: dict[tuple[str, str], tuple[str, ...]] = {
    ("resource", "azurerm_application_gateway"): (
        "authentication_certificate.data",
        "ssl_certificate.data",
        "ssl_certificate.password",
        "trusted_client_certificate.data",
        "trusted_root_certificate.data",
    ),
    ("resource", "azurerm_container_registry"): ("admin_password",),
    ("resource", "azurerm_container_registry_token_password"): ("password1.value", "password2.value"),
    ("resource", "azurerm_key_vault_certificate"): ("certificate.contents", "certificate.password"),
    ("resource", "azurerm_key_vault_secret"): ("value",),
    ("data", "azurerm_key_vault_secret"): ("value",),
    ("resource", "azurerm_kubernetes_cluster"): (
        *_VAULT_CLIENT,
        "http_proxy_config.trusted_ca",
        "service_principal.client_secret",
        "windows_profile.admin_password",
    ),
    ("data", "azurerm_kubernetes_cluster"): _VAULT_CLIENT,
    ("resource", "azurerm_log_analytics_workspace"): ("primary_shared_key", "secondary_shared_key"),
    ("data", "azurerm_log_analytics_workspace"): ("primary_shared_key", "secondary_shared_key"),
    ("resource", "azurerm_managed_disk_sas_token"): ("sas_url",),
    ("resource", "azurerm_postgresql_flexible_server"): ("administrator_password",),
    ("resource", "azurerm_storage_account"): _STORAGE_KEYS,
    ("data", "azurerm_storage_account"): _STORAGE_KEYS,
    ("resource", "azurerm_storage_account_local_user"): ("password", "sid"),
    ("resource", "azuread_application"): ("password.value",),
    ("resource", "azuread_application_certificate"): ("value",),
    ("resource", "azuread_application_password"): ("value",),
    ("resource", "azuread_service_principal_certificate"): ("value",),
    ("resource", "azuread_service_principal_password"): ("value",),
    ("resource", "kubernetes_secret_v1"): ("binary_data", "data"),
    ("data", "kubernetes_secret_v1"): ("binary_data", "data"),
    ("resource", "kubernetes_token_request_v1"): ("token",),
    ("resource", "helm_release"): ("repository_password", "set_sensitive.value"),
    ("data", "helm_template"): ("repository_password", "set_sensitive.value"),
    ("resource", "random_bytes"): ("base64", "hex"),
    ("resource", "random_password"): ("bcrypt_hash", "result"),
}

# (kind, type, dotted path of a block) -> bounds the bindings do not state.
ITEM_BOUNDS: dict[tuple[str, str, str], dict[str, int]] = {
    ("resource", "azurerm_application_gateway", "gateway_ip_configuration"): {"min_items": 1, "max_items": 2},
    ("resource", "azurerm_monitor_autoscale_setting", "profile"): {"min_items": 1, "max_items": 20},
    ("resource", "azurerm_storage_account", "blob_properties.cors_rule"): {"max_items": 5},
    ("resource", "azurerm_storage_account", "queue_properties.cors_rule"): {"max_items": 5},
    ("resource", "azurerm_storage_account", "share_properties.cors_rule"): {"max_items": 5},
    ("resource", "azurerm_virtual_network", "ip_address_pool"): {"max_items": 2},
    ("resource", "kubernetes_endpoint_slice_v1", "port"): {"min_items": 1, "max_items": 100},
    ("resource", "kubernetes_endpoint_slice_v1", "endpoint"): {"min_items": 1, "max_items": 1000},
}


def _attributes(kind: str, **flags: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for flag, names in flags.items():
        for name in names.split():
            found.setdefault(name, {"type": kind})[flag] = True
    return found


_VAULT_ITEM = {
    "key_vault_id": {"type": "string", "required": True},
    "name": {"type": "string", "required": True},
    "version": {"type": "string", "optional": True, "computed": True},
    **_attributes("string", computed="expiration_date not_before_date"),
}
_VERSIONED_FLAGS = "lower numeric special upper"
_VERSIONED_COUNTS = "min_lower min_numeric min_special min_upper"

# Ephemeral types do not exist in CDKTF 0.21 and so not in its bindings.
EPHEMERAL: dict[str, dict[str, Any]] = {
    "random_password": {
        "attributes": {
            "length": {"type": "number", "required": True},
            "override_special": {"type": "string", "optional": True},
            **_attributes("bool", optional=_VERSIONED_FLAGS, computed=_VERSIONED_FLAGS),
            **_attributes("number", optional=_VERSIONED_COUNTS, computed=_VERSIONED_COUNTS),
            **_attributes("string", computed="bcrypt_hash result", sensitive="bcrypt_hash result"),
        }
    },
    "azurerm_key_vault_secret": {
        "attributes": {**_VAULT_ITEM, "value": {"type": "string", "computed": True}},
    },
    "azurerm_key_vault_certificate": {
        "attributes": {
            **_VAULT_ITEM,
            "certificate_count": {"type": "number", "computed": True},
            **_attributes("string", computed="hex key pem"),
        }
    },
}


def correct(kind: str, type_name: str, block: dict[str, Any]) -> dict[str, Any]:
    """Complete a block read from a binding, in place."""
    for path in SENSITIVE.get((kind, type_name), ()):
        _member(block, path.split("."))["sensitive"] = True
    for (of_kind, of_type, path), bounds in ITEM_BOUNDS.items():
        if (of_kind, of_type) == (kind, type_name):
            _member(block, path.split(".")).update(bounds)
    if kind == "resource":
        _mark_write_only(block, inherited=False)
    return block


def _member(block: dict[str, Any], path: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for step in path:
        nested = block.get("block_types", {}).get(step)
        found = nested or block["attributes"][step]
        block = found.get("block") or found.get("nested_type") or {}
    return found


def _mark_write_only(block: dict[str, Any], *, inherited: bool) -> None:
    for name, attribute in block["attributes"].items():
        if inherited or name.endswith(WRITE_ONLY_SUFFIX):
            attribute["write_only"] = True
        if "nested_type" in attribute:
            _mark_write_only(attribute["nested_type"], inherited="write_only" in attribute)
    for nested in block.get("block_types", {}).values():
        _mark_write_only(nested["block"], inherited=False)
