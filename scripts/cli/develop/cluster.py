"""`llmctl cluster`: a real Kubernetes API for development, without Azure and without a container engine."""

import http.client
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from scripts.core.console import err, out, print_json
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, load_environment, parse_targets
from scripts.core.workspace import CACHE
from scripts.lab.kube.api import ApiError
from scripts.lab.kube.cluster import Cluster, Status, describe
from scripts.lab.kube.given import given
from scripts.lab.kube.programs import build

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")
FOLDER = CACHE / "cluster"


@app.callback()
def cluster() -> None:
    """Run a real Kubernetes API here: etcd, API server, controllers, scheduler, simulated nodes and pods.

    With KUBECONFIG set, the cluster that it names is used instead; nothing is started or stopped then.
    """


@app.command()
def up(
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENV]", help="Environment whose node pools are simulated.", autocompletion=complete_environment
        ),
    ] = None,
) -> None:
    """Build what is missing (minutes, once), start it, wait until nodes are ready. Does nothing when it runs.

    Examples: `llmctl cluster up`, `llmctl cluster up dev`
    """
    if os.environ.get("KUBECONFIG"):
        _show(_described())
        return
    settings = load_environment(parse_targets([] if environment is None else [environment]).environment)
    with environment_lock(CACHE / "locks", "cluster", "cluster up"), err.status("Checking what is built") as status:

        def say(text: str) -> None:
            status.update(text)
            if not err.is_terminal:
                err.print(text, markup=False)

        found = Cluster(FOLDER)
        found.up(build(say), settings, say)
    _show(found.status())
    out.print(f"export KUBECONFIG={found.files.kubeconfig}", markup=False, soft_wrap=True)


@app.command()
def down() -> None:
    """Stop it and delete its data.

    Examples: `llmctl cluster down`, `llmctl cluster up`
    """
    if os.environ.get("KUBECONFIG"):
        raise OperatorError(
            "KUBECONFIG names a cluster that this command did not start",
            "unset KUBECONFIG, or stop that cluster with what started it",
            ExitCode.REFUSED,
        )
    with environment_lock(CACHE / "locks", "cluster", "cluster down"), err.status("Stopping"):
        ran = Cluster(FOLDER).down()
    err.print("Stopped." if ran else "Nothing runs.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show whether it runs, its address and what is in it. Exit code 5 when it does not run.

    Examples: `llmctl cluster status`, `llmctl cluster status --json`
    """
    found = _described() if os.environ.get("KUBECONFIG") else Cluster(FOLDER).status()
    if as_json:
        print_json(asdict(found))
    else:
        _show(found)
    if not found.running:
        raise typer.Exit(ExitCode.NOT_READY)


def _described() -> Status:
    path = os.environ["KUBECONFIG"]
    with _answering(path), given(path) as api:
        return describe(api, path)


@contextmanager
def _answering(path: str) -> Iterator[None]:
    try:
        yield
    except (ApiError, OSError, http.client.HTTPException) as error:
        raise OperatorError(
            f"the cluster that KUBECONFIG={path} names does not answer: {error}",
            "start it, or unset KUBECONFIG",
            ExitCode.NOT_READY,
        ) from None


def _show(found: Status) -> None:
    if not found.running:
        out.print("Not running. `llmctl cluster up` starts it.")
        return
    out.print(f"Kubernetes {found.kubernetes} at {found.url}", markup=False)
    out.print(f"nodes {found.nodes_ready} of {found.nodes} ready, {found.pods} pods")
    for name, alive in (found.programs or {}).items():
        out.print(f"  {name}: {'runs' if alive else 'has ended'}")
    out.print(f"kubeconfig {found.kubeconfig}", markup=False, soft_wrap=True)
