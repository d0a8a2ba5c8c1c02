"""Moves the states of an environment from one place to another: copied, compared, never overwritten blindly."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from scripts.core.errors import ExitCode, OperatorError

from .places import Place, State

_CONTENT = ("resources", "outputs")
"""What makes two states the same. HCP Terraform gives a state that is pushed to it a new lineage and serial."""


class Need(StrEnum):
    """What one stack's state needs."""

    NOTHING = "nothing deployed"
    THERE = "already there"
    COPY = "to copy"


@dataclass(frozen=True)
class Move:
    """One stack's way from one place to the other."""

    stack: str
    need: Need
    resources: int
    """Resource instances in the state that is moved."""


def plan_moves(source: Place, target: Place, stacks: tuple[str, ...]) -> list[Move]:
    """Return what each stack needs. Raises OperatorError when the target holds what the move would lose."""
    return [_plan(stack, source.read(stack), target.read(stack)) for stack in stacks]


def carry_out(moves: list[Move], source: Place, target: Place) -> Iterator[Move]:
    """Copy what needs it, one stack after the other, and yield each that has arrived whole.

    The source is left as it is. May be interrupted and run again. Raises OperatorError when a state changed meanwhile
    or arrived different.
    """
    for move in moves:
        if move.need is not Need.COPY:
            continue
        state = source.read(move.stack)
        if state is None:
            raise _changed(move.stack)
        target.write(move.stack, state)
        arrived, still = target.read(move.stack), source.read(move.stack)
        if arrived is None or not _same(arrived, state):
            raise OperatorError(
                f"{move.stack}: the state did not arrive as it was sent; the source is untouched",
                "do not deploy; look at both states with `terraform state pull` and run this again",
            )
        if still is None or still["serial"] != state["serial"]:
            raise _changed(move.stack)
        yield move


def addresses(state: State) -> set[str]:
    """Return every resource instance in a state, by address and key."""
    return {
        ".".join([resource.get("module", ""), resource["mode"], resource["type"], resource["name"]])
        + f"[{instance.get('index_key')}]"
        for resource in state["resources"]
        for instance in resource["instances"]
    }


def _plan(stack: str, here: State | None, there: State | None) -> Move:
    if here is None:
        return Move(stack, Need.THERE if there else Need.NOTHING, len(addresses(there)) if there else 0)
    count = len(addresses(here))
    if there is None:
        return Move(stack, Need.COPY, count)
    if _same(here, there):
        return Move(stack, Need.THERE, count)
    lost = sorted(addresses(there) - addresses(here))
    if there["lineage"] != here["lineage"]:
        reason = f"holds {len(addresses(there))} resources of another deployment, or an older copy of this one"
    elif there["serial"] >= here["serial"]:
        reason = "was deployed to after the move began, so it is the newer one"
    elif lost:
        reason = f"holds {len(lost)} resources that the source lacks, such as {lost[0]}"
    else:
        return Move(stack, Need.COPY, count)
    raise OperatorError(
        f"{stack}: the target {reason}; nothing was written",
        "move the other way round, or empty the target by hand when you know that it is of no use",
        ExitCode.REFUSED,
    )


def _same(one: State, other: State) -> bool:
    return all(one.get(key) == other.get(key) for key in _CONTENT)


def _changed(stack: str) -> OperatorError:
    return OperatorError(
        f"{stack}: its state changed while it was being moved", "let nobody deploy meanwhile, and run this again"
    )
