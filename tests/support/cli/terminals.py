"""A person at the terminal, or nobody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scripts.core.console import Terminal


@dataclass(frozen=True)
class Answering(Terminal):
    """Answers every question, and keeps the questions."""

    answers: Iterator[str | None]
    asked: list[str] = field(default_factory=list)

    def interactive(self) -> bool:
        return True

    def answer(self, question: str) -> str | None:
        self.asked.append(question)
        return next(self.answers)


def answering(answers: str | Iterable[str | None]) -> Answering:
    """Return a terminal that gives these answers one after the other, a single one to every question; None ends it."""
    if isinstance(answers, str):
        return Answering(iter(lambda: answers, object()))
    return Answering(iter(answers))


class Nobody(Terminal):
    """A terminal without a person."""

    def interactive(self) -> bool:
        return False

    def answer(self, question: str) -> str | None:
        raise AssertionError(f"nobody is there, and was asked: {question}")
