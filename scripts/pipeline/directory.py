"""Permissions of a pipeline's identities in the directory, given through Microsoft Graph."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from .identities import Identity, Purpose
from .place import Place, Principal
from .steps import Step

_GRAPH = "https://graph.microsoft.com/v1.0/servicePrincipals"
_GRAPH_APPLICATION = "00000003-0000-0000-c000-000000000000"


def permissions(
    place: Place,
    identities: Sequence[Identity],
    principals: Mapping[Purpose, Principal],
    ask: Callable[..., dict[str, Any]],
) -> Iterator[Step]:
    """Yield the permissions that are missing; a step reads `principals` when it is carried out. Raises AzureError."""
    if not any(identity.directory for identity in identities):
        return
    url = f"{_GRAPH}(appId='{_GRAPH_APPLICATION}')?$select=id,appRoles"
    graph = ask("rest", "--method", "GET", "--url", url)
    ids = {role["value"]: role["id"] for role in graph["appRoles"]}
    for identity in identities:
        principal = principals.get(identity.purpose)
        held = set()
        if principal:
            listed = ask("rest", "--method", "GET", "--url", f"{_GRAPH}/{principal.object_id}/appRoleAssignments")
            held = {item["appRoleId"] for item in listed["value"] if item["resourceId"] == graph["id"]}
        name = place.identity(identity.purpose)
        for permission, means in identity.directory:
            if ids[permission] not in held:
                act = partial(
                    _permit,
                    ask,
                    principals,
                    identity.purpose,
                    {"resourceId": graph["id"], "appRoleId": ids[permission]},
                )
                yield Step(f"permit {name} {permission} in the directory: {means}", act)


def _permit(
    ask: Callable[..., dict[str, Any]], principals: Mapping[Purpose, Principal], purpose: Purpose, role: dict[str, str]
) -> None:
    principal = principals[purpose].object_id
    url = f"{_GRAPH}/{principal}/appRoleAssignments"
    ask("rest", "--method", "POST", "--url", url, "--body", json.dumps({"principalId": principal, **role}))
