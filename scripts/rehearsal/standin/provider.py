"""A stand-in provider: what Terraform asks of a provider, answered from a schema and the pretended cloud."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.rehearsal.cloud import AlreadyExistsError, Cloud, CloudObject
from scripts.rehearsal.standin import azure_values, planning
from scripts.rehearsal.standin.addressing import Addresses
from scripts.rehearsal.standin.azure_rules import RULES
from scripts.rehearsal.standin.computed import Computation
from scripts.rehearsal.standin.faults import Fault, Faults
from scripts.rehearsal.standin.replacement import refused_change, replaced_by
from scripts.rehearsal.standin.rules import APPLY, PLAN, VALIDATE, problems
from scripts.rehearsal.standin.secret_store import open_ephemeral, store_secrets
from scripts.rehearsal.standin.served import Block, Served
from scripts.rehearsal.standin.service import RefusedError, Service
from scripts.rehearsal.standin.values import UNKNOWN, is_unknown, lookup, wholly_known

Problem = tuple[str, str]


@dataclass
class Answer:
    """A state, and what is wrong: ``(path, message)`` each."""

    state: Any = None
    problems: list[Problem] = field(default_factory=list)
    replaced_by: list[str] = field(default_factory=list)
    legacy: bool = False


@dataclass(frozen=True)
class _Identity:
    key: str
    generation: int
    attributes: dict[str, Any]


class StandIn:
    """One provider process's state: schemas, cloud, service, faults."""

    def __init__(self, served: Served, cloud: Cloud, service: Service, faults: Faults, folder: Path) -> None:
        self.served = served
        self._cloud = cloud
        self._service = service
        self._faults = faults
        self._addresses = Addresses(folder)
        self._stack = folder.name

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the provider block."""
        self._service.configure(config)

    def validate(self, type_name: str, config: Any) -> list[Problem]:
        """Return what the provider finds wrong with a resource before any plan."""
        try:
            self._strike("validate", type_name, config)
        except RefusedError as error:
            return [("", str(error))]
        return problems(RULES, type_name, VALIDATE, config)

    def plan(self, type_name: str, prior: Any, proposed: Any, config: Any) -> Answer:
        """Return the planned state of a change."""
        if proposed is None:
            return Answer()
        block = self.served.block("resource", type_name)
        proposed = planning.without_write_only(block, proposed)
        if prior is not None:
            proposed = _kept_blocks(type_name, prior, proposed)
        answer = Answer(
            state=proposed,
            problems=problems(RULES, type_name, PLAN, config),
            legacy=type_name in azure_values.COMPUTED_BLOCKS,
        )
        try:
            self._strike("plan", type_name, config)
        except RefusedError as error:
            answer.problems.append(("", str(error)))
        if prior is not None and proposed == prior:
            return answer
        planned = planning.with_unknowns(block, proposed, prior)
        if prior is None:
            names = [name for name in azure_values.COMPUTED_BLOCKS.get(type_name, ()) if not planned[name]]
            planned |= dict.fromkeys(names, UNKNOWN)
        else:
            planned = _recomputed(type_name, prior, planned)
            answer.replaced_by = replaced_by(type_name, prior, planned)
        answer.state = planned
        return answer

    def apply(self, type_name: str, prior: Any, planned: Any, config: Any) -> Answer:
        """Carry out a planned change; on refusal the answer's state is what remains."""
        operation = "create" if prior is None else "delete" if planned is None else "update"
        address = self._addresses.of(type_name, config if planned is not None else prior)
        answer = Answer(state=prior, legacy=type_name in azure_values.COMPUTED_BLOCKS)
        try:
            self._service.check_reachable()
            lost = self._faults.strike(operation, type_name, address)
            if operation == "delete":
                self._delete(type_name, prior)
            else:
                for path, message in problems(RULES, type_name, APPLY, planned):
                    raise RefusedError(f"{path}: {message}" if path else message)
            state = self._write(operation, type_name, prior, planned, config, address)
            _lose(lost, address)
            answer.state = state
        except RefusedError as error:
            answer.problems.append(("", str(error)))
        self._cloud.record(
            stack=self._stack,
            operation=operation,
            type=type_name,
            address=address,
            id=str((answer.state or prior or {}).get("id", "")),
            outcome=answer.problems[0][1] if answer.problems else "done",
        )
        return answer

    def _write(  # noqa: PLR0917
        self, operation: str, type_name: str, prior: Any, planned: Any, config: Any, address: str
    ) -> Any:
        if operation == "delete":
            return None
        if operation == "create":
            return self._create(type_name, planned, config, address)
        return self._update(type_name, prior, planned, config)

    def _create(self, type_name: str, planned: dict[str, Any], config: Any, address: str) -> dict[str, Any]:
        facts = self._facts(type_name, planned)
        key = self._service.unique_key(type_name, facts) or f"{type_name}|{self._stack}|{address}"
        identity = self._identify(type_name, facts, key, self._cloud.next_generation(key))
        state = self._filled(type_name, planned, {**facts, **identity.attributes}, identity)
        object_id = str(state.get("id"))
        self._service.check_create(type_name, object_id, facts)
        created = CloudObject(
            key=key,
            provider=type_name.split("_", 1)[0],
            type=type_name,
            id=object_id,
            scope=self._service.scope(type_name, facts),
            stack=self._stack,
            address=address,
            generation=identity.generation,
            state=state,
        )
        try:
            self._cloud.create(created)
        except AlreadyExistsError:
            raise RefusedError(self._service.exists_message(type_name, object_id)) from None
        store_secrets(self._cloud, self.served.block("resource", type_name), type_name, config, state, prior=None)
        return state

    def _update(self, type_name: str, prior: Any, planned: dict[str, Any], config: Any) -> dict[str, Any]:
        refusal = refused_change(type_name, prior, planned)
        if refusal:
            raise RefusedError(refusal)
        existing = self._existing(type_name, prior)
        if existing is None:
            raise RefusedError(f"unexpected status 404 (404 Not Found): {prior.get('id')} does not exist")
        facts = self._facts(type_name, planned)
        seed = f"{existing.key}#{existing.generation}#{prior.get('id')}"
        made = self._service.made_up(type_name, facts, seed)
        made = {name: value for name, value in made.items() if is_unknown(planned.get(name))}
        identity = _Identity(seed, existing.generation, made)
        state = self._filled(type_name, planned, {**facts, **made}, identity)
        self._cloud.update(existing.key, state, str(state.get("id")))
        store_secrets(self._cloud, self.served.block("resource", type_name), type_name, config, state, prior=prior)
        return state

    def _delete(self, type_name: str, prior: Any) -> None:
        existing = self._existing(type_name, prior)
        if existing:
            self._service.check_delete(existing)
            gone = [found.key for found in self._service.gone_with(existing)]
            self._cloud.delete(existing.key, *gone)

    def _facts(self, type_name: str, planned: Mapping[str, Any]) -> dict[str, Any]:
        configured = {name: value for name, value in planned.items() if not is_unknown(value)}
        return {**self._service.base_facts(type_name, planned), **configured}

    def _identify(self, type_name: str, facts: Mapping[str, Any], key: str, generation: int) -> _Identity:
        seed = f"{key}#{generation}"
        return _Identity(seed, generation, self._service.made_up(type_name, facts, seed))

    def _filled(
        self, type_name: str, planned: dict[str, Any], facts: Mapping[str, Any], identity: _Identity
    ) -> dict[str, Any]:
        computation = Computation(identity.key, facts, self._service.templates(type_name))

        def compute(path: tuple[str | int, ...], attribute: Mapping[str, Any]) -> Any:
            if len(path) == 1 and path[0] in identity.attributes:
                return identity.attributes[path[0]]
            return computation.value(path, attribute)

        state = planning.fill(self.served.block("resource", type_name), planned, compute)
        state = self._service.settle(type_name, state, planned)
        assert wholly_known(state), f"{type_name}: an attribute is still unknown after apply"
        return state

    def _existing(self, type_name: str, state: Mapping[str, Any]) -> CloudObject | None:
        return self._cloud.by_id(type_name, str(state.get("id")), self._service.scope(type_name, state))

    def read(self, type_name: str, state: Any) -> Answer:
        """Return what there is of a resource now; nothing where it is gone."""
        try:
            self._strike("read", type_name, state)
        except RefusedError as error:
            return Answer(state=state, problems=[("", str(error))])
        existing = self._existing(type_name, state)
        if existing is None:
            return Answer()
        return Answer(state=self._service.observed(type_name, existing.state))

    def import_state(self, type_name: str, object_id: str) -> Answer:
        """Return the state of an existing object by its id."""
        existing = self._cloud.by_id(type_name, object_id, self._service.scope(type_name, {}))
        if existing is None:
            return Answer(problems=[("", f"cannot import {type_name}: {object_id} does not exist")])
        return Answer(state=existing.state)

    def read_data(self, type_name: str, config: Any) -> Answer:
        """Return the state of a data source."""
        block = self.served.block("data", type_name)
        try:
            self._service.check_reachable()
            self._strike("read", type_name, config)
        except RefusedError as error:
            return Answer(problems=[("", str(error))])
        found = self._service.read_data(type_name, config)
        if found is None:
            named = config.get("name") or config.get("id") or lookup(config, "metadata.0.name")
            return Answer(problems=[("", f"{type_name}: {named!r} was not found")])
        shaped = planning.with_unknowns(block, config, None)
        facts = {**self._service.base_facts(type_name, config), **_set_only(config), **found}
        computation = Computation(f"{type_name}|{_set_only(config)}", facts, self._service.templates(type_name))

        def compute(path: tuple[str | int, ...], attribute: Mapping[str, Any]) -> Any:
            return found[path[0]] if len(path) == 1 and path[0] in found else computation.value(path, attribute)

        return Answer(state=planning.fill(block, shaped, compute))

    def open(self, type_name: str, config: Any) -> Answer:
        """Return an ephemeral value; it exists for one run of Terraform only."""
        block = self.served.block("ephemeral", type_name)
        with contextlib.suppress(KeyError):
            try:
                self._strike("open", type_name, config)
                return Answer(state=open_ephemeral(self._cloud, block, type_name, config))
            except RefusedError as error:
                return Answer(problems=[("", str(error))])
        return Answer(problems=[("", f"unknown ephemeral type {type_name}")])

    def _strike(self, operation: str, type_name: str, attributes: Any) -> None:
        if self._faults:
            self._faults.strike(operation, type_name, self._addresses.of(type_name, attributes or {}))


def _set_only(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if value is not None and not is_unknown(value)}


def _kept_blocks(type_name: str, prior: dict[str, Any], proposed: dict[str, Any]) -> dict[str, Any]:
    """Return the proposal with the blocks that the service decides on as they were, where nobody writes them."""
    names = [name for name in azure_values.COMPUTED_BLOCKS.get(type_name, ()) if not proposed[name]]
    return {**proposed, **{name: prior[name] for name in names}}


def _recomputed(type_name: str, prior: dict[str, Any], planned: dict[str, Any]) -> dict[str, Any]:
    """Return the plan with those attributes unknown that follow from what changes."""
    found = dict(planned)
    for trigger, attributes in azure_values.RECOMPUTED.get(type_name, {}).items():
        if trigger == "*" or prior.get(trigger) != planned.get(trigger):
            found |= dict.fromkeys(attributes, UNKNOWN)
    return found


def _lose(lost: Fault | None, address: str) -> None:
    if lost:
        raise RefusedError(f"the answer was lost after the work was done: {address}: connection reset by peer")
