"""Whether an environment file may be deployed: real values instead of placeholders, and no size that shrinks."""

from pathlib import Path

from scripts.core.console import report
from scripts.core.environment_check import verdict_of
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.notes.firewall import firewall_note
from scripts.core.notes.state import state_note
from scripts.core.targets import load_environment
from scripts.core.workspace import ROOT
from stacks.settings import Settings


def refuse_unready(environment: str, root: Path = ROOT) -> Settings:
    """Return the settings. Refuse placeholders, which Azure would not accept, and sizes that shrink.

    A public Application Gateway without a firewall, and a state in this checkout alone, are warned of.

    A file that was committed but never deployed binds nobody, as far as local state can tell.
    Raises OperatorError with every such line of the environment file.
    """
    settings = load_environment(environment)
    remote = settings.state.azurerm or settings.state.hcp
    deployed = remote or any((root / "state" / environment).glob("*.tfstate"))
    verdict = verdict_of(environment, root, "HEAD" if deployed else None)
    if found := [*verdict.placeholders, *map(str, verdict.errors)]:
        raise OperatorError(
            "\n".join(found),
            f"correct the file, then `llmctl env check {environment}`; `llmctl rehearse {environment}` works without",
            ExitCode.SETTINGS,
        )
    if verdict.settings:
        for note in filter(
            None, (firewall_note(verdict.settings.ingress), state_note(verdict.settings.name, verdict.settings.state))
        ):
            report(f"Warning: {note}")
    return settings
