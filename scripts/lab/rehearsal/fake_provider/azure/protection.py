"""What keeps a resource from being deleted in Azure: management locks and policies that deny the action."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scripts.lab.rehearsal.cloud import Cloud, CloudObject

from .ids import ATTACHMENTS, group_id

_LOCK = "azurerm_management_lock"
_DEFINITION = "azurerm_policy_definition"
_ASSIGNMENT = "azurerm_resource_group_policy_assignment"


def azure_type(existing: CloudObject) -> str:
    """Return the lower-case Azure type of an object, such as ``microsoft.keyvault/vaults``; empty for a mere link."""
    _before, found, tail = existing.id.rpartition("/providers/")
    if not found or existing.type in ATTACHMENTS:
        return ""
    parts = tail.lower().split("/")
    return "/".join([parts[0], *parts[1::2]])


def refusal(cloud: Cloud, existing: CloudObject) -> str | None:
    """Return why Azure will not delete an object now, None where nothing protects it."""
    return _locked(cloud, existing) or _denied(cloud, existing)


def _locked(cloud: Cloud, existing: CloudObject) -> str | None:
    if existing.type == _LOCK:
        return None
    of = existing.id.partition("|")[0].lower()
    for lock in cloud.objects(_LOCK):
        scope = str(lock.state["scope"])
        below = of == scope.lower() or of.startswith(scope.lower() + "/")
        above = existing.type not in ATTACHMENTS and scope.lower().startswith(of + "/")
        if below or above:
            return (
                "unexpected status 409 (409 Conflict) with error: ScopeLocked: The scope"
                f" '{existing.id}' cannot perform delete operation because following scope(s) are locked:"
                f" '{scope}'. Please remove the lock and try again."
            )
    return None


def _denied(cloud: Cloud, existing: CloudObject) -> str | None:
    for assignment, rule in _deletion_policies(cloud):
        group = str(assignment.state["resource_group_id"]).lower()
        if group_id(existing.id).lower() != group:
            continue
        types = _types(rule["if"])
        hit = azure_type(existing) in types
        if existing.type == "azurerm_resource_group" and _guards_group(rule):
            hit = any(azure_type(found) in types for found in cloud.below(existing.id))
        if hit and existing.id.lower() != assignment.id.lower():
            name = existing.id.rsplit("/", 1)[-1]
            return (
                "unexpected status 403 (403 Forbidden) with error: RequestDisallowedByPolicy: Resource"
                f" '{name}' was disallowed by policy. Policy identifiers: '{assignment.state['name']}'."
            )
    return None


def _deletion_policies(cloud: Cloud) -> Iterator[tuple[CloudObject, dict[str, Any]]]:
    rules = {
        definition.id.lower(): json.loads(definition.state["policy_rule"]) for definition in cloud.objects(_DEFINITION)
    }
    for assignment in cloud.objects(_ASSIGNMENT):
        rule = rules.get(str(assignment.state["policy_definition_id"]).lower(), {})
        then = rule.get("then", {})
        if then.get("effect") == "denyAction" and "delete" in then.get("details", {}).get("actionNames", []):
            yield assignment, rule


def _types(condition: dict[str, Any]) -> set[str]:
    """Return the lower-case types of ``{"field": "type", "equals" or "in": ...}``; other conditions match nothing."""
    if condition.get("field") != "type":
        return set()
    named = condition.get("in", [condition.get("equals", "")])
    return {str(name).lower() for name in named}


def _guards_group(rule: dict[str, Any]) -> bool:
    return bool(rule["then"]["details"].get("cascadeBehaviors", {}).get("resourceGroup") == "deny")
