"""`llmctl state migrate`: the states of an environment, moved to where its file says now."""

from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.tiers import STACKS
from scripts.core.workspace import CACHE
from scripts.terraform.deployed.groups import require_all_states
from scripts.terraform.program import require_terraform
from scripts.terraform.state.migration import Need, carry_out, plan_moves
from scripts.terraform.state.places import place, settings_of


def migrate(source: str, target: str, tools: Tools, *, dry_run: bool, yes: bool) -> None:
    """Copy every state from the backend that `source` names to that of `target`; each names a version of one file.

    Raises OperatorError, with the old states as they were.
    """
    before, after = settings_of(source), settings_of(target)
    if (before.name, before.prefix) != (after.name, after.prefix):
        raise OperatorError(
            f"{source} is {before.prefix}-{before.name}, {target} is {after.prefix}-{after.name}",
            "name two versions of one environment's file",
            ExitCode.USAGE,
        )
    if before.state == after.state:
        raise OperatorError(
            f"{source} and {target} keep the state in one place ({after.state.backend.value})",
            f"change `state` in the file of {after.name} first; FROM names the version before that",
            ExitCode.USAGE,
        )
    processes, terraform = Processes(), require_terraform()
    workspace = tools.workspace(after.name)
    with environment_lock(CACHE / "locks", workspace.lock_name, "state migrate"), processes.forwarding_signals():
        old = place(before, "from", workspace, terraform, processes)
        new = place(after, "to", workspace, terraform, processes)
        with err.status("Reading both backends"):
            moves = plan_moves(old, new, STACKS)
        for move in moves:
            out.print(f"{move.stack}: {move.need.value}, {move.resources} resources", markup=False)
        if warning := require_all_states(after, moves, tools.resource_groups):
            err.print(f"Warning: {warning}", markup=False)
        if dry_run or not any(move.need is Need.COPY for move in moves):
            return
        Consent(after.name, yes, terminal=tools.terminal).obtain(f"Copy them to {after.state.backend.value}?", {})
        for move in carry_out(moves, old, new):
            out.print(f"{move.stack}: {move.resources} resources arrived", markup=False)
    err.print(
        f"The old states are left as they are. `llmctl diff {after.name}` has to show no changes; then delete them.",
        markup=False,
    )
