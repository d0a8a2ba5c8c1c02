"""A fake provider: what Terraform asks of a provider, answered from a schema and the fake cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.lab.rehearsal.cloud import Cloud

from . import planning
from .computed import Computation
from .faults import Faults
from .protocol.configuration import Configuration
from .protocol.served import Served
from .protocol.values import UNKNOWN, Path, is_unknown, lookup
from .replacement import replaced_by
from .rules.checks import APPLY, PLAN, VALIDATE, problems
from .secret_store import open_ephemeral
from .service import RefusedError, Service
from .writes import Writes

Problem = tuple[str, str]


@dataclass
class Answer:
    """A state, and what is wrong: ``(path, message)`` each. ``legacy`` lets Terraform take blocks nobody wrote."""

    state: Any = None
    problems: list[Problem] = field(default_factory=list)
    replaced_by: list[str] = field(default_factory=list)
    legacy: bool = False


class FakeProvider:
    """One provider process: schemas, service, cloud and injected faults brought together."""

    def __init__(
        self, served: Served, cloud: Cloud, service: Service, faults: Faults, configuration: Configuration
    ) -> None:
        self._served = served
        self._cloud = cloud
        self._service = service
        self._faults = faults
        self._configuration = configuration
        self._writes = Writes(served, cloud, service, configuration.stack)

    def schema_response(self) -> bytes:
        """Return the serialized schemas of all types that this run of Terraform can meet.

        Those are the configured ones and, because they may stand in a state, all that ever existed in this cloud. A
        smaller answer saves Terraform a third of a second each time.
        """
        if not self._configuration.complete:
            return self._served.response()
        lived = {("resource", name) for name in self._cloud.types_ever()}
        return self._served.response(self._configuration.types() | lived)

    def types(self, kind: str) -> list[str]:
        """Return the names of all types of a kind."""
        return self._served.types(kind)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the provider block."""
        self._service.configure(config)

    def validate(self, type_name: str, config: Any) -> list[Problem]:
        """Return what the provider finds wrong with a resource before any plan."""
        try:
            self._strike("validate", type_name, config)
        except RefusedError as error:
            return [("", str(error))]
        return problems(self._service.rules, type_name, VALIDATE, config)

    def plan(self, type_name: str, prior: Any, proposed: Any, config: Any) -> Answer:
        """Return the planned state of a change."""
        if proposed is None:
            return Answer()
        block = self._served.block("resource", type_name)
        decided = self._service.computed_blocks(type_name)
        planned = planning.without_write_only(block, proposed)
        answer = Answer(problems=problems(self._service.rules, type_name, PLAN, config), legacy=bool(decided))
        try:
            self._strike("plan", type_name, config)
            if prior is None:
                self._service.check_plan(type_name, planned)
        except RefusedError as error:
            answer.problems.append(("", str(error)))
        silent = [name for name in decided if not planned[name]]
        planned |= {name: prior[name] if prior else UNKNOWN for name in silent}
        if planned != prior:
            planned = planning.with_unknowns(block, planned, prior)
            if prior is not None:
                planned |= dict.fromkeys(self._service.recomputed(type_name, prior, planned), UNKNOWN)
                answer.replaced_by = replaced_by(type_name, prior, planned)
        answer.state = planned
        return answer

    def apply(self, type_name: str, prior: Any, planned: Any, config: Any) -> Answer:
        """Carry out a planned change; on refusal the answer's state is what remains."""
        operation = "create" if prior is None else "delete" if planned is None else "update"
        address = self._configuration.address(type_name, config if planned is not None else prior)
        answer = Answer(state=prior, legacy=bool(self._service.computed_blocks(type_name)))
        try:
            self._service.check_reachable()
            lost = self._faults.strike(operation, type_name, address)
            for path, message in problems(self._service.rules, type_name, APPLY, planned or {}):
                raise RefusedError(f"{path}: {message}" if path else message)
            state = self._writes.write(type_name, prior, planned, config, address)
            if lost and lost.effect == "kill-after":
                self._faults.power_off()
            if lost:
                raise RefusedError(self._service.lost_message(address))
            answer.state = state
        except RefusedError as error:
            answer.problems.append(("", str(error)))
        self._cloud.record(
            stack=self._configuration.stack,
            operation=operation,
            type=type_name,
            address=address,
            id=str((answer.state or prior or {}).get("id", "")),
            outcome=answer.problems[0][1] if answer.problems else "done",
        )
        return answer

    def read(self, type_name: str, state: Any) -> Answer:
        """Return what there is of a resource now; nothing where it is gone."""
        try:
            self._service.check_reachable()
            self._strike("read", type_name, state)
        except RefusedError as error:
            return Answer(state=state, problems=[("", str(error))])
        existing = self._writes.existing(type_name, str(state.get("id")))
        if existing is None:
            return Answer(state=None)
        kept = {name: state.get(name) for name in self._service.untold(type_name)}
        return Answer(state={**self._service.observed(type_name, existing.state), **kept})

    def import_state(self, type_name: str, object_id: str) -> Answer:
        """Return the state of an existing object by its id; for another one, what Terraform itself says then."""
        existing = self._service.imported(type_name, object_id) or self._writes.existing(type_name, object_id)
        if existing is None:
            return Answer(problems=[("", f"Cannot import non-existent remote object: {type_name} {object_id}")])
        # Nothing can be read back that tells which version of a write-only value was written.
        unread = dict.fromkeys((name for name in existing.state if name.endswith("_wo_version")), None)
        unread |= dict.fromkeys(self._service.untold(type_name))
        return Answer(state={**existing.state, **unread})

    def read_data(self, type_name: str, config: Any) -> Answer:
        """Return the state of a data source."""
        try:
            self._service.check_reachable()
            self._strike("read", type_name, config)
        except RefusedError as error:
            return Answer(problems=[("", str(error))])
        found = self._service.read_data(type_name, config)
        if found is None:
            named = config.get("name") or config.get("id") or lookup(config, "metadata.0.name")
            return Answer(problems=[("", f"{type_name}: {named!r} was not found")])
        given = {name: value for name, value in config.items() if value is not None and not is_unknown(value)}
        facts = {**self._service.base_facts(type_name, config), **given, **found}
        computation = Computation(f"{type_name}|{given}", facts, self._service.templates(type_name))

        def compute(path: Path, attribute: Mapping[str, Any]) -> Any:
            return found[str(path[0])] if len(path) == 1 and path[0] in found else computation.value(path, attribute)

        block = self._served.block("data", type_name)
        return Answer(state=planning.fill(block, planning.with_unknowns(block, config, None), compute))

    def open(self, type_name: str, config: Any) -> Answer:
        """Return an ephemeral value; it exists for one run of Terraform only."""
        try:
            self._strike("open", type_name, config)
            return Answer(
                state=open_ephemeral(self._cloud, self._served.block("ephemeral", type_name), type_name, config)
            )
        except RefusedError as error:
            return Answer(problems=[("", str(error))])

    def _strike(self, operation: str, type_name: str, attributes: Any) -> None:
        if self._faults:
            self._faults.strike(operation, type_name, self._configuration.address(type_name, attributes or {}))
