"""Imports everything that a stack consists of into a copy of it, round by round, as plans get to know more.

A child's id follows from its parent's, which is known once the parent is imported. Nothing in Azure or the cluster is
changed, and nothing is written to the real state before the copy is whole.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.review.plan import Changes, Plan
from scripts.terraform.errors.diagnose import errors
from scripts.terraform.existing import same_names
from scripts.terraform.scratch import Scratch, managed
from scripts.terraform.stack import TerraformError

from .ids import from_names
from .lookups import NEEDED
from .together import RECORD, import_together

Find = Callable[[str, Mapping[str, Any]], str | None]
"""Looks a resource up: type, and what is known of it."""
_ONE_BY_ONE = 2
"""Imports that take less time one by one than in a plan of their own."""
_NOT_THERE = "there is none, or more than one"
_VERSIONS = "_wo_version"
"""Ending of arguments that tell when a write-only value was written. Nobody can read them back; taken for missing, a
new value would be written over the one that is in use."""


@dataclass
class Adopted:
    """What became of a stack's resources."""

    imported: dict[str, str] = field(default_factory=dict)
    """Address to import id."""
    left: dict[str, str] = field(default_factory=dict)
    """Address to the reason why it is not imported; the next deployment makes it, or meets it."""
    plan: Plan = field(default_factory=lambda: Plan(Changes()))
    """What a deployment would do afterwards."""


@dataclass(frozen=True)
class Adoption:
    """One stack's import."""

    scratch: Scratch
    subscription: str
    find: Find
    tell: Callable[[str], object]
    """Gets a line for each import."""
    found: Adopted = field(default_factory=Adopted)

    def run(self) -> Adopted:
        """Import what exists of the stack into its copy. Raises TerraformError, AzureError."""
        found, in_state = self.found, dict(managed(self.scratch.base))
        # Imported by a run that ended before it wrote the state.
        found.imported |= {
            address: str(instance["attributes"]["id"])
            for address, instance in managed(self.scratch.made)
            if address not in in_state and not address.startswith(f"{RECORD}.")
        }
        while True:
            found.plan = self._planned()
            creations = _creations(found.plan)
            open_ = [it for it in creations if it not in found.left and not it.startswith(f"{RECORD}.")]
            before = len(found.imported) + len(found.left)
            ids = {address: id_ for address in open_ if (id_ := self._id(address, creations[address]))}
            waiting = self._import_together(ids, creations) if len(ids) > _ONE_BY_ONE else set[str]()
            for address, id_ in ids.items():
                if not {address} & {*found.left, *found.imported, *waiting}:
                    self._import(address, id_)
            if len(found.imported) + len(found.left) > before:
                continue
            for address in waiting:
                self._import(address, ids[address])
            if len(found.imported) + len(found.left) == before:
                break
        for address in open_:
            found.left[address] = "its id depends on something that is not there"
        if unread := _unread_versions(found.plan):
            self.scratch.amend(lambda address, attributes: attributes | unread.get(address, {}))
            found.plan = self.scratch.runner.plan(read_unchanged=True)
        _give_back(self.scratch, found)
        return found

    def _planned(self) -> Plan:
        """Plan the copy; what cannot be planned while it is not in the state is imported first."""
        while True:
            try:
                return self.scratch.runner.plan(read_unchanged=True)
            except TerraformError as error:
                there = {it: id_ for it, id_ in same_names(error.output).items() if it not in self.found.imported}
                if not there:
                    raise
                for address, id_ in there.items():
                    self._import(address, id_)
                if not there.keys() & self.found.imported.keys():
                    raise

    def _id(self, address: str, known: Mapping[str, Any]) -> str | None:
        """Return the import id; None where it is not known yet, and where it never will be, which is noted."""
        type_, left = address.partition(".")[0], self.found.left
        try:
            return from_names(type_, known, self.subscription)
        except KeyError:
            if type_ not in NEEDED:
                left[address] = f"{type_} cannot be imported"
                return None
            if any(known.get(name) is None for name in NEEDED[type_]):
                return None
            id_ = self.find(type_, known)
        if id_ is None:
            left[address] = _NOT_THERE
        return id_

    def _import_together(self, ids: Mapping[str, str], creations: Collection[str]) -> set[str]:
        """Import what can be imported in one plan; return what has to wait for others."""
        records = [address for address in creations if address.startswith(f"{RECORD}.")]
        together = import_together(self.scratch.runner, ids, records)
        self.found.left |= together.refused
        if together.done:
            # A plan with targets leaves outputs as they were.
            self.scratch.runner.refresh()
        for address in ids:
            if address in together.done:
                self.tell(f"  {address}  {ids[address]}")
                self.found.imported[address] = ids[address]
        return together.waiting

    def _import(self, address: str, id_: str) -> None:
        try:
            self.scratch.runner.adopt(address, id_)
        except TerraformError as error:
            said = errors(error.output)
            self.found.left[address] = " ".join(said[0].split())[:200] if said else "terraform import failed"
            return
        self.tell(f"  {address}  {id_}")
        self.found.imported[address] = id_


def _creations(plan: Plan) -> dict[str, Mapping[str, Any]]:
    """Return what is known of each resource that the plan would make, by address."""
    return {
        change["address"]: change["change"]["after"]
        for change in plan.document.get("resource_changes", [])
        if change["mode"] == "managed" and change["change"]["actions"] == ["create"]
    }


def _unread_versions(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return, by address, the versions of write-only values that an import could not read, as they are configured."""
    found: dict[str, dict[str, Any]] = {}
    for resource in plan.document.get("resource_changes", []):
        before, after = resource["change"]["before"] or {}, resource["change"]["after"] or {}
        unread = {name: after[name] for name in after if name.endswith(_VERSIONS) and before and before[name] is None}
        if any(value is not None for value in unread.values()):
            found[resource["address"]] = unread
    return found


def _give_back(scratch: Scratch, found: Adopted) -> None:
    """Take out of the copy what a deployment would destroy or replace: it is not what the configuration means."""
    lost = [change.address for change in found.plan.resources if change.kind.loses and change.address in found.imported]
    if lost:
        scratch.runner.forget(lost)
        for address in lost:
            del found.imported[address]
            found.left[address] = "what exists differs so that it would be replaced"
        found.plan = scratch.runner.plan(read_unchanged=True)


def as_json(found: Adopted) -> dict[str, Any]:
    """Return it for a program to read."""
    return {"imported": found.imported, "left": found.left, "changes": str(found.plan.changes)}
