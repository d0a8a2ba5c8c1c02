"""What to do about Terraform's errors, by a pattern in their text; the first that fits counts."""

import re
import shlex
from collections.abc import Callable

from ..state.locked import named, unlock

Advice = Callable[[str, str, str], str]
"""Gives the fix: from the error's text, the stack's folder and the command to run afterwards."""


def _cut_off(_text: str, folder: str, redeploy: str) -> str:
    return (
        f"`llmctl state adopt {named(folder)}` takes what was there before that run and imports what exists besides;"
        f" it shows both, asks, and keeps what is left of the file under another name; then {redeploy}"
    )


_ZONES = re.compile(
    r"zone\(s\)\s+'?(?P<asked>[^']+?)'?\s+for\s+resource\s+'?(?P<pool>[^'\s]+)'?\s+is\s+not\s+supported"
    r"(?:.|\n)*?are\s+(?P<there>'\d'(?:\s*,\s*'\d')*)?"
)


def _zones(text: str, _folder: str, redeploy: str) -> str:
    found = _ZONES.search(text)
    pool = found["pool"] if found else "POOL"
    there = re.findall(r"\d", found["there"] or "") if found else []
    shown = (
        "`az vm list-skus --location REGION --size SIZE --zone --output table` shows what the subscription has, but"
        " AKS may"
        " have less"
    )
    if pool in ("system", "workload"):
        way = f"another size in `cluster.{pool}_pool.vm_size`, or fewer `azure.zones` in a new environment"
    else:
        way = f"`cluster.gpu_pools.{pool}.zones: [{', '.join(there)}]`, or another size"
    return f"AKS has this size in fewer zones than the environment file says; write {way} ({shown}); then {redeploy}"


def _deleted_secret(text: str, _folder: str, _redeploy: str) -> str:
    name = re.search(r"Secret\s+(\S+)\s+is\s+currently", text)
    vault = re.search(r"https://([a-z0-9-]+)\.vault\.azure\.net", text)
    command = (
        f"az keyvault secret recover --name {name[1] if name else 'NAME'} --vault-name {vault[1] if vault else 'VAULT'}"
    )
    return (
        "the secret was deleted and can be recovered; a new value would lock out what was set up with the old one, so"
        f" none is written. Recover it with\n  {command}\nand go back to the state before this run:"
        ' docs/how-to/secrets.md, "Recover a deleted secret", says how for each backend'
    )


def _say(advice: str) -> Advice:
    return lambda _text, _folder, redeploy: advice.replace("{redeploy}", redeploy)


ADVICE: tuple[tuple[str, Advice], ...] = (
    (r"^Error: The state of \S+ is cut off", _cut_off),
    (r"(?s)Error acquiring the state lock.*state file could not be parsed", _cut_off),
    ("Error acquiring the state lock", unlock),
    (
        r"^Error: [Ff]ailed to read dependency lock file",
        lambda _text, folder, redeploy: (
            f"the file is damaged; `rm {shlex.quote(folder)}/.terraform.lock.hcl`, then {redeploy}, which writes it"
            " anew"
        ),
    ),
    (
        "Backend configuration changed",
        lambda _text, folder, redeploy: (
            "the environment file names another state backend than before; move the state with "
            f"(cd {shlex.quote(folder)} && terraform init -migrate-state), then {redeploy}"
        ),
    ),
    (
        r"(?s)azurerm_postgresql_flexible_server.*Instance cannot be destroyed",
        _say(
            "the environment file names another server than the one in use, and that one is protected on purpose. After"
            " a restore that was interrupted: the same `llmctl db restore --to TIME` goes on, `llmctl db restore"
            " --abort` goes back; else bring database.generation back"
        ),
    ),
    (
        "Instance cannot be destroyed",
        _say("it holds data and is protected on purpose; docs/how-to/delete-an-environment.md lifts that"),
    ),
    (
        "Saved plan is stale",
        _say(
            "the stack was changed after this plan was made, by another run or by hand; plan again with "
            "`llmctl diff ENV --out FOLDER` and have it reviewed"
        ),
    ),
    (
        "(?s)Saved plan.*created by (?:a different version of )?Terraform|plan file was created by",
        _say("install the Terraform version that made the plan, or plan again with `llmctl diff ENV --out FOLDER`"),
    ),
    (
        r"Unable to find remote state|No stored state was found|data\.terraform_remote_state",
        _say(
            "a stack that this one reads has not been deployed; {redeploy} without naming stacks deploys all in order. "
            "In HCP Terraform its workspace may also not share its outputs: llmctl remote bootstrap"
        ),
    ),
    (
        r"AADSTS65001|AADSTS90094|[Nn]eed admin approval",
        _say(
            'an administrator has to consent to the login once: docs/how-to/login.md, "Consent"; `llmctl health` tells'
        ),
    ),
    (
        r"Request contains a property with duplicate values",
        _say(
            "Graph refuses a group whose only owner is the ordinary user who makes it; name a second owner in"
            " identity.access_group_owner_ids, give a group that exists in identity.access_group_object_id, or deploy"
            " with the role Groups Administrator; then {redeploy}"
        ),
    ),
    (
        r"(?s)delegated permission grant.*(?:Authorization_RequestDenied|Insufficient privileges)",
        _say(
            "this login may not consent for the tenant; write identity.admin_consent: false, then {redeploy}, which"
            " prints the link for an administrator; or give it what docs/reference/permissions.md lists"
        ),
    ),
    (
        r"Authorization_RequestDenied|Insufficient privileges to complete the operation",
        _say("this login lacks a permission in the directory; see docs/reference/permissions.md; then {redeploy}"),
    ),
    (
        r"ObjectIsDeletedButRecoverable|currently in a deleted but recoverable state",
        _deleted_secret,
    ),
    (
        r"unexpected\s+state\s+'ProtectionError'",
        _say(
            "the Backup vault's roles had not reached all of Azure when the protection began, and the backup that"
            " failed"
            " stays outside the state. It holds nothing yet: remove it with\n"
            "  az dataprotection backup-instance delete --name DISK --vault-name VAULT --resource-group GROUP --yes\n"
            "wait ten minutes, then {redeploy}"
        ),
    ),
    (
        r"another\s+operation\s+\(install/upgrade/rollback\)\s+is\s+in\s+progress",
        _say(
            "a run that was stopped hard left the release pending: `llmctl state unlock-release ENV` shows it, asks,"
            " and goes back to its last deployed revision; then {redeploy}"
        ),
    ),
    (
        r"lookup\s+\S+azmk8s\.io\S*:?\s+no\s+such\s+host",
        _say(
            "the name of the cluster's API server is unknown here. Where the cluster was deleted outside Terraform,"
            " name no stack: `llmctl deploy` and `llmctl destroy` of the environment ask Azure, and go on without it."
            " Where it is private: run this inside its network, docs/how-to/private-environment.md"
        ),
    ),
    (
        r"HTTP response was nil; connection may have been reset|connection reset by peer",
        _say(
            "the answer was lost, and what was asked for may have been made; {redeploy} goes on, and where it then"
            " exists already, that error comes with the command that takes it over"
        ),
    ),
    (
        r"AvailabilityZoneNotSupported|zone\(s\)\s+\S+\s+for\s+resource",
        _zones,
    ),
    (
        r"(?:Zonal|Overconstrained(?:Zonal)?)?AllocationFailed|OverconstrainedAllocationRequest",
        _say(
            "Azure has no such machine free there now; wait and {redeploy}, or write another vm_size or fewer zones for"
            " the pool in the environment file (cluster.….zones)"
        ),
    ),
    (
        r"az login|AADSTS|could not (?:acquire|obtain) access token|unable to build authorizer|obtain.*Azure CLI",
        _say("log in with `az login`, or set the ARM_* variables of a service principal; then {redeploy}"),
    ),
    (
        r"Failed to read organization(?:.|\n)*unauthorized|Required token could not be found",
        _say("HCP Terraform refuses the login or has none; run `terraform login`, then {redeploy}"),
    ),
    (
        r"parsing VMID(?:.|\n)*virtualMachineScaleSets",
        _say(
            "Terraform cannot change a disk that a node of the cluster holds; stop the pods that use it, wait until it "
            'is detached, then {redeploy}; see docs/how-to/disks.md, "Change a disk"'
        ),
    ),
    (
        r"ForbiddenByConnection|ForbiddenByFirewall|Client address is not authorized",
        _say(
            "the vault does not answer where this runs; name that address in operators.ip_ranges or "
            "vault.extra_allowed_ranges, or run inside the network. An environment whose vault is closed is made with "
            "vault.public_access: true first, see docs/how-to/private-environment.md; then {redeploy}"
        ),
    ),
    (
        "ForbiddenByRbac",
        _say(
            "a role that was just given takes up to ten minutes to reach the vault: wait, then {redeploy}. Refused"
            " still,"
            " this login has none: add its object id to operators.object_ids, and let one who is on that list"
            " deploy the"
            " stack database once"
        ),
    ),
    (
        "RequestDisallowedByPolicy|disallowed by policy|ScopeLocked|scope.* (?:is|are) locked",
        _say(
            "a policy or a lock in Azure refuses. Where it is the platform's own, named `…keep…`, the resource holds "
            "data: docs/how-to/delete-an-environment.md tells how to lift that"
        ),
    ),
    (
        r"AuthorizationFailed|does not have authorization|StatusCode=403|unexpected status 403",
        _say(
            "your account lacks a role for this: Owner on the subscription, or Contributor with User Access "
            "Administrator, since roles, locks and policies are made; for identity see docs/reference/permissions.md"
        ),
    ),
    (
        r"QuotaExceeded|exceeding approved .* quota|OperationNotAllowed.*[Cc]ores|SkuNotAvailable",
        _say("raise the quota in the subscription, or choose another VM size or region in the environment file"),
    ),
    (
        r"TooManyRequests|status(?: code)?:? 429|Throttl",
        _say("Azure limits the rate of requests; wait a minute, then {redeploy}"),
    ),
    (
        r"Failed to (?:query available provider packages|install provider)|could not connect to registry",
        _say("Terraform could not fetch its providers; check the network and the proxy (HTTPS_PROXY), then {redeploy}"),
    ),
)
