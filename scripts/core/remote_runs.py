"""Commands that import into a state and push it, which a run in HCP Terraform cannot do for them."""

from stacks.settings.azure import HcpExecution, StateBackend, StateSettings

from .errors import ExitCode, OperatorError


def runs_elsewhere(state: StateSettings) -> bool:
    """Whether Terraform plans and applies in HCP Terraform or at its agents, instead of on this machine."""
    return state.backend is StateBackend.HCP and state.hcp is not None and state.hcp.execution is HcpExecution.REMOTE


def refuse_remote_runs(environment: str, state: StateSettings, command: str) -> None:
    """Return where Terraform runs on this machine. Raises OperatorError (REFUSED) where HCP Terraform runs it."""
    if not runs_elsewhere(state):
        return
    raise OperatorError(
        f"{environment} is run by HCP Terraform, and {command} works on the state with Terraform on this machine;"
        " nothing was done",
        f"set state.hcp.execution to local, `llmctl remote bootstrap {environment}`, run it, and set it back:"
        " docs/how-to/remote-runs.md",
        ExitCode.REFUSED,
    )
