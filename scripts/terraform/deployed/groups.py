"""Whether Azure holds an environment that no state here knows."""

from collections.abc import Callable, Sequence

from scripts.core.azure import az_list
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings

from ..state.migration import Move, Need

Groups = Callable[[str], list[str]]
"""Gives the names of the resource groups in a subscription. Raises OperatorError."""


def resource_groups(subscription: str) -> list[str]:
    """Return the names of all resource groups of a subscription. Raises AzureError."""
    return [str(group["name"]) for group in az_list("group", "list", "--subscription", subscription)]


def require_all_states(settings: Settings, moves: Sequence[Move], groups: Groups) -> str:
    """Return when no stack that is deployed lacks a state in both places, with a warning where that cannot be known.

    Raises OperatorError (REFUSED) naming the resource groups of stacks that are deployed and have none, and where
    nothing has one and Azure cannot be asked: "nothing deployed" would then be a guess.
    """
    lacking = {
        settings.azure_names.resource_group(move.stack).lower(): move.stack
        for move in moves
        if move.need is Need.NOTHING
    }
    if not lacking:
        return ""
    try:
        found = {name.lower() for name in groups(settings.azure.subscription_id)}
    except OperatorError as error:
        if len(lacking) == len(moves):
            raise
        return f"whether {', '.join(lacking.values())} are deployed could not be asked: {error.message}"
    deployed = sorted(found & lacking.keys())
    if deployed:
        raise OperatorError(
            f"{', '.join(lacking[group] for group in deployed)}: no state in either place, but the subscription holds"
            f" {', '.join(deployed)}; nothing was copied",
            f"run this in the checkout whose state/{settings.name}/ the deployments used, or name the right FROM",
            ExitCode.REFUSED,
        )
    return ""
