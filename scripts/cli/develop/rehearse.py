"""`llmctl rehearse`: an environment deployed without Azure, by the real cdktf and Terraform."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from scripts.cli.health.rehearsed import parts
from scripts.cli.health.steps import go, show
from scripts.core.console import err, out, working
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.progress import Board
from scripts.core.targets import complete_environment, load_environment, parse_targets
from scripts.core.tiers import DISPOSABLE, DURABLE
from scripts.core.workspace import CACHE, ROOT
from scripts.deployment.ending import ending, next_steps, private_steps
from scripts.lab.rehearsal.drive import FOLDER, CdktfError, Rehearsal
from scripts.lab.rehearsal.follow import Follower, first_error
from scripts.lab.rehearsal.real.rehearsal import real_rehearsal
from scripts.review.plan import total
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.program import require_terraform
from scripts.terraform.summary import print_plans
from stacks.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


class Providers(StrEnum):
    """What answers Terraform in a rehearsal."""

    FAKE = "fake"
    REAL = "real"


@app.command()
def rehearse(
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", help="Environment to rehearse.", autocompletion=complete_environment),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Continue from the state of the last rehearsal, to see an upgrade.")
    ] = False,
    prove: Annotated[bool, typer.Option("--prove", help="Then run the tests of the whole life cycle.")] = False,
    providers: Annotated[
        Providers,
        typer.Option(
            "--providers",
            help="fake: fake providers for all five. real: the real kubernetes, helm and random providers, from the "
            "registry or the folder PROVIDERS_DIR, on the cluster of `llmctl cluster` or of KUBECONFIG.",
        ),
    ] = Providers.FAKE,
) -> None:
    """Deploy an environment on fake providers, without Azure and without cost.

    Runs the real cdktf and the real Terraform on the same configuration, with output, state and the fake cloud under
    .cache/rehearsal. Deploys all stacks, checks that a second plan is empty, and prints the result.
    With real providers, charts come from CHARTS_DIR or from their repositories, and pods are simulated.

    Examples: `llmctl rehearse`, `llmctl rehearse prod --prove`
    """
    name = parse_targets([] if environment is None else [environment]).environment
    require_terraform()
    settings = load_environment(name)
    started = time.monotonic()
    err.print(coming(name, providers, prove=prove), markup=False)
    with environment_lock(CACHE / "locks", f"{name}-rehearsal", "rehearse"):
        with _prepared(settings, providers, fresh=not keep) as rehearsal:
            _bring_up(rehearsal)
            _print_standing(rehearsal, time.monotonic() - started)
        if providers is Providers.REAL and not os.environ.get("KUBECONFIG"):
            out.print("The cluster goes on running: `llmctl cluster status` says where, `llmctl cluster down` ends it.")
    if prove and _prove(name, providers):
        raise typer.Exit(ExitCode.FAILED)


def coming(name: str, providers: Providers, *, prove: bool) -> str:
    """Return what a rehearsal is about to do, how long that takes on two cores, and what it fills."""
    stacks = len(DURABLE) + len(DISPOSABLE)
    takes = (
        "2 to 3 minutes on two cores, less than 0.1 GB"
        if providers is Providers.FAKE
        else "10 minutes on two cores, some GB"
    )
    then = " Then come the tests of the whole life cycle, which take longer." if prove else ""
    return (
        f"Deploys the {stacks} stacks of {name} on {providers.value} providers: about {takes} below {_shown(CACHE)}."
        f" No cloud is touched.{then}"
    )


@contextmanager
def _prepared(settings: Settings, providers: Providers, *, fresh: bool) -> Iterator[Rehearsal]:
    """Give a rehearsal with its providers, within what real ones need. Raises OperatorError where that is missing."""
    if providers is Providers.FAKE:
        with working("Preparing the fake providers"):
            rehearsal = Rehearsal(settings, fresh=fresh)
        yield rehearsal
        return
    with ExitStack() as stack:
        with err.status("Looking at providers and cluster") as shown:

            def say(text: str) -> None:
                shown.update(text)
                if not err.is_terminal:
                    err.print(text, markup=False)

            folder = FOLDER / f"{settings.name}-real"
            rehearsal = stack.enter_context(real_rehearsal(settings, folder, fresh=fresh, say=say))
        yield rehearsal


def _bring_up(rehearsal: Rehearsal) -> None:
    """Deploy every stack and plan each once more. Raises OperatorError when that fails or would change anything."""
    try:
        for title, stacks in (("durable", DURABLE), ("disposable", DISPOSABLE)):
            _deploy(rehearsal, title, stacks)
    except CdktfError as error:
        if rehearsal.processes.interrupted:
            raise KeyboardInterrupt from None
        raise OperatorError(
            f"{error}: {first_error(error.output)}", f"the whole output is in {rehearsal.logs / 'cdktf.log'}"
        ) from None
    run = rehearsal.rollout()
    run.plan()
    run.discard_plans()
    if run.failures or not total(run.plans.values()).empty:
        print_plans(run)
        print_failures(run.by_runner(run.failures), f"llmctl rehearse {rehearsal.settings.name}")
        raise OperatorError("a second plan is not empty, so every deployment would change something")


def _deploy(rehearsal: Rehearsal, title: str, stacks: Sequence[str]) -> None:
    with Board(err, stacks, title, beats=True) as board, rehearsal.processes.forwarding_signals():
        rehearsal.cdktf("deploy", *stacks, "--auto-approve", on_line=Follower(board, stacks).line)


def _print_standing(rehearsal: Rehearsal, seconds: float) -> None:
    name = rehearsal.settings.name
    table = Table(title=f"{name} stands, rehearsed in {seconds:.0f} s", title_justify="left", box=None, pad_edge=False)
    for column in ("stack", "tier", "resources"):
        table.add_column(column, justify="right" if column == "resources" else "left")
    for stack in (*DURABLE, *DISPOSABLE):
        tier = "durable" if stack in DURABLE else "disposable"
        table.add_row(stack, tier, str(len(rehearsal.instances(stack))))
    out.print(table)
    out.print("A second plan of every stack is empty: deploying again changes nothing.")
    out.print(f"Terraform files: {_shown(rehearsal.workspace.output)}/stacks/<stack>", markup=False)
    out.print(
        f"State: {_shown(rehearsal.state_file('platform').parent)}   Logs: {_shown(rehearsal.logs)}", markup=False
    )
    out.print()
    out.print("Nothing of this touched a cloud. What to do next:", style="bold")
    out.print(f"  edit environments/{name}.yaml and `llmctl rehearse {name} --keep` to see what a change would do")
    out.print("  `llmctl env new NAME`, then `llmctl deploy NAME`, for an environment of your own on Azure")
    documents = {stack: rehearsal.state(stack)["outputs"] for stack in ("aks", "platform")}
    out.print("On Azure, `llmctl deploy` would end with:", style="bold")
    standing = [
        (address.split(".", maxsplit=1)[0], values)
        for stack in (*DURABLE, *DISPOSABLE)
        for address, values in rehearsal.instances(stack).items()
    ]
    written = rehearsal.settings.ingress.dns_zone_id is not None
    left = [*private_steps(rehearsal.settings), *next_steps(name, documents, records_written=written)]
    for line in [*ending(rehearsal.settings, standing), *left]:
        typer.echo(f"  {line}")
    out.print(f"`llmctl health {name} --rehearsed`: what of this is fake", style="bold")
    for step in go(parts(rehearsal.settings, rehearsal)):
        show(step)


def _shown(path: os.PathLike[str]) -> str:
    return os.path.relpath(path)


def _prove(name: str, providers: Providers) -> int:
    file = (
        "tests/rehearsal/test_rehearsal.py" if providers is Providers.FAKE else "tests/rehearsal/test_rehearsal_real.py"
    )
    command = [sys.executable, "-m", "pytest", "-m", "rehearsal", "-v", file]
    environment = os.environ | {"REHEARSED_ENVIRONMENT": name}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603
