"""Azure as the azurerm provider meets it: ids, parents, locks, references in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scripts.lab.rehearsal.cloud import Cloud, CloudObject

from ..computed import digest, guid
from ..protocol.values import is_unknown, lookup
from ..rules.azure import RULES as AZURE_RULES
from ..service import Facts, Service
from . import ids as azure_ids
from . import values as azure_values
from .refusals import refuse_creation, refuse_deletion


class AzureService(Service):
    """The Azure Resource Manager and the data planes the provider calls."""

    rules = AZURE_RULES

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.subscription = azure_ids.SUBSCRIPTION
        self.tenant = azure_ids.TENANT
        self.recovers_secrets = True

    def configure(self, config: Facts) -> None:
        """Take subscription and tenant from the provider block."""
        for name in ("subscription", "tenant"):
            given = config.get(f"{name}_id")
            if isinstance(given, str) and given:
                setattr(self, name, given)
        recovers = lookup(config, "features.0.key_vault.0.recover_soft_deleted_secrets")
        self.recovers_secrets = recovers is not False

    def base_facts(self, type_name: str, attributes: Facts) -> dict[str, Any]:
        """Return subscription, tenant and the id of the resource group."""
        del type_name
        name = attributes.get("resource_group_name")
        group = f"/subscriptions/{self.subscription}/resourceGroups/{name}" if isinstance(name, str) else ""
        return {"subscription": self.subscription, "tenant": self.tenant, "group": group}

    def unique_key(self, type_name: str, facts: Facts) -> str:
        """Return what Azure keeps unique: the id, a global name, or who has which role where."""
        if type_name == "azurerm_role_assignment":
            facts = {**facts, **self._role(facts)}
        return azure_ids.unique_key(type_name, azure_ids.resource_id(type_name, facts), facts)

    def made_up(self, type_name: str, facts: Facts, seed: str) -> dict[str, Any]:
        """Return names that Azure chooses, and the id."""
        found: dict[str, Any] = {}
        if type_name == "azurerm_role_assignment":
            found |= self._role(facts)
        name = azure_ids.MADE_UP_NAMES.get(type_name)
        if name and not facts.get(name):
            found[name] = guid(seed)
        if type_name in azure_ids.VERSIONED:
            found["version"] = digest(f"{seed}/version", 32)
        return found | {"id": azure_ids.resource_id(type_name, {**facts, **found})}

    def _role(self, facts: Facts) -> dict[str, Any]:
        given, name = facts.get("role_definition_id"), facts.get("role_definition_name")
        if given:
            identifier = str(given).rsplit("/", 1)[-1]
            known = {value: key for key, value in azure_values.ROLES.items()}
            return {"role_definition_id": given, "role_definition_name": known.get(identifier, "")}
        identifier = azure_values.ROLES.get(str(name)) or guid(f"role {name}")
        path = "providers/Microsoft.Authorization/roleDefinitions"
        return {
            "role_definition_id": f"/subscriptions/{self.subscription}/{path}/{identifier}",
            "role_definition_name": name,
        }

    def templates(self, type_name: str) -> Mapping[str, str]:
        """Return the values Azure decides on, by attribute."""
        return azure_values.VALUES.get(type_name, {})

    def computed_blocks(self, type_name: str) -> tuple[str, ...]:
        """Return the blocks Azure decides on."""
        return azure_values.COMPUTED_BLOCKS.get(type_name, ())

    def recomputed(self, type_name: str, prior: Facts, planned: Facts) -> Iterable[str]:
        """Return what follows from the changed attributes."""
        for trigger, attributes in azure_values.RECOMPUTED.get(type_name, {}).items():
            if prior.get(trigger) != planned.get(trigger):
                yield from attributes

    def settle(self, type_name: str, state: dict[str, Any], planned: Facts) -> dict[str, Any]:
        """Return the state without what a service hands out only under a condition."""
        chosen = {name for name in state if is_unknown(planned.get(name))}
        if type_name == "azurerm_kubernetes_cluster":
            state = {**state, **{name: value for name, value in _cluster(state).items() if name in chosen}}
        if type_name == "azurerm_public_ip" and not state.get("domain_name_label") and "fqdn" in chosen:
            state = {**state, "fqdn": ""}
        return state

    def observed(self, type_name: str, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state with what Azure sets where the configuration is silent."""
        if type_name == "azurerm_kubernetes_cluster_node_pool" and state.get("priority") == "Spot":
            return _as_spot(state)  # a spot pool has no surge nodes
        for (of_type, path), value in azure_values.DRIFT.items():
            if of_type == type_name and not lookup(state, path):
                state = _with(state, path.split("."), value)
        return state

    def exists_message(self, type_name: str, object_id: str, existing: CloudObject | None) -> str:
        """Return Azure's own words for a role under another name; the provider itself finds one of the same name."""
        if type_name == "azurerm_role_assignment" and existing and existing.id.lower() != object_id.lower():
            name = existing.id.rsplit("/", 1)[-1].replace("-", "")
            return (
                "unexpected status 409 (409 Conflict) with error: RoleAssignmentExists: The role assignment already"
                f" exists. The ID of the existing role assignment is {name}."
            )
        return super().exists_message(type_name, object_id, existing)

    def lost_message(self, address: str) -> str:
        """Return what the SDK under azurerm says (seen with 4.55.0)."""
        return f"{address}: HTTP response was nil; connection may have been reset"

    def check_create(self, type_name: str, object_id: str, facts: Facts) -> None:
        """Refuse what Azure refuses to create."""
        refuse_creation(self.cloud, type_name, object_id, facts, recovers_secrets=self.recovers_secrets)

    def check_delete(self, existing: CloudObject) -> None:
        """Refuse what Azure refuses to delete."""
        refuse_deletion(self.cloud, existing)

    def gone_with(self, existing: CloudObject) -> list[CloudObject]:
        """Return the children of a resource, and everything inside a cluster."""
        inside = [found for found in self.cloud.below(existing.id) if existing.type != "azurerm_resource_group"]
        if existing.type == "azurerm_kubernetes_cluster":
            for name in ("fqdn", "private_fqdn"):
                inside += self.cloud.within(str(existing.state.get(name) or "-"))
        return inside

    def read_data(self, type_name: str, config: Facts) -> dict[str, Any] | None:
        """Return what a data source names, if it exists."""
        if type_name == "azurerm_client_config":
            return {}
        facts = {**self.base_facts(type_name, config), **config}
        existing = self.cloud.by_id(type_name, azure_ids.resource_id(type_name, facts))
        return dict(self.observed(type_name, existing.state)) if existing else None


def _cluster(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if state.get("local_account_disabled"):
        found |= {"kube_admin_config": [], "kube_admin_config_raw": ""}
    if not state.get("private_cluster_enabled"):
        return found | {"private_fqdn": ""}
    host = f"https://{state['private_fqdn']}:443"
    return found | {"kube_config": [{**entry, "host": host} for entry in state["kube_config"]]}


def _with(state: dict[str, Any], path: list[str], value: object) -> dict[str, Any]:
    step, *rest = path
    if not rest:
        return {**state, step: value}
    inner = state.get(step)
    if not inner:
        return state
    return {**state, step: [_with(inner[0], rest, value), *inner[1:]]}


def _as_spot(state: dict[str, Any]) -> dict[str, Any]:
    taint = f"{azure_values.SPOT_LABEL}=spot:NoSchedule"
    taints = state.get("node_taints") or []
    return {
        **state,
        "node_labels": {**(state.get("node_labels") or {}), azure_values.SPOT_LABEL: "spot"},
        "node_taints": taints if taint in taints else [*taints, taint],
    }
