"""Commands that import into a state and push it, which a run in HCP Terraform cannot do for them."""

from stacks.settings import Settings
from stacks.settings.azure import HcpExecution

from .errors import ExitCode, OperatorError


def refuse_remote_runs(settings: Settings, command: str) -> None:
    """Return where Terraform runs on this machine. Raises OperatorError (REFUSED) where HCP Terraform runs it."""
    if settings.state.hcp is None or settings.state.hcp.execution is HcpExecution.LOCAL:
        return
    raise OperatorError(
        f"{settings.name} is run by HCP Terraform, and {command} works on the state with Terraform on this machine;"
        " nothing was done",
        f"set state.hcp.execution to local, `llmctl remote bootstrap {settings.name}`, run it, and set it back:"
        " docs/how-to/remote-runs.md",
        ExitCode.REFUSED,
    )
