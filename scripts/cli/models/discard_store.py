"""Destroys the storage account of the model weights: all of the stack `disks` that may be destroyed."""

from scripts.cli.tools import Tools
from scripts.core.consent import confirm_by_name
from scripts.core.console import err, out
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.terraform.prepare import Job

STORE = ".model-store_"
"""Part of the address of everything that belongs to the store."""
VOLUMES = ("kubernetes_persistent_volume_v1.ollama-models-", "kubernetes_persistent_volume_v1.vllm-models-")


def discard(environment: str, confirm: str, tools: Tools) -> None:
    """Destroy the store of `environment` after a question that `confirm` may answer beforehand.

    Raises OperatorError while the cluster mounts it, when nobody agrees, and when something else would be destroyed.
    """
    targets = Targets(environment, ("disks", "platform"))
    with tools.rollout(Job("discard the store", targets, tools.workspace(environment), destroy=True)) as run:
        mounted = [address for address in run.runner("platform").resources() if address.startswith(VOLUMES)]
        if mounted:
            raise OperatorError(
                f"the cluster mounts the store: {', '.join(mounted)}", f"llmctl destroy {environment}", ExitCode.REFUSED
            )
        runner = run.runner("disks")
        kept = [address for address in runner.resources() if STORE in address]
        if not kept:
            err.print("There is no store.")
            return
        plan = runner.plan(destroy=True, targets=kept)
        lost = [entry.partition(" ")[0] for entry in plan.lost]
        if others := sorted(set(lost) - set(kept)):
            raise OperatorError(f"not only the store would be destroyed: {', '.join(others)}", code=ExitCode.REFUSED)
        for address in lost:
            err.print(f"  {address}", markup=False)
        confirm_by_name(environment, confirm, "Destroy the storage account with all weights?", terminal=tools.terminal)
        runner.apply()
    out.print(f"The weights of {environment} are gone; `llmctl deploy {environment}` fetches them again.", markup=False)
