"""What the databases have migrated, and what that means for going back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .changelog import ChangeSet, ChangeSetId

QUERY = "SELECT AUTHOR, ID FROM {database}.DATABASECHANGELOG"
"""Liquibase's history has one row per executed changeset, in both databases."""


def parse_rows(text: str, database: str) -> set[ChangeSetId]:
    """Return the changesets in a history, printed as lines of author and id with a tab between them.

    Raises ValueError for anything else, so that an error message is never taken for an empty history.
    """
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    if not rows or any(len(row) != 2 or not all(row) for row in rows):
        raise ValueError(f"the history of {database} is empty or unreadable")
    return {ChangeSetId(database, author, name) for author, name in rows}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A migration that an older version cannot live with."""

    id: ChangeSetId
    why: str


def not_executed(history: Collection[ChangeSetId], changelog: Mapping[ChangeSetId, ChangeSet]) -> list[ChangeSetId]:
    """Return what a version's `changelog` brings and the databases do not hold.

    What Liquibase may leave out without a row is not counted.
    """
    return sorted(name for name in changelog.keys() - set(history) if not changelog[name].conditional)


def executed_since(history: Collection[ChangeSetId], older: Mapping[ChangeSetId, ChangeSet]) -> list[ChangeSetId]:
    """Return what the databases hold that the older version knows nothing of."""
    return sorted(set(history) - older.keys())


def obstacles(since: Iterable[ChangeSetId], newer: Mapping[ChangeSetId, ChangeSet]) -> list[Obstacle]:
    """Return those of the changesets `since` that an older version cannot live with.

    `newer` is the changelog that they came from; one that is not in it is an obstacle, since nothing is known of it.
    """
    found = []
    for name in since:
        change = newer.get(name)
        why = change.irreversible if change else "it is in none of the two changelogs"
        if why:
            found.append(Obstacle(name, why))
    return found
