"""The figures of `docs/explanation/scaling.md`: which cases they show, and how they get there."""

from collections.abc import Sequence
from dataclasses import dataclass

from stacks.settings import load_settings

from . import report, sources
from .compare import Case, compare
from .policies import Policy
from .scenario import model_of
from .traffic import WEEK_S, Request, generate

ENVIRONMENT = "dev"
EVERY = tuple(Policy)


@dataclass(frozen=True)
class Question:
    """One comparison of the chapter."""

    title: str
    pattern: str
    requests_per_week: int
    policies: Sequence[Policy]
    idle_minutes: Sequence[int] = ()
    max_replicas: Sequence[int] = ()

    @property
    def command(self) -> str:
        """The command that repeats it."""
        words = [f"llmctl simulate scaling {ENVIRONMENT}", f"--pattern {self.pattern}"]
        words.append(f"--requests {self.requests_per_week} --policy {','.join(self.policies)}")
        if self.idle_minutes:
            words.append(f"--idle-minutes {','.join(map(str, self.idle_minutes))}")
        if self.max_replicas:
            words.append(f"--max-replicas {','.join(map(str, self.max_replicas))}")
        return " ".join(words)


IDLE = (15, 20, 30, 45, 60, 120)
QUESTIONS = (
    Question("Which policy, for an office", "office-hours", 5000, EVERY),
    Question("Which policy, for a few users", "office-hours", 300, EVERY),
    Question("Which policy, for batches", "bursty", 5000, EVERY),
    Question("Which idle time, for an office", "office-hours", 5000, (Policy.SCALE_TO_ZERO,), IDLE),
    Question("Which idle time, for a few users", "office-hours", 300, (Policy.SCALE_TO_ZERO,), IDLE),
    Question("How many replicas, under load", "office-hours", 30000, (Policy.SCALE_TO_ZERO,), (), (1, 2, 3)),
)


@dataclass(frozen=True)
class Study:
    """A question with its answer."""

    question: Question
    requests: Sequence[Request]
    cases: Sequence[Case]


def studies() -> list[Study]:
    """Play every question of the chapter on the development environment."""
    assumed, _ = sources.load()
    settings = load_settings(ENVIRONMENT)
    model = model_of(settings.name, settings.models, None)
    answered = []
    for question in QUESTIONS:
        requests = generate(question.pattern, question.requests_per_week, 7, assumed.traffic, seed=0)
        cases = compare(
            requests,
            settings,
            model,
            assumed,
            policies=question.policies,
            idle_minutes=question.idle_minutes,
            max_replicas=question.max_replicas,
            until_s=WEEK_S,
        )
        answered.append(Study(question, requests, cases))
    return answered


def text(answered: Sequence[Study]) -> str:
    """Return the figures as Markdown."""
    parts = []
    for study in answered:
        rate = f"{study.question.requests_per_week} requests a week, {study.question.pattern}"
        repeat = f"```sh\n{study.question.command}\n```"
        parts += [f"### {study.question.title} ({rate})", report.markdown(study.cases), repeat]
    return "\n\n".join(parts)
