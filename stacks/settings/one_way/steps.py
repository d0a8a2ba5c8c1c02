"""The one rule that reads the marks: which values of a file cannot follow what is deployed."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, get_args

from ..file.errors import Key, dotted
from ..types import Model
from .marks import GIVEN, OneWay

Record = Mapping[str, str]
"""Values as text by dotted key. A key that is absent was not recorded; an empty text is a setting that is left out."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A setting with its mark."""

    key: Key
    mark: OneWay
    mapping: bool = False
    """Whether the mark binds each entry of a mapping."""

    def keys(self, *records: Record) -> Iterable[str]:
        """Return the dotted keys of the records that the mark binds."""
        name = dotted(self.key)
        if not self.mapping:
            return (name,)
        return sorted({key for record in records for key in record if key.startswith(f"{name}.")})


@dataclass(frozen=True, slots=True)
class StepBack:
    """A value that cannot follow what is deployed."""

    key: str
    message: str
    mark: OneWay
    before: str
    after: str


def steps_back(before: Record, after: Record, marks: Iterable[Marked]) -> Iterator[StepBack]:
    """Yield the values of `after` that cannot follow `before`. Keys that were never recorded bind nobody."""
    for marked in marks:
        mark = marked.mark
        if not _binds(mark, before, after):
            continue
        for key in marked.keys(before, after):
            old, new = before.get(key), after.get(key)
            if marked.mapping:
                old, new = old or mark.default, new or mark.default
            if old is not None and new is not None and (message := mark.problem(old, new)):
                yield StepBack(key, message, mark, old, new)


def _binds(mark: OneWay, before: Record, after: Record) -> bool:
    if mark.unless and before.get(mark.unless, "1") != after.get(mark.unless, "1"):
        return False
    return all(
        bool(record[key]) if value == GIVEN else record[key] == value
        for (key, value), record in itertools.product(mark.only_while, (before, after))
        if key in record
    )


@cache
def marks_of(model: type[Model]) -> tuple[Marked, ...]:
    """Return every marked setting of a model and of the sections in it."""
    return tuple(_walk(model, ()))


def _walk(model: type[Model], above: Key) -> Iterator[Marked]:
    for name, field in model.model_fields.items():
        key = (*above, name)
        for mark in field.metadata:
            if isinstance(mark, OneWay):
                yield Marked(key, mark, mapping=bool(mark.default))
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, Model):
                yield from _walk(inner, key)


def value_at(settings: Model, key: str) -> Any:
    """Return the value at a dotted key, an entry that a mapping lacks as None."""
    value: Any = settings
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part)
    return value


def as_text(value: object) -> str:
    """Return a value as records hold it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case list() | tuple():
            return ",".join(map(as_text, value))
    return str(value)
