"""Questions to a model as the chat asks them, streamed: from its pod, with its key, which stays there."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.cluster.pod_program import PodProgram
from scripts.core.errors import OperatorError

PROGRAM = Path(__file__).with_name("asking_in_pod.py")


@dataclass(frozen=True)
class Measured:
    """One answer: how long it took, and what it counted."""

    status: int
    """0 where nothing answered."""
    problem: str
    seconds: float
    first_s: float | None = None
    """Seconds to the first token; None where none came."""
    tokens_in: int = 0
    tokens_out: int = 0
    answered_by: str = ""
    """Name of the model that answered, which is another one where a fall-back did."""


@dataclass(frozen=True)
class Level:
    """What so many people at once had of a model."""

    people: int
    answers: int
    failed: int
    first_s: float | None
    """Median of the seconds to the first token."""
    first_p95_s: float | None
    person_tokens_per_s: float | None
    """Median of what one answer yields a second, from its first token on."""
    tokens_per_s: float
    """What all answers yield a second together."""
    problem: str
    """The first failure's, empty without one."""


def asked(run: PodProgram, parameters: Mapping[str, Any]) -> Iterator[str | Measured]:
    """Yield parts of the answer, where texts are asked for, and what was measured. Raises OperatorError."""
    for line in run(PROGRAM.read_text("utf-8"), parameters):
        if "text" in line:
            yield str(line["text"])
        else:
            yield Measured(**{key: value for key, value in line.items() if key != "person"})


def level(run: PodProgram, people: int, each: int, parameters: Mapping[str, Any], *, fallback: str | None) -> Level:
    """Let so many people ask at once and return what they had; a fall-back's answers failed. Raises OperatorError."""
    given = {**parameters, "people": people, "each": each, "texts": False}
    found = [_own(one, fallback) for one in asked(run, given) if isinstance(one, Measured)]
    if len(found) != people * each:
        raise OperatorError(
            f"{len(found)} of {people * each} answers came back from the chat's pod", "llmctl webui status"
        )
    return summed(people, each, found)


def _own(measured: Measured, fallback: str | None) -> Measured:
    if not fallback or measured.answered_by != fallback:
        return measured
    return replace(measured, status=502, problem=f"{fallback}, outside the network, answered instead")


def summed(people: int, each: int, found: Sequence[Measured]) -> Level:
    """Return medians and sums of the answers that came."""
    good = [one for one in found if one.status == 200 and one.first_s is not None and one.tokens_out]
    bad = [one for one in found if one not in good]
    firsts = sorted(one.first_s for one in good if one.first_s is not None)
    speeds = [
        (one.tokens_out - 1) / (one.seconds - one.first_s)
        for one in good
        if one.first_s is not None and one.seconds > one.first_s and one.tokens_out > 1
    ]
    # Everybody begins at once and asks again as soon as an answer is there.
    whole = sum(one.seconds for one in found) / people
    return Level(
        people=people,
        answers=people * each,
        failed=len(bad),
        first_s=statistics.median(firsts) if firsts else None,
        first_p95_s=firsts[min(len(firsts) - 1, int(0.95 * len(firsts)))] if firsts else None,
        person_tokens_per_s=statistics.median(speeds) if speeds else None,
        tokens_per_s=sum(one.tokens_out for one in good) / whole if whole else 0.0,
        problem=f"{bad[0].status}: {bad[0].problem[:200]}" if bad else "",
    )
