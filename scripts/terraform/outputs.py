"""Outputs of an environment's stacks, read from their states."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.reach.choice import chosen
from scripts.cluster.reach.through import kubectl_through
from scripts.cluster.remembered import remember
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.schedule import PARALLELISM
from scripts.core.targets import load_environment
from scripts.core.workspace import Workspace
from stacks.settings import Settings

from .errors.diagnose import NO_REGISTRY
from .errors.failures import print_failures
from .program import require_terraform
from .stack import CutStateError, StackRunner, TerraformError
from .synthesis import synthesize

MASK = "(sensitive)"


class NotDeployedError(OperatorError):
    """A stack has no outputs: its state knows of nothing deployed."""


def runners(workspace: Workspace, names: tuple[str, ...] = ()) -> dict[str, StackRunner]:
    """Return what runs Terraform for the named stacks, for all where none is named, synthesized if they are not yet.

    Raises OperatorError.
    """
    terraform, processes = require_terraform(), Processes()
    if not (workspace.output / "manifest.json").exists():
        synthesize(workspace, processes)
    stacks = workspace.stacks()
    return {name: StackRunner(stacks[name], workspace, terraform, processes) for name in names or stacks}


def read_outputs(environment: str, runners: Mapping[str, StackRunner]) -> dict[str, dict[str, Any]]:
    """Return the outputs by stack and name, sensitive ones masked. Raises OperatorError."""
    failures: dict[str, TerraformError] = {}

    def read(name: str) -> dict[str, Any]:
        try:
            found = runners[name].outputs()
        except TerraformError as error:
            failures[name] = error
            return {}
        return {key: MASK if output["sensitive"] else output["value"] for key, output in sorted(found.items())}

    with ThreadPoolExecutor(max_workers=PARALLELISM) as pool:
        values = dict(zip(runners, pool.map(read, runners), strict=True))
    for error in failures.values():
        if isinstance(error, CutStateError):
            raise error.cut.refusal(environment)
    failed = [name for name in runners if name in failures]
    print_failures([(runners[name], failures[name]) for name in failed], f"llmctl outputs {environment}")
    if failed:
        offline = all(NO_REGISTRY.search(failures[name].output) for name in failed)
        raise OperatorError(
            f"cannot read the outputs of {', '.join(failed)}", code=ExitCode.NOT_READY if offline else ExitCode.FAILED
        )
    return values


def outputs_of(environment: str, *names: str) -> dict[str, dict[str, Any]]:
    """Return the outputs of the named stacks. Raises NotDeployedError, or OperatorError when one cannot be read."""
    found = read_outputs(environment, runners(Workspace(environment), names))
    if missing := [name for name in names if not found.get(name)]:
        raise NotDeployedError(
            f"{environment} is not deployed: {', '.join(missing)} has no outputs",
            f"llmctl deploy {environment}",
            ExitCode.NOT_READY,
        )
    return found


def kubectl_of(environment: str) -> Kubectl:
    """Return kubectl for the environment's cluster. Raises OperatorError when there is none to be reached."""
    found = connected(load_environment(environment), outputs_of(environment, "aks")["aks"])
    if not found.configuration and not found.invoke:
        remember(environment, found.context)
    return found


def connected(settings: Settings, aks: Mapping[str, Any]) -> Kubectl:
    """Return kubectl for the cluster that the outputs of the stack `aks` name, by the way that the environment chooses.

    Raises OperatorError.
    """
    return kubectl_through(chosen(settings), aks)
