"""Asks before anything is changed, and asks twice before anything is lost."""

from collections.abc import Mapping
from dataclasses import dataclass

from . import console
from .errors import ExitCode, OperatorError


@dataclass(frozen=True)
class Consent:
    """What the command line agrees to beforehand."""

    environment: str
    yes: bool = False
    """Agrees to changes that lose nothing."""
    allow_destroy: bool = False
    """Agrees to losing resources too."""

    def obtain(self, question: str, lost: Mapping[str, tuple[str, ...]]) -> None:
        """Return when the change may be made. Raises OperatorError (REFUSED) otherwise."""
        if lost and not self.allow_destroy:
            count = sum(map(len, lost.values()))
            self._type_name(f"{count} {'resource' if count == 1 else 'resources'} would be destroyed or replaced")
        elif not self.yes:
            self._confirm(question)

    def _confirm(self, question: str) -> None:
        if not console.interactive():
            raise OperatorError(
                "nobody is there to confirm, so nothing was done", "add --yes to agree beforehand", ExitCode.REFUSED
            )
        if console.ask(f"{question} [y/N]").lower() not in ("y", "yes"):
            raise OperatorError("not confirmed, so nothing was done", code=ExitCode.REFUSED)

    def _type_name(self, what: str) -> None:
        if not console.interactive():
            raise OperatorError(
                f"{what}, so nothing was done", "read the list above; --allow-destroy agrees to it", ExitCode.REFUSED
            )
        if console.ask(f"{what}. Type the environment's name, {self.environment}, to go on:") != self.environment:
            raise OperatorError("not confirmed, so nothing was done", code=ExitCode.REFUSED)
