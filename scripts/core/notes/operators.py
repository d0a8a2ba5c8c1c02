"""What it means that an environment file names nobody who may administer it."""

from stacks.settings.azure import OperatorSettings


def operators_note(operators: OperatorSettings) -> str:
    """Return a warning while only the first deployer may act; empty otherwise."""
    if operators.object_ids:
        return ""
    return (
        "operators.object_ids: only whoever deploys first writes secrets and administers the cluster; name a group"
        " (docs/how-to/operators.md has the way out where that person has left)"
    )
