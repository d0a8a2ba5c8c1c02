"""What is wrong before the cluster is asked: the login, the cluster's own state, Terraform's states."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scripts.core.errors import OperatorError

from .problem import Finding, Problem

LOGIN = Problem(
    id="login-expired",
    title="The login has expired",
    symptoms=(
        "AADSTS70043",
        "AADSTS50173",
        "AADSTS700082",
        "ExpiredAuthenticationToken",
        "Unauthorized",
        "You must be logged in to the server",
        "Please run 'az login'",
        "refresh token has expired",
    ),
    why="Entra wants you to log in again, or somebody changed the password or took the session away.",
    fix="`az login`, then the same command again.",
)
NO_ROLE = Problem(
    id="no-role-in-cluster",
    title="The login may not read the cluster",
    symptoms=("Forbidden", "cannot list resource", "does not have access"),
    why="The account is not among the operators, or Azure has not spread the role yet (up to ten minutes).",
    fix="Add it to `operators` in `environments/{ENV}.yaml` and let somebody who may run `llmctl deploy {ENV} aks`.",
)
UNREACHABLE = Problem(
    id="cluster-unreachable",
    title="The cluster's API does not answer",
    symptoms=("Unable to connect to the server", "no such host", "i/o timeout", "TLS handshake timeout"),
    why="The cluster is stopped, its allowed addresses do not hold yours, or it is private.",
    fix="Stopped: `az aks start --name CLUSTER --resource-group GROUP`. Allowed addresses:"
    " `cluster.api_authorized_ranges`. Private: a way of `operators.cluster_access`, docs/how-to/private-access.md.",
)
STOPPED = Problem(
    id="cluster-stopped",
    title="The cluster is stopped",
    symptoms=("powerState: Stopped", "no such host"),
    why="Somebody stopped it, or its off-hours have begun; disks, addresses and databases stay.",
    fix="`az aks start --name {cluster} --resource-group {group}`",
)
FAILED = Problem(
    id="resource-failed",
    title="A resource of Azure is in a failed state",
    symptoms=("provisioningState: Failed", "OperationNotAllowed", "AnotherOperationInProgress"),
    why="Its last change did not end; Azure refuses others until it is repaired.",
    fix="`llmctl deploy {ENV}` applies it again; if Azure still refuses: `az resource update --ids ID`.",
)
TAINTED = Problem(
    id="resource-tainted",
    title="A resource was half made",
    symptoms=("tainted", "is tainted, so must be replaced", "deposed object"),
    why="Its creation failed after Azure had begun; the next deployment destroys and makes it again.",
    fix="`llmctl diff {ENV} {stack}` shows what would be lost; is it whole: `terraform untaint {address}` in"
    " cdktf.out/{ENV}/stacks/{stack}, else `llmctl deploy {ENV}`.",
)

_LOGIN = re.compile("|".join(map(re.escape, LOGIN.symptoms)), re.IGNORECASE)


def of_error(error: OperatorError) -> Finding:
    """Return why the cluster could not be asked at all."""
    said = " ".join(f"{error.message} {error.fix}".split())
    if _LOGIN.search(said) or getattr(error, "not_logged_in", False):
        problem = LOGIN
    elif any(word in said for word in NO_ROLE.symptoms):
        problem = NO_ROLE
    else:
        problem = UNREACHABLE
    return Finding(problem=problem, where="cluster", detail=error.message)


def of_cluster(cluster: Mapping[str, Any]) -> Iterator[Finding]:
    """Return what Azure says of the managed cluster and its pools (`az aks show`)."""
    name, group = str(cluster.get("name")), str(cluster.get("resourceGroup"))
    if (cluster.get("powerState") or {}).get("code") == "Stopped":
        yield Finding(
            problem=STOPPED, where=name, detail="Azure says Stopped", values={"cluster": name, "group": group}
        )
    places = {name: cluster, **{f"{name}/{pool['name']}": pool for pool in cluster.get("agentPoolProfiles") or []}}
    for where, one in places.items():
        if one.get("provisioningState") in ("Failed", "Canceled"):
            yield Finding(problem=FAILED, where=where, detail=f"Azure says {one['provisioningState']}")


def of_states(outlines: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Return resources that the outlines of states mark (`state_parts.outline`)."""
    for stack, outline in outlines.items():
        for resource in outline["resources"]:
            if resource.get("tainted") or resource.get("deposed"):
                what = "tainted" if resource.get("tainted") else "deposed"
                yield Finding(
                    problem=TAINTED,
                    where=f"{stack}: {resource['address']}",
                    detail=what,
                    values={"stack": stack, "address": resource["address"]},
                )
