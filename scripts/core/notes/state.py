"""What it means that the Terraform state lies in one checkout."""

from stacks.settings.azure import StateSettings


def state_note(environment: str, state: StateSettings) -> str | None:
    """Return a note where the state is kept in the checkout, which is the default; None where everybody reads it."""
    if state.azurerm or state.hcp:
        return None
    return (
        f"state: state/{environment}/ of this checkout alone says what is deployed: keep it; nobody else and no"
        " pipeline can deploy, and without it a deployment would create everything once more (azurerm or hcp:"
        " docs/how-to/remote-runs.md)"
    )
