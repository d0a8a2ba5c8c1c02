"""`llmctl state adopt`: a lost state is made again from what exists."""

from collections.abc import Iterator

from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.core.console import err, report
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.review.changes import Kind
from scripts.terraform.adopting.adoption import Adopted, Adoption, Find
from scripts.terraform.adopting.lookups import Lookups
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.prepare import Job
from scripts.terraform.scratch import EMPTY, Scratch, discard
from scripts.terraform.stack import NotDeployedError, StackRunner, TerraformError
from scripts.terraform.state.cut_off import cut_state
from stacks.settings.azure import AzureSettings

COPY = "adopt"


def adopt(
    environment: str,
    azure: AzureSettings,
    stack: str,
    tools: Tools,
    consent: Consent,
    *,
    dry_run: bool,
    find: Find | None = None,
) -> Adopted:
    """Import what exists of a stack, show it, ask, and write its state. Raises OperatorError."""
    job = Job("state adopt", Targets(environment, (stack,)), tools.workspace(environment))
    with tools.rollout(job) as run:
        real = run.runner(stack)
        try:
            serial = _serial(real)
            scratch = Scratch.of(real, COPY, f"{stack} {serial}")
            report(f"Importing what exists of {stack} into a copy; the real state is not touched")
            found = Adoption(scratch, azure.subscription_id, find or Lookups().find, report).run()
        except NotDeployedError:
            needed = ", ".join(sorted(run.stacks[stack].dependencies))
            raise OperatorError(
                f"{stack} reads a state that is not there ({needed})",
                f"`llmctl state adopt {environment} STACK` for those first",
                ExitCode.NOT_READY,
            ) from None
        except TerraformError as error:
            print_failures([(real, error)], f"llmctl state adopt {environment} {stack}")
            raise OperatorError(f"{stack} cannot be planned; nothing was written") from None
        for line in shown(found, stack, environment):
            report(line)
        cut = cut_state(real.stack.folder)
        if not found.imported and cut is None:
            discard(real, COPY)
            return found
        what = f"these {len(found.imported)} resources"
        if cut:
            what += " beside what was there before" if cut.kept else ""
            report(f"The state is cut off; what is left of it is kept as {cut.file.name}.TIME.cut-off.")
        if not dry_run:
            consent.obtain(f"Write {what} into the state of {stack}?", {})
            try:
                if _serial(real) != serial:
                    raise OperatorError(f"somebody has changed the state of {stack} meanwhile", "run this again")
                scratch.switch()
            except TerraformError as error:
                raise OperatorError(f"the state could not be written: {error.output.strip()}") from None
            discard(real, COPY)
            err.print(f"Written. `llmctl diff {environment} {stack}` shows what is left.", markup=False)
    return found


def _serial(real: StackRunner) -> int:
    return int((real.pull() or EMPTY)["serial"])


def shown(found: Adopted, stack: str, environment: str) -> Iterator[str]:
    """Yield what an adoption has found and what a deployment would do afterwards, line by line."""
    yield f"{stack}: {len(found.imported)} imported, {len(found.left)} not"
    for address, why in found.left.items():
        yield f"  {address}: {why}"
    if not found.imported and not found.left:
        yield f"The state of {stack} lacks nothing."
    elif found.plan.changes.empty:
        yield "A deployment would change nothing."
    else:
        yield f"`llmctl deploy {environment} {stack}` would do: {found.plan.changes}"
        for change in found.plan.resources:
            yield f"  {change.kind.value} {change.address}"
        if upgraded := _upgraded_once(found):
            yield (
                f"  Helm tells neither chart nor values of a release that is imported, so that {upgraded} of these"
                " upgrade a release once to what is configured; pods whose templates stay the same go on."
            )


def _upgraded_once(found: Adopted) -> int:
    return sum(
        (change.type, change.kind) == ("helm_release", Kind.UPDATE) and change.address in found.imported
        for change in found.plan.resources
    )
