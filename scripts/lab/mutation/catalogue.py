"""The kept list of mutations: each a mistake that somebody could make, and the tests whose promise it breaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

CATALOGUE = Path(__file__).with_name("mutations.yaml")


class StaleMutationError(Exception):
    """A mutation no longer fits the tree; the message says which and why."""


@dataclass(frozen=True)
class Mutation:
    """One mistake: in `file`, the only `find` becomes `replace`. `harm` is what it would do to somebody.

    `noticed_by` names test modules, or tests in them, that have to fail; snapshots do not count, since one command
    accepts them.
    """

    name: str
    file: str
    find: str
    replace: str
    harm: str
    noticed_by: tuple[str, ...]

    def mutated(self, text: str) -> str:
        """Return the text of the file with the mistake in it.

        Raises StaleMutationError when `find` does not stand in it exactly once.
        """
        if (count := text.count(self.find)) != 1:
            raise StaleMutationError(f"{self.name}: {self.file} has {self.find!r} {count} times, not once")
        return text.replace(self.find, self.replace)


def mutations(path: Path = CATALOGUE) -> list[Mutation]:
    """Return the kept mutations. Raises TypeError on an entry with an unknown key, or one that is missing."""
    entries = YAML(typ="safe").load(path.read_text("utf-8"))
    return [Mutation(**entry | {"noticed_by": tuple(entry["noticed_by"])}) for entry in entries]


def selected(found: Sequence[Mutation], names: Sequence[str]) -> list[Mutation]:
    """Return the mutations of these names, all where none is given. Raises StaleMutationError for an unknown name."""
    known = {mutation.name: mutation for mutation in found}
    for name in names:
        if name not in known:
            raise StaleMutationError(f"{name}: no mutation of this name in {CATALOGUE.name}")
    return [known[name] for name in names] or list(found)
