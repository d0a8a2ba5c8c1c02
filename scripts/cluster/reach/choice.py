"""Which way to the Kubernetes API this machine takes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.tailscale.release import api_proxy
from stacks.settings import Settings
from stacks.settings.azure import ClusterAccess

VARIABLE = "LLMCTL_CLUSTER_ACCESS"
"""Says for one machine what `operators.cluster_access` says for all."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The way that is taken, and what it needs to know."""

    way: ClusterAccess
    jump_host: str = ""
    proxy: str = ""
    """Name in the tailnet at which Tailscale's operator passes the API on."""
    subscription: str = ""


def chosen(settings: Settings, variables: Mapping[str, str] | None = None) -> Choice:
    """Return the way to an environment's cluster, as its file says and, for this machine, LLMCTL_CLUSTER_ACCESS.

    Raises OperatorError (USAGE) for a way that the environment does not have.
    """
    operators = settings.operators
    given = (os.environ if variables is None else variables).get(VARIABLE, "")
    ways = [way.value for way in ClusterAccess]
    if given and given not in ways:
        raise OperatorError(f"{VARIABLE}={given} is no way to a cluster", f"one of {', '.join(ways)}", ExitCode.USAGE)
    way = ClusterAccess(given) if given else operators.cluster_access
    if way is ClusterAccess.JUMP_HOST and not operators.jump_host:
        raise _missing(settings.name, "a jump host", "operators.jump_host: HOST")
    if way in (ClusterAccess.TAILSCALE, ClusterAccess.COMMAND_INVOKE) and way is not operators.cluster_access:
        raise _missing(settings.name, f"the way {way.value}", f"operators.cluster_access: {way.value}")
    return Choice(
        way=way,
        jump_host=operators.jump_host or "",
        proxy=api_proxy(settings.azure_names.base),
        subscription=settings.azure.subscription_id,
    )


def _missing(environment: str, what: str, key: str) -> OperatorError:
    return OperatorError(
        f"{environment} does not have {what}",
        f"write `{key}` into environments/{environment}.yaml and deploy it, or unset {VARIABLE}",
        ExitCode.USAGE,
    )
