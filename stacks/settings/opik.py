"""Tracing and evaluation: Opik."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .identity import OWN_GROUP
from .one_way.marks import DeletesOlder, NoWayBack
from .types import Model, ObjectId, PoolName, text


class OpikProfile(StrEnum):
    """How much memory and processor Opik's containers get."""

    SMALL = "small"
    STANDARD = "standard"


_OWN_TRACES_GROUP = replace(OWN_GROUP, only_while=(("identity.manage", "true"), ("opik.enabled", "true")))


class OpikSettings(Model):
    """Opik, tracing and evaluation."""

    enabled: bool = True
    """Whether the platform has tracing and evaluation."""
    access_group_object_id: Annotated[ObjectId | None, _OWN_TRACES_GROUP] = None
    """Existing Entra group whose members may see all traces; left out, a group is created with the operators in it
    (with `identity.manage: false`: the platform's access group)."""
    version: Annotated[
        Annotated[str, text(r"^\d{1,3}\.\d{1,3}\.\d{1,4}$", "a release of Opik such as 2.1.23")] | None,
        NoWayBack(
            stack="disks",
            effect="platform",
            why="its databases are migrated, and only `llmctl opik rollback` knows whether it can live with that",
            unless="disks.generations.mysql",
            only_while=(("opik.enabled", "true"),),
            agreeable=True,
        ),
    ] = None
    """Release of chart and application; left out, the one that `helm/charts.yaml` pins. `llmctl opik upgrade` and
    `llmctl opik rollback` write it, after they have looked at backups and schema migrations."""
    profile: OpikProfile = OpikProfile.SMALL
    """Requests and limits of every container: `small` asks for 1.1 vCPU and 11 GiB, `standard` for 4 and 28."""
    replicas: Annotated[int, Field(ge=1, le=10)] = 1
    """Backend pods that are always there. Each migrates the schema as it starts: install with 1, raise it later."""
    max_replicas: Annotated[int, Field(ge=1, le=20)] = 1
    """Backend pods that the autoscaler may reach by processor load; equal to `replicas`, there is no autoscaler."""
    login_replicas: Annotated[int, Field(ge=1, le=10)] = 1
    """Pods of the proxy that logs people in."""
    retention_days: Annotated[
        Literal[14, 60, 400] | None,
        DeletesOlder(
            stack="disks",
            effect="platform",
            why="Opik deletes older traces, and only a backup set brings them back",
            only_while=(("opik.enabled", "true"),),
            agreeable=True,
        ),
    ] = None
    """How long traces are kept, the times that Opik knows; left out, for ever. Deploy, then `llmctl opik retention`."""
    python_evaluators: bool = False
    """Whether rules may score traces by Python code that people write in Opik. Everybody who reaches Opik can then run
    code in a pod of its own, as nobody, without network or secrets."""
    guardrails_pool: PoolName | None = None
    """GPU pool that the guardrails service runs on; left out, there is none. Its image can only be built."""
