"""Asks before anything is changed, and asks for a name before anything is lost."""

from collections.abc import Mapping
from dataclasses import dataclass

from .console import TERMINAL, Terminal
from .errors import ExitCode, OperatorError


@dataclass(frozen=True)
class Consent:
    """What the command line agrees to beforehand; the rest is asked on the terminal."""

    environment: str
    yes: bool = False
    """Agrees to changes that lose nothing."""
    allow_destroy: bool = False
    """Agrees to losing resources too."""
    terminal: Terminal = TERMINAL

    def obtain(self, question: str, lost: Mapping[str, tuple[str, ...]]) -> None:
        """Return when the change may be made. Raises OperatorError (REFUSED) otherwise."""
        if lost and not self.allow_destroy:
            count = sum(map(len, lost.values()))
            self._type_name(f"{count} {'resource' if count == 1 else 'resources'} would be destroyed or replaced")
        elif not self.yes:
            self._confirm(question)

    def require_answerable(self) -> None:
        """Return when the question to come is answered already or can be. Raises OperatorError (REFUSED) otherwise."""
        if not self.yes and not self.terminal.interactive():
            raise OperatorError(
                "nobody is there to confirm, so nothing was done", "add --yes to agree beforehand", ExitCode.REFUSED
            )

    def _confirm(self, question: str) -> None:
        self.require_answerable()
        if self.terminal.ask(f"{question} [y/N]").lower() not in ("y", "yes"):
            raise OperatorError("not confirmed, so nothing was done", code=ExitCode.REFUSED)

    def _type_name(self, what: str) -> None:
        if not self.terminal.interactive():
            raise OperatorError(
                f"{what}, so nothing was done", "read the list above; --allow-destroy agrees to it", ExitCode.REFUSED
            )
        answer = self.terminal.ask(f"{what}. Type the environment's name, {self.environment}, to go on:")
        if answer != self.environment:
            raise OperatorError("not confirmed, so nothing was done", code=ExitCode.REFUSED)


def confirm_by_name(
    name: str, confirm: str | None, question: str, *, done: str = "destroyed", terminal: Terminal = TERMINAL
) -> None:
    """Return when `name` is what `--confirm` says, or what is typed after `question`; `done` is what would be done.

    Raises OperatorError (REFUSED) otherwise.
    """
    if not confirm and not terminal.interactive():
        raise OperatorError(
            f"nobody is there to confirm, so nothing was {done}", f"add --confirm {name}", ExitCode.REFUSED
        )
    answer = confirm or terminal.ask(f"{question} Type {name} to go on:")
    if answer != name:
        said = f"--confirm is {confirm}, not {name}" if confirm else "not confirmed"
        raise OperatorError(f"{said}, so nothing was {done}", code=ExitCode.REFUSED)
