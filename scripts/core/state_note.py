"""What it means that the Terraform state lies in one checkout."""

from stacks.settings import Settings


def state_note(settings: Settings) -> str | None:
    """Return a note where the state is kept in the checkout, which is the default; None where everybody reads it."""
    if settings.state.azurerm or settings.state.hcp:
        return None
    return (
        f"state: state/{settings.name}/ of this checkout alone says what is deployed: keep it; nobody else and no"
        " pipeline can deploy, and without it a deployment would create everything once more (azurerm or hcp:"
        " docs/how-to/remote-runs.md)"
    )
