"""Values Terraform must not keep: write-only arguments and ephemeral values, kept where a real service has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.lab.rehearsal.cloud import Cloud

from .passwords import password
from .protocol.values import strings
from .service import RefusedError

GENERATED = "generated"
_VERSION_SUFFIX = "_version"


def store_secrets(
    cloud: Cloud,
    block: Mapping[str, Any],
    type_name: str,
    config: Mapping[str, Any],
    state: Mapping[str, Any],
    *,
    prior: Mapping[str, Any] | None,
) -> None:
    """Keep every write-only value of a resource that was created, or whose version argument was changed."""
    for name, attribute in block.get("attributes", {}).items():
        if not attribute.get("write_only") or config.get(name) is None:
            continue
        version = name + _VERSION_SUFFIX if name + _VERSION_SUFFIX in block["attributes"] else f"{name}_revision"
        if prior is not None and prior.get(version) == state.get(version):
            continue
        for value in strings(config[name]):
            _keep(cloud, type_name, name, state, value)
    if type_name == "azurerm_key_vault_secret" and state.get("value") and state != prior:
        _keep(cloud, type_name, "value", state, str(state["value"]))


def _keep(cloud: Cloud, type_name: str, name: str, state: Mapping[str, Any], value: str) -> None:
    if type_name == "azurerm_key_vault_secret":
        cloud.keep_secret(str(state["key_vault_id"]), str(state["name"]), str(state["version"]), value)
    else:
        cloud.keep_secret(str(state["id"]), name, "", value)


def open_ephemeral(cloud: Cloud, block: Mapping[str, Any], type_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an ephemeral resource.

    Raises RefusedError where a secret does not exist or a password cannot be made.
    """
    found = {**dict.fromkeys(block["attributes"]), **config}
    if type_name == "random_password":
        value = password(config)
        cloud.keep_secret(GENERATED, type_name, "", value)
        return {**_password_defaults(found), "result": value, "bcrypt_hash": ""}
    kept = cloud.secret(str(config["key_vault_id"]), str(config["name"]), config.get("version"))
    if kept is None:
        raise RefusedError(f'"{config["name"]}" was not found in "{config["key_vault_id"]}"')
    return {**found, "value": kept[1], "version": kept[0], "expiration_date": "", "not_before_date": ""}


def _password_defaults(found: dict[str, Any]) -> dict[str, Any]:
    for name, value in found.items():
        if value is None and name in {"lower", "upper", "numeric", "special"}:
            found[name] = True
        elif value is None and name.startswith("min_"):
            found[name] = 0
    return found
