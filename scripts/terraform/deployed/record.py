"""What is deployed of the values that cannot go back, read from the states wherever the environment keeps them."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from scripts.core.deployed_record import recorded
from scripts.core.processes import Processes
from scripts.core.schedule import PARALLELISM
from scripts.core.tiers import STACKS
from scripts.core.workspace import Workspace
from stacks.settings import Settings
from stacks.settings.one_way.steps import Record

from ..program import require_terraform
from ..state.places import State, place


def deployed_records(settings: Settings, workspace: Workspace) -> Mapping[str, Record]:
    """Return by stack what is deployed. Raises OperatorError where a state cannot be read."""
    return {stack: recorded(state) for stack, state in deployed_states(settings, workspace).items()}


def deployed_states(settings: Settings, workspace: Workspace) -> dict[str, State]:
    """Return the state of every stack that has one. Raises OperatorError where one cannot be read."""
    states = place(settings, "check", workspace, require_terraform(), Processes())
    with ThreadPoolExecutor(max_workers=PARALLELISM) as pool:
        found = dict(zip(STACKS, pool.map(states.read, STACKS), strict=True))
    return {stack: state for stack, state in found.items() if state}
