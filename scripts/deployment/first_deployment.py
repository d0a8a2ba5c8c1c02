"""The checks before a deployment: of stacks of which nothing stands yet, everything that would stop it halfway."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from scripts.core.console import Terminal, err
from scripts.core.errors import ExitCode, OperatorError
from scripts.preflight.findings import Outcome
from scripts.preflight.run import Report, Told
from scripts.preflight.shown import lines, summary
from scripts.preflight.tools import IN_CLUSTER
from scripts.terraform.program import require_terraform
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError
from scripts.tools.bring import Cache, own_cache, provide
from stacks.settings import Settings
from stacks.settings.identity import IdentitySettings

from . import login_consent


class Preflight(Protocol):
    """Runs the checks; `scripts.preflight.real.preflight` outside of tests."""

    def __call__(
        self, settings: Settings, stacks: Collection[str], told: Told, *, undeployed: Collection[str]
    ) -> Report:
        """Return what was found for these stacks."""


def checked(ask: Preflight, settings: Settings, stacks: Collection[str], *, undeployed: Collection[str]) -> Report:
    """Return what the checks found, with a line meanwhile that says which are waited for.

    Programs that the machine lacks are fetched first; the check of tools tells which cannot be had.
    """
    fetch_tools(stacks)
    with err.status(f"Checking what {settings.name} needs") as status:
        return ask(
            settings,
            stacks,
            lambda waiting: status.update(f"Checking what {settings.name} needs: {', '.join(waiting)}"),
            undeployed=undeployed,
        )


def fetch_tools(stacks: Collection[str], cache: Cache | None = None) -> None:
    """Bring the programs that a deployment of these stacks needs, where the machine lacks them and they can be had."""
    own = own_cache(cache)
    if not own.allowed:
        return
    needed: list[Callable[[], object]] = [lambda: require_terraform(own)]
    if not IN_CLUSTER.isdisjoint(stacks):
        needed += [partial(provide, name, cache=own) for name in ("kubelogin", "kubectl")]
    for bring in needed:
        try:
            bring()
        except OperatorError as error:
            err.print(error.message, markup=False, soft_wrap=True)


def check_before(
    run: Rollout, settings: Settings, *, ask: Preflight, terminal: Terminal, yes: bool = False, skip: bool = False
) -> None:
    """Show what would stop the first deployment of a stack, and ask whether to go on; say whose consent is missing.

    Nothing is asked where nothing failed. Raises OperatorError (REFUSED) where somebody says no, or nobody is there.
    """
    # Of a stack that is deployed, Azure has shown that it may be made; a reviewed plan was checked before.
    new = [] if run.reviewed or skip else _new(run)
    if new:
        report = checked(ask, settings, new, undeployed=new)
        for line in lines(report):
            err.print(line, markup=False, soft_wrap=True)
        err.print(summary(report), markup=False)
        if report.failed:
            _confirm(settings.name, report, terminal, yes=yes)
    print_consent(run, settings.identity)


def print_consent(run: Rollout, identity: IdentitySettings) -> None:
    """Print the consent that an administrator still has to give, nothing where none is missing."""
    for line in login_consent.outstanding(identity, run):
        err.print(line, markup=False, soft_wrap=True)


def _new(run: Rollout) -> list[str]:
    """Return the stacks of which nothing stands yet; one whose state cannot be read counts as deployed."""

    def is_new(stack: str) -> bool:
        try:
            state = run.runner(stack).pull() or {}
        except TerraformError:
            return False
        return not state.get("outputs") and not any(one.get("mode") == "managed" for one in state.get("resources", ()))

    with ThreadPoolExecutor(max_workers=run.parallelism) as pool:
        return [stack for stack, new in zip(run.stacks, pool.map(is_new, run.stacks), strict=True) if new]


def _confirm(environment: str, report: Report, terminal: Terminal, *, yes: bool) -> None:
    again = f"put it right, then `llmctl preflight {environment}`; `--skip-preflight` deploys all the same"
    failed = ", ".join(result.check.name for result in report.of(Outcome.FAILED))
    if yes or not terminal.interactive():
        raise OperatorError(
            f"checks before a first deployment failed: {failed}; nothing was done", again, ExitCode.REFUSED
        )
    answer = terminal.ask(f"Failed: {failed}. Deploy all the same, and stop there? [y/N]")
    if answer.lower() not in ("y", "yes"):
        raise OperatorError("not confirmed, so nothing was done", again, ExitCode.REFUSED)
