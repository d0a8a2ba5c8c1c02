"""What stands in an environment, for commands that work on it: outputs of its stacks."""

from typing import Any

from scripts.cli.deploy.outputs import read_outputs
from scripts.cluster.kubectl import Kubectl, connect
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.workspace import Workspace
from scripts.terraform.prepare import require_terraform
from scripts.terraform.rollout import Rollout
from scripts.terraform.synthesis import synthesize


def outputs_of(environment: str, *names: str) -> dict[str, dict[str, Any]]:
    """Return the outputs of the named stacks. Raises OperatorError when one is not deployed or cannot be read."""
    terraform = require_terraform()
    workspace = Workspace(environment)
    processes = Processes()
    if not (workspace.output / "manifest.json").exists():
        synthesize(workspace, processes)
    stacks = workspace.stacks()
    found = read_outputs(Rollout(workspace, {name: stacks[name] for name in names}, terraform, processes))
    if missing := [name for name in names if not found.get(name)]:
        raise OperatorError(
            f"{environment} is not deployed: {', '.join(missing)} has no outputs",
            f"llmctl deploy {environment}",
            ExitCode.NOT_READY,
        )
    return found


def kubectl_of(environment: str) -> Kubectl:
    """Return kubectl for the environment's cluster. Raises OperatorError when there is none to be reached."""
    aks = outputs_of(environment, "aks")["aks"]
    return connect(aks["api_url"], aks["resource_group_name"], aks["cluster_name"])
