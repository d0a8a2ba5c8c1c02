"""Rules by which a service refuses a configuration: small checks, put together in tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..protocol.values import is_unknown, lookup

VALIDATE = "validate"
PLAN = "plan"
APPLY = "apply"

# A check sees the configuration of one resource and returns what is wrong with it, or None.
Check = Callable[[Any], str | None]
LookUp = Callable[[str], Any]


@dataclass(frozen=True)
class Rule:
    """One reason for which one type is refused at one stage."""

    type: str
    stage: str
    check: Check
    path: str = ""


def problems(rules: Iterable[Rule], type_name: str, stage: str, config: Any) -> list[tuple[str, str]]:
    """Return ``(path, message)`` of every rule of a stage that a configuration breaks."""
    found = []
    for rule in rules:
        if rule.type == type_name and rule.stage == stage:
            message = rule.check(config)
            if message:
                found.append((rule.path, message))
    return found


def known(config: Any, path: str) -> Any:
    """Return a configured value; None where it is unset or not known yet."""
    value = lookup(config, path)
    return None if is_unknown(value) else value


def on(type_name: str, stage: str, path: str, check: Callable[[str], Check]) -> Rule:
    """Return a rule about the value at one path."""
    return Rule(type_name, stage, check(path), path)


def one_of(*allowed: str) -> Callable[[str], Check]:
    """Allow only these texts."""

    def make(path: str) -> Check:
        def check(config: Any) -> str | None:
            value = known(config, path)
            if value is None or value in allowed:
                return None
            return f"expected {path} to be one of {list(allowed)}, got {value}"

        return check

    return make


def matching(pattern: str, need: str) -> Callable[[str], Check]:
    """Allow only texts of a pattern."""

    def make(path: str) -> Check:
        def check(config: Any) -> str | None:
            value = known(config, path)
            if value is None or re.fullmatch(pattern, str(value)):
                return None
            return f'invalid value for {path}: {need}, got "{value}"'

        return check

    return make


def each(allowed: Callable[[Any], bool], need: str) -> Callable[[str], Check]:
    """Allow only lists of which every element passes."""

    def make(path: str) -> Check:
        def check(config: Any) -> str | None:
            for item in known(config, path) or []:
                if not is_unknown(item) and not allowed(item):
                    return f'invalid value in {path}: {need}, got "{item}"'
            return None

        return check

    return make


def between(low: float, high: float) -> Callable[[str], Check]:
    """Allow only numbers of a range."""

    def make(path: str) -> Check:
        def check(config: Any) -> str | None:
            value = known(config, path)
            if value is None or low <= value <= high:
                return None
            return f"expected {path} to be in the range ({low} - {high}), got {value}"

        return check

    return make


def refused(message: str) -> Callable[[str], Check]:
    """Refuse the argument as such."""

    def make(path: str) -> Check:
        return lambda config: message if known(config, path) else None

    return make


class _UndecidedError(Exception):
    """A value that a condition asks for is not known yet."""


def when(type_name: str, stage: str, condition: Callable[[LookUp], Any], message: str) -> Rule:
    """Refuse where a condition holds; it is given a function that looks up configured values.

    As soon as it asks for a value that is not known yet, there is no verdict.
    """

    def check(config: Any) -> str | None:
        def get(path: str) -> Any:
            value = lookup(config, path)
            if is_unknown(value):
                raise _UndecidedError
            return value

        try:
            return message if condition(get) else None
        except _UndecidedError:
            return None

    return Rule(type_name, stage, check)


def needs(partner: str) -> Callable[[str], Check]:
    """Refuse the argument without its partner; one that is not known yet is a partner."""

    def make(path: str) -> Check:
        def check(config: Any) -> str | None:
            if lookup(config, path) is not None and lookup(config, partner) is None:
                return f'"{path}": all of `{path},{partner}` must be specified'
            return None

        return check

    return make
