"""Terraform's errors: cut out of its output, and explained where the way on is known."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

_FRAME = re.compile(r"^[╷│╵] ?", re.MULTILINE)
_HEADING = re.compile(r"^(?=(?:Error|Warning): )", re.MULTILINE)
_EXISTS = re.compile(r'[Aa]\s+resource\s+with\s+the\s+ID\s+"(?P<id>[^"]+)"\s+already\s+exists')
_ADDRESS = re.compile(r"^\s*with (?P<address>[^\s,]+),?$", re.MULTILINE)
_HELD_WORKSPACE = re.compile(r'workspace already locked \(lock ID: "(?P<id>[^"]+)"\)')
_LOCK_FIELD = re.compile(r"^\s*(ID|Who|Operation|Created):\s+(.+)$", re.MULTILINE)

REINIT = re.compile(
    r"Backend initialization required|Inconsistent dependency lock file"
    r"|Required plugins are not installed|Module not installed|there is no package for"
    r"|does not match any of the checksums recorded|Could not load plugin"
)
"""`terraform init` has to run (again) in the stack's folder."""

MISSING_STATE = re.compile(
    r"Unable to find remote state|No stored state was found"
    r"|on cdk\.tf\.json(?:.|\n)*?data\.terraform_remote_state(?:.|\n)*?does not have an attribute named"
    r"|Unsupported attribute(?:.|\n)*?data\.terraform_remote_state"
)
"""A stack reads another one that has not been deployed."""

PREVENT_DESTROY = re.compile(r"Instance cannot be destroyed|prevent_destroy")


@dataclass(frozen=True)
class Diagnosis:
    """One error of Terraform."""

    text: str
    """What Terraform says, without its frame."""
    fix: str = ""
    """What to do, where it is known."""


def errors(output: str) -> list[str]:
    """Return Terraform's error messages, without frames and warnings."""
    messages = _HEADING.split(_FRAME.sub("", output))[1:]
    return [message.strip() for message in messages if message.startswith("Error: ")]


def diagnose(output: str, folder: str, redeploy: str) -> list[Diagnosis]:
    """Return the errors in Terraform's output, each with its fix where one is known.

    `folder` is the stack's folder as the operator would type it, `redeploy` the command to run afterwards.
    """
    return [Diagnosis(text, _fix(text, folder, redeploy)) for text in errors(output)]


def existing(output: str) -> dict[str, str]:
    """Return what Terraform could not create because it exists already: address to id."""
    found = {}
    for text in errors(output):
        exists, address = _EXISTS.search(text), _ADDRESS.search(text)
        if exists and address:
            found[address["address"]] = exists["id"]
    return found


def _fix(text: str, folder: str, redeploy: str) -> str:
    if exists := _EXISTS.search(text):
        address = _ADDRESS.search(text)
        target = shlex.quote(address["address"]) if address else "ADDRESS"
        command = f"(cd {shlex.quote(folder)} && terraform import {target} {shlex.quote(exists['id'])})"
        origin = "it exists already, from an interrupted run or made by hand"
        return f"{origin}; take it over with\n  {command}\nthen {redeploy}"
    for pattern, advice in _ADVICE:
        if re.search(pattern, text):
            return advice(text, folder, redeploy)
    return ""


def _unlock(text: str, folder: str, redeploy: str) -> str:
    if held := _HELD_WORKSPACE.search(text):
        # HCP Terraform does not tell who; the fields are those of the lock that was asked for.
        return (
            f"another run holds the state ({held['id']}; its page in HCP Terraform tells whose); wait for it. If it is "
            f"dead: (cd {shlex.quote(folder)} && terraform force-unlock {held['id']}), then {redeploy}"
        )
    found = dict(_LOCK_FIELD.findall(text))
    lock = found.get("ID", "ID")
    return (
        f"another run holds the state since {found.get('Created', '?')} ({found.get('Who', '?')}); wait for it. "
        f"If it is dead: (cd {shlex.quote(folder)} && terraform force-unlock {lock}), then {redeploy}"
    )


def _say(advice: str) -> Callable[[str, str, str], str]:
    return lambda _text, _folder, redeploy: advice.replace("{redeploy}", redeploy)


_ADVICE: tuple[tuple[str, Callable[[str, str, str], str]], ...] = (
    ("Error acquiring the state lock", _unlock),
    (
        "Backend configuration changed",
        lambda _text, folder, redeploy: (
            "the environment file names another state backend than before; move the state with "
            f"(cd {shlex.quote(folder)} && terraform init -migrate-state), then {redeploy}"
        ),
    ),
    (
        "Instance cannot be destroyed",
        _say("the resource holds data and is protected on purpose; docs/cli.md tells how to lift that deliberately"),
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
            'is detached, then {redeploy}; see docs/data.md, "Change a disk"'
        ),
    ),
    (
        r"ForbiddenByConnection|ForbiddenByFirewall|Client address is not authorized",
        _say(
            "the vault does not answer where this runs; name that address in operators.ip_ranges or "
            "vault.extra_allowed_ranges, or run inside the network. An environment whose vault is closed is made with "
            "vault.public_access: true first, see docs/network.md; then {redeploy}"
        ),
    ),
    (
        "ForbiddenByRbac",
        _say(
            "this login may not write to the vault; add its object id to operators.object_ids, and let one who is on "
            "that list deploy the stack database once"
        ),
    ),
    (
        "RequestDisallowedByPolicy|disallowed by policy|ScopeLocked|scope.* (?:is|are) locked",
        _say(
            "a policy or a lock in Azure refuses. Where it is the platform's own, named `…keep…`, the resource holds "
            "data: docs/cli.md tells how to lift that deliberately"
        ),
    ),
    (
        r"AuthorizationFailed|does not have authorization|StatusCode=403|unexpected status 403",
        _say(
            "your account lacks a role for this: Owner on the subscription, or Contributor with User Access "
            "Administrator, since roles, locks and policies are made; for the stack identity see docs/identity.md"
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
