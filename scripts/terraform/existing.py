"""What exists in Azure, Entra or the cluster but not in the state: recognized by each provider's text, and taken over.

After a lost answer, or a second Ctrl-C, the next run meets what the last one made. Each provider says so in words of
its own, and few of them tell the id that `terraform import` wants.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Attributes = Callable[[str], Mapping[str, Any]]
"""Gives the configured arguments of a resource by its address; empty where it is not known."""

ADDRESS = re.compile(r"^\s*with (?P<address>[^\s,]+),?$", re.MULTILINE)
WITH_ID = re.compile(r'[Aa]\s+resource\s+with\s+the\s+ID\s+"(?P<id>[^"]+)"\s+already\s+exists')
_ROLE = re.compile(
    r"RoleAssignmentExists(?:.|\n)*?ID\s+of\s+the\s+existing\s+role\s+assignment\s+is\s+(?P<id>[0-9a-f]{32})"
)
_CREDENTIAL = re.compile(
    r"Request_MultipleObjectsWithSameKeyValue:?\s+FederatedIdentityCredential\s+with\s+(?:the\s+same\s+name|name\s+\S+)"
)
_GRANT = re.compile(r"Permission\s+entry\s+already\s+exists")
_ASSIGNED = re.compile(r"Permission\s+being\s+assigned\s+already\s+exists\s+on\s+the\s+object")
_SAME_NAME = re.compile(
    r'An\s+existing\s+"azuread_(?P<kind>\w+)"\s+with\s+name\s+"[^"]*"\s+\(ID:\s+"(?P<id>[^"]+)"\)\s+was\s+found'
)
"""azuread says so while it plans, where `prevent_duplicate_names` is set."""
_CLUSTER = re.compile(r'(?P<kind>[a-z][a-z0-9.]*)\s+"(?P<name>[^"]+)"\s+already\s+exists')
_RELEASE = re.compile(r"cannot\s+re-use\s+a\s+name\s+that\s+is\s+still\s+in\s+use")

_WITHOUT_NAMESPACE = frozenset(
    {"namespaces", "persistentvolumes", "storageclasses.storage.k8s.io", "priorityclasses.scheduling.k8s.io"}
)


@dataclass(frozen=True)
class Existing:
    """A resource that Terraform could not create because it is there."""

    address: str
    id: str
    """Argument of `terraform import` as the operator's shell takes it: quoted, or a command that finds it."""
    setup: tuple[str, ...] = ()
    """Shell lines before it."""
    instead: str = ""
    """Command that is better than an import, because nothing is lost with what exists."""

    def commands(self, folder: str) -> str:
        """Return the lines to paste; `folder` is the stack's folder as the operator would type it."""
        if self.instead:
            return f"  {self.instead}"
        line = f"(cd {shlex.quote(folder)} && terraform import {shlex.quote(self.address)} {self.id})"
        return "\n".join(f"  {part}" for part in (*self.setup, line))


def recognize(text: str, folder: str, attributes: Attributes) -> Existing | None:
    """Return what one error message says is there already; None where it says something else."""
    named = ADDRESS.search(text)
    address = named["address"] if named else "ADDRESS"
    for pattern, read in _KINDS:
        if found := pattern.search(text):
            return read(found, address, folder, attributes(address))
    return None


def _with_id(found: re.Match[str], address: str, _folder: str, _attributes: Mapping[str, Any]) -> Existing:
    return Existing(address, shlex.quote(found["id"]))


def same_names(output: str) -> dict[str, str]:
    """Return what cannot be planned because one of its name is there: address to import id."""
    found = {}
    for text in output.split("Error: "):
        twice, address = _SAME_NAME.search(text), ADDRESS.search(text.replace("│", " "))
        if twice and address:
            found[address["address"]] = _directory_id(twice)
    return found


def _directory_id(found: re.Match[str]) -> str:
    return found["id"] if found["id"].startswith("/") else f"/{found['kind']}s/{found['id']}"


def _same_name(found: re.Match[str], address: str, _folder: str, _attributes: Mapping[str, Any]) -> Existing:
    return Existing(address, shlex.quote(_directory_id(found)))


def _assigned(_found: re.Match[str], address: str, folder: str, _attributes: Mapping[str, Any]) -> Existing:
    url = "https://graph.microsoft.com/v1.0/servicePrincipals/$sp/appRoleAssignedTo"
    return Existing(
        address,
        '"/servicePrincipals/$sp/appRoleAssignedTo/ASSIGNMENT"',
        (
            f"app=$(cd {shlex.quote(folder)} && terraform output -raw client_id)",
            "sp=$(az ad sp show --id $app --query id --output tsv)",
            f'az rest --method GET --url "{url}" --query "value[].[id, principalDisplayName]" --output tsv',
        ),
    )


def _role(found: re.Match[str], address: str, _folder: str, _attributes: Mapping[str, Any]) -> Existing:
    # Azure tells the name without its dashes, and not the scope, which the id begins with.
    digits = found["id"]
    name = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    found_id = f"az role assignment list --all --query \"[?name=='{name}'].id\" --output tsv"
    return Existing(address, f'"$({found_id})"')


def _credential(_found: re.Match[str], address: str, folder: str, attributes: Mapping[str, Any]) -> Existing:
    name = str(attributes.get("display_name") or "NAME")
    identity = shlex.quote(folder.rpartition("/")[0] + "/identity")
    return Existing(
        address,
        '"$object/federatedIdentityCredential/$credential"',
        (
            f"app=$(cd {identity} && terraform output -raw client_id)",
            "object=$(az ad app show --id $app --query id --output tsv)",
            (
                "credential=$(az ad app federated-credential list --id $app"
                f" --query \"[?name=='{name}'].id\" --output tsv)"
            ),
        ),
    )


def _grant(_found: re.Match[str], address: str, folder: str, _attributes: Mapping[str, Any]) -> Existing:
    url = "https://graph.microsoft.com/v1.0/servicePrincipals(appId='$app')/oauth2PermissionGrants"
    return Existing(
        address,
        '"/oauth2PermissionGrants/$grant"',
        (
            f"app=$(cd {shlex.quote(folder)} && terraform output -raw client_id)",
            (
                f'grant=$(az rest --method GET --url "{url}" --query "value[?consentType==\'AllPrincipals\'].id | [0]"'
                " --output tsv)"
            ),
        ),
    )


def _in_cluster(found: re.Match[str], address: str, _folder: str, attributes: Mapping[str, Any]) -> Existing:
    metadata = attributes.get("metadata") or {}
    namespace = str(metadata.get("namespace") or "") if isinstance(metadata, Mapping) else ""
    if not namespace or "${" in namespace:
        namespace = "NAMESPACE"
    if found["kind"] == "jobs.batch":
        # A Job keeps nothing, and one that an interrupted run left may have failed.
        return Existing(address, "", instead=f"kubectl delete job {found['name']} --namespace {namespace}")
    scoped = found["kind"] in _WITHOUT_NAMESPACE
    return Existing(address, shlex.quote(found["name"] if scoped else f"{namespace}/{found['name']}"))


def _release(_found: re.Match[str], address: str, _folder: str, attributes: Mapping[str, Any]) -> Existing:
    name, namespace = str(attributes.get("name") or "RELEASE"), str(attributes.get("namespace") or "NAMESPACE")
    if "${" in namespace:
        namespace = "NAMESPACE"
    return Existing(
        address,
        shlex.quote(f"{namespace}/{name}"),
        ("llmctl state unlock-release ENV --dry-run   # pending: run it without --dry-run, and import nothing",),
    )


_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str, str, Mapping[str, Any]], Existing]], ...] = (
    (WITH_ID, _with_id),
    (_ROLE, _role),
    (_CREDENTIAL, _credential),
    (_GRANT, _grant),
    (_ASSIGNED, _assigned),
    (_SAME_NAME, _same_name),
    (_RELEASE, _release),
    (_CLUSTER, _in_cluster),
)
