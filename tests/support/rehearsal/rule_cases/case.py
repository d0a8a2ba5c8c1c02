"""Cases for the rules of the fake providers: one per reason to refuse."""

from collections.abc import Iterable, Sequence
from typing import Any

from scripts.lab.rehearsal.fake_provider.rules.checks import Rule

Case = tuple[str, str, dict[str, Any], str, dict[str, Any]]
"""Type, stage, a configuration that is refused, a word of the message, the nearest configuration that is right."""

ARGUMENTS = ("type_name", "stage", "wrong", "word", "right")


def names(cases: Iterable[Case]) -> list[str]:
    """Return what pytest calls each case."""
    return [
        f"{type_name.split('_', 1)[1]}-{stage}-{next(iter(wrong))}-{word}" for type_name, stage, wrong, word, _ in cases
    ]


def without_case(rules: Sequence[Rule], cases: Iterable[Case]) -> list[Rule]:
    """Return the rules that no case makes refuse anything."""
    wrong_ones = [(type_name, stage, wrong) for type_name, stage, wrong, _, _ in cases]
    return [
        rule
        for rule in rules
        if not any((rule.type, rule.stage) == (of, stage) and rule.check(wrong) for of, stage, wrong in wrong_ones)
    ]
