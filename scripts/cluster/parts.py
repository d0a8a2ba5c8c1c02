"""What a word of the command line means in an environment: parts of one component, of a family, or of the platform."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.parts import Part
from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.platform.components.registry import components
from stacks.settings import Settings

PLATFORM = "platform"
"""Word for everything."""
FAMILIES = ("ollama", "vllm")
"""Words for some parts of a component (`Part.family`)."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Parts that a command works on."""

    word: str
    parts: tuple[Part, ...]
    """In the order in which they start."""
    namespaces: tuple[str, ...]
    """Where its pods are, Jobs included."""
    whole: bool
    """Whether no single part was named."""


def words() -> list[str]:
    """Return every word that some environment knows."""
    return [PLATFORM, *FAMILIES, *(component.word or component.name for component in components())]


def complete_word(incomplete: str) -> list[str]:
    """Return completions for a component's word."""
    return [word for word in words() if word.startswith(incomplete)]


def select(settings: Settings, word: str, names: Iterable[str] | None = None) -> Selection:
    """Return the parts that `word` means in an environment, those named where some are.

    A component answers to its own name too. Raises OperatorError (USAGE) for a word or a name that it does not know.
    """
    enabled = enabled_components(settings)
    named = list(names or ())
    found, spaces = _all(enabled, word)
    if not spaces:
        known = ", ".join(each for each in words() if _all(enabled, each)[1])
        raise OperatorError(
            f"{settings.name} runs no component {word!r} with pods", f"name one of: {known}", ExitCode.USAGE
        )
    if unknown := sorted(set(named) - {part.name for part in found}):
        known = ", ".join(part.name for part in found) or "none"
        raise OperatorError(f"{word} has no part {', '.join(unknown)}", f"its parts are: {known}", ExitCode.USAGE)
    chosen = tuple(part for part in found if not named or part.name in named)
    return Selection(word=word, parts=chosen, namespaces=tuple(spaces), whole=not named)


def stopped_with_platform(settings: Settings) -> tuple[Part, ...]:
    """Return what stops when the whole platform does, in the order in which it starts."""
    enabled = enabled_components(settings)
    return tuple(
        part for component in enabled.in_order_of_need() if not component.stays for part in component.parts(settings)
    )


def _all(enabled: EnabledComponents, word: str) -> tuple[Sequence[Part], Sequence[str]]:
    """Return the parts of a word and their namespaces."""
    parts, spaces = [], []
    for component in enabled.in_order_of_need():
        own = list(component.parts(enabled.settings))
        if word in FAMILIES:
            own = [part for part in own if part.family == word]
            spaces += [part.namespace for part in own]
        elif word and word in (PLATFORM, component.name, component.word):
            spaces += [rules.name for rules in component.namespaces(enabled)]
        else:
            continue
        parts += own
    return parts, list(dict.fromkeys(spaces))
