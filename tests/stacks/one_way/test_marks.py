"""The marks of values that go one way: every such value has one, and none says so by hand."""

import re
from collections.abc import Iterator
from typing import get_args

from stacks.common.one_way_record import every_mark
from stacks.settings import Settings
from stacks.settings.docstrings import meanings
from stacks.settings.file.errors import dotted
from stacks.settings.one_way.marks import DeletesOlder, OneWay
from stacks.settings.types import Model


def test_every_time_that_something_is_kept_for_is_marked() -> None:
    """Found by its name; the others delete nothing by themselves."""
    asks_itself = {"backups.keep_daily", "backups.keep_weekly", "backups.keep_monthly", "images.keep_versions"}
    kept = {key for key in keys_of(Settings) if re.search(r"retention|keep_|(^|_)days$", key.rpartition(".")[2])}
    # Days of the week, decided once, the life of a certificate, the period of a budget.
    weekly = {"serving.warm_hours.days", "cluster.off_hours.days"}
    no_such_time = {*weekly, "vault.soft_delete_days", "private_access.leaf_days", "gateway.person_limits.days"}
    deletes = {dotted(marked.key) for marked in every_mark() if isinstance(marked.mark, DeletesOlder)}
    assert kept - asks_itself - no_such_time == deletes
    assert asks_itself < kept


def test_every_mark_names_a_stack_that_exists() -> None:
    stacks = {"identity", "disks", "acr", "database", "address", "network", "aks", "platform"}
    marks = [marked.mark for marked in every_mark()]
    assert {mark.stack for mark in marks} <= stacks
    assert {mark.effect for mark in marks} == {"", "platform"}


SAYS_SO = re.compile(
    r"only grows?\b|never (shrink|lower)|decided once|cannot (be )?(chang|shrink|go back|lower)|no way back"
    r"|fixe[sd] (it )?(at|when)|stays as it was|once (it is )?(deployed|created)",
    re.IGNORECASE,
)
"""How a text says that a value goes one way."""


def test_what_is_documented_as_going_one_way_is_marked_and_the_mark_says_so() -> None:
    """A text of its own would be a second rule, which nothing checks."""
    by_hand = [
        f"{model.__name__}.{name}: {text}"
        for model in models()
        for name, text in [("", model.__doc__ or ""), *meanings(model).items()]
        if SAYS_SO.search(text)
    ]
    assert by_hand == []
    assert SAYS_SO.search("Disk of Redis; can only grow.")
    assert SAYS_SO.search("Decided once: Azure cannot change it.")


def keys_of(model: type[Model], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{above}{name}"
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, Model):
                yield from keys_of(inner, f"{above}{name}.")


def models() -> list[type[Model]]:
    found: list[type[Model]] = [Model]
    for model in found:
        found += model.__subclasses__()
    return found


def test_no_mark_hides_in_a_list_or_a_mapping_of_sections() -> None:
    """Their entries come and go, so that no key of theirs could be recorded."""
    marked = {dotted(it.key).rpartition(".")[2] for it in every_mark()}
    fields = {
        name
        for model in models()
        for name, field in model.model_fields.items()
        if any(isinstance(m, OneWay) for m in field.metadata)
    }
    assert fields <= marked
