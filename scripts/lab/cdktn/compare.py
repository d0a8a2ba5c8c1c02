"""Compares synthesized stacks, and knows the differences that are no difference in what is deployed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = Any


@dataclass(frozen=True)
class Expected:
    """A difference that is understood."""

    path: str
    """Regular expression over `stack/key/key`."""
    reason: str


EXPECTED = (
    Expected(r"\w+/terraform/required_providers/\w+/version", "the nearest release that cdktn has a binding for"),
    Expected(
        r"\w+/terraform/required_providers/kubernetes/source",
        "`kubernetes` and `hashicorp/kubernetes` are one provider: Terraform fills the namespace in",
    ),
)


@dataclass(frozen=True)
class Difference:
    """One place in which two documents differ."""

    path: str
    before: Json
    after: Json

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.before)} → {_short(self.after)}"


def differences(before: Json, after: Json, path: str = "") -> Iterator[Difference]:
    """Yield every place where the documents differ; `//` holds versions and construct paths, and does not count."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted((before.keys() | after.keys()) - {"//"}):
            yield from differences(before.get(key), after.get(key), f"{path}/{key}".lstrip("/"))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}/{index}")
    elif before != after:
        yield Difference(path, before, after)


def judged(
    found: list[Difference], expected: tuple[Expected, ...] = EXPECTED
) -> tuple[list[Difference], list[Expected]]:
    """Return the differences nobody expected, and the expectations that nothing meets any more."""
    unexpected = [item for item in found if not any(re.fullmatch(known.path, item.path) for known in expected)]
    stale = [known for known in expected if not any(re.fullmatch(known.path, item.path) for item in found)]
    return unexpected, stale


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 90 else f"{text[:87]}…"
