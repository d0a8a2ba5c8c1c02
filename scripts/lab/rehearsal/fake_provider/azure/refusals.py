"""What Azure refuses because of what else exists: parents that are missing, locks, references in use."""

from __future__ import annotations

from scripts.lab.rehearsal.cloud import Cloud, CloudObject

from ..protocol.values import strings
from ..service import Facts, RefusedError
from . import ids as azure_ids
from .protection import refusal

_IN_USE = {
    "azurerm_subnet": "InUseSubnetCannotBeDeleted: Subnet {name} is in use by {user} and cannot be deleted.",
    "azurerm_public_ip": (
        "PublicIPAddressCannotBeDeleted: Public IP address {id} can not be deleted since it is still allocated to"
        " resource {user}."
    ),
}


def refuse_creation(cloud: Cloud, type_name: str, object_id: str, facts: Facts, *, recovers_secrets: bool) -> None:
    """Refuse a child without its parents, as Azure does with 404, and the name of a secret that was deleted.

    A vault keeps deleted secrets. The provider recovers one only where its features say so, and then sets the new
    value over it (key_vault_secret_resource.go:186-216).
    """
    if type_name == "azurerm_key_vault_secret" and not recovers_secrets:
        _refuse_deleted_secret(cloud, facts)
    for parent in azure_ids.parent_ids(object_id):
        own = facts.get("group") and parent.lower().startswith(str(facts["group"]).lower())
        if (own or _was_ours(cloud, parent)) and not cloud.exists(parent):
            kind = "ResourceGroupNotFound" if parent.count("/") == 4 else "ParentResourceNotFound"
            raise RefusedError(
                f"unexpected status 404 (404 Not Found) with error: {kind}: {parent} could not be found."
            )


def _refuse_deleted_secret(cloud: Cloud, facts: Facts) -> None:
    vault, name = str(facts.get("key_vault_id")), str(facts.get("name"))
    key = azure_ids.unique_key("azurerm_key_vault_secret", "", {"key_vault_id": vault, "name": name})
    if cloud.get(key) is None and cloud.secret(vault, name):
        raise RefusedError(
            "keyvault.BaseClient#SetSecret: Failure responding to request: StatusCode=409 -- Original Error:"
            f' autorest/azure: Service returned an error. Status=409 Code="Conflict" Message="Secret {name} is'
            " currently in a deleted but recoverable state, and its name cannot be reused; in this state, the"
            ' secret can only be recovered or purged." InnerError={"code":"ObjectIsDeletedButRecoverable"}'
        )


def _was_ours(cloud: Cloud, object_id: str) -> bool:
    # What this rehearsal never made (an existing zone named in a setting) is taken to exist.
    group = azure_ids.group_id(object_id)
    return cloud.next_generation(f"azurerm_resource_group|{group.lower()}") > 1


def refuse_deletion(cloud: Cloud, existing: CloudObject) -> None:
    """Refuse what is protected, a group that is not empty, and a subnet or address in use."""
    protected = refusal(cloud, existing)
    if protected:
        raise RefusedError(protected)
    if existing.type == "azurerm_resource_group":
        inside = [found.id for found in cloud.below(existing.id) if found.provider == "azurerm"]
        if inside:
            raise RefusedError(
                f'deleting Resource Group "{existing.state["name"]}": the Resource Group still contains Resources.'
                "\n\n" + "\n".join(f"* `{found}`" for found in inside[:10])
            )
    if existing.type == "azurerm_data_protection_backup_instance_disk":
        _refuse_promised_backups(cloud, existing)
    message = _IN_USE.get(existing.type)
    if message:
        for user in cloud.objects():
            if user.type not in azure_ids.ATTACHMENTS and _uses(user, existing):
                raise RefusedError(message.format(name=existing.state["name"], id=existing.id, user=user.id))


def _refuse_promised_backups(cloud: Cloud, existing: CloudObject) -> None:
    """Refuse to delete backups in a vault that was told to keep them.

    https://learn.microsoft.com/azure/backup/backup-azure-immutable-vault-concept#restricted-operations; the text is
    that of https://github.com/Azure/azure-powershell/issues/24298.
    """
    vault = cloud.by_id("azurerm_data_protection_backup_vault", str(existing.state["vault_id"]))
    if vault and vault.state.get("immutability") != "Disabled":
        raise RefusedError(
            "unexpected status 400 (400 Bad Request): The Vault and Backup Items are in an Immutable state where"
            " destructive operations are not supported"
        )


def _uses(user: CloudObject, existing: CloudObject) -> bool:
    return user.key != existing.key and any(text.lower() == existing.id.lower() for text in strings(user.state))
