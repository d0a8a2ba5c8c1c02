"""The environment and the stacks that a command line selects."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from stacks.settings import Settings, SettingsError, available_environments, load_settings

from .errors import ExitCode, OperatorError
from .tiers import STACKS

DEFAULT = "dev"

TARGETS_HELP = "Environment, then stacks; all stacks where none is named."


@dataclass(frozen=True)
class Targets:
    """An environment and the stacks named with it; no stack named means all."""

    environment: str
    stacks: tuple[str, ...] = ()

    def select(self, known: Iterable[str]) -> list[str]:
        """Return the selected stacks, in the order of `known`."""
        return [name for name in known if not self.stacks or name in self.stacks]


def default_environment() -> str:
    """Return the default environment."""
    return os.environ.get("PLATFORM_ENV") or DEFAULT


def parse_targets(words: Sequence[str] | None) -> Targets:
    """Return what `[ENV] [STACK]...` means: a first word that is no stack is the environment.

    Raises OperatorError for a word that is neither.
    """
    words = list(words or ())
    environment = default_environment()
    if words and words[0] not in STACKS:
        environment = words.pop(0)
        if not environment:
            raise OperatorError("ENV is empty", "name one, or leave it out for the default", ExitCode.USAGE)
        if environment not in available_environments():
            known = ", ".join(available_environments())
            meant_stack = bool(get_close_matches(environment.lower(), STACKS, n=1))
            raise OperatorError(
                f"{environment} is neither an environment ({known}) nor a stack ({', '.join(STACKS)})",
                _suggestion(environment, [*available_environments(), *STACKS])
                or f"`llmctl env new {environment}` writes an environment of that name",
                ExitCode.USAGE if meant_stack else ExitCode.SETTINGS,
            )
    unknown = [word for word in words if word not in STACKS]
    if unknown:
        raise OperatorError(
            f"no such stack: {', '.join(unknown)}",
            _suggestion(unknown[0], STACKS) or f"stacks are {', '.join(STACKS)}",
            ExitCode.USAGE,
        )
    return Targets(environment, tuple(words))


def _suggestion(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def load_environment(environment: str) -> Settings:
    """Return the settings of an environment. Raises OperatorError with all errors of its file."""
    try:
        return load_settings(environment)
    except SettingsError as error:
        raise OperatorError(
            str(error), f"correct the file, then `llmctl env check {environment}`", ExitCode.SETTINGS
        ) from None


def known_environment(environment: str | None) -> str:
    """Return the environment, by default that of PLATFORM_ENV, for commands that never read its file.

    Raises OperatorError where it has none.
    """
    name = environment or default_environment()
    if name not in available_environments():
        load_environment(name)
    return name


def complete_targets(incomplete: str) -> list[str]:
    """Return completions for an argument that is an environment or a stack."""
    return [word for word in (*available_environments(), *STACKS) if word.startswith(incomplete)]


def complete_environment(incomplete: str) -> list[str]:
    """Return completions for an argument that is an environment."""
    return [word for word in available_environments() if word.startswith(incomplete)]
