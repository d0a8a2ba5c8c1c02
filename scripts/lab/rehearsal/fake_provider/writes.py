"""Creating, changing and deleting in the fake cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.lab.rehearsal.cloud import AlreadyExistsError, Cloud, CloudObject

from . import planning
from .computed import Computation
from .protocol.served import Served
from .protocol.values import Path, is_unknown, wholly_known
from .replacement import refused_change
from .secret_store import store_secrets
from .service import RefusedError, Service

State = dict[str, Any]


class Writes:
    """Writes of one provider process. Every method raises RefusedError where the service refuses."""

    def __init__(self, served: Served, cloud: Cloud, service: Service, stack: str) -> None:
        self._served = served
        self._cloud = cloud
        self._service = service
        self._stack = stack

    def existing(self, type_name: str, object_id: str) -> CloudObject | None:
        """Return the object with this id where the provider is looking."""
        return self._cloud.by_id(type_name, object_id, self._service.scope())

    def write(self, type_name: str, prior: Any, planned: Any, config: Any, address: str) -> State | None:
        """Carry out one planned change and return the new state, None after a deletion."""
        if planned is None:
            self._delete(type_name, prior)
            return None
        facts = {**self._service.base_facts(type_name, planned), **_known(planned)}
        if prior is None:
            state = self._create(type_name, planned, facts, address)
        else:
            state = self._update(type_name, prior, planned, facts)
        block = self._served.block("resource", type_name)
        store_secrets(self._cloud, block, type_name, config, state, prior=prior)
        return state

    def _create(self, type_name: str, planned: State, facts: Mapping[str, Any], address: str) -> State:
        key = self._service.unique_key(type_name, facts) or self._free_key(f"{type_name}|{self._stack}|{address}")
        generation = self._cloud.next_generation(key)
        seed = f"{key}#{generation}"
        made = self._service.made_up(type_name, facts, seed)
        self._service.check_create(type_name, str(made["id"]), facts)
        state = self._filled(type_name, planned, facts, seed, made)
        created = CloudObject(
            key=key,
            provider=type_name.split("_", 1)[0],
            type=type_name,
            id=str(state["id"]),
            scope=self._service.scope(),
            stack=self._stack,
            address=address,
            generation=generation,
            state=state,
        )
        try:
            self._cloud.create(created)
        except AlreadyExistsError:
            there = self._cloud.get(key)
            raise RefusedError(self._service.exists_message(type_name, created.id, there)) from None
        return state

    def _free_key(self, wanted: str) -> str:
        """Return a key for one more of what there may be many of."""
        key, number = wanted, 1
        while self._cloud.get(key):
            number += 1
            key = f"{wanted}|{number}"
        return key

    def _update(self, type_name: str, prior: State, planned: State, facts: Mapping[str, Any]) -> State:
        refusal = refused_change(type_name, prior, planned)
        if refusal:
            raise RefusedError(refusal)
        existing = self.existing(type_name, str(prior["id"]))
        if existing is None:
            raise RefusedError(f"unexpected status 404 (404 Not Found): {prior['id']} does not exist")
        # What changes with the content (a secret's version) follows from what it was before.
        seed = f"{existing.key}#{existing.generation}#{prior['id']}"
        made = self._service.made_up(type_name, facts, seed)
        renewed = {name: value for name, value in made.items() if is_unknown(planned.get(name))}
        state = self._filled(type_name, planned, facts, seed, renewed)
        self._cloud.update(existing.key, state, str(state["id"]))
        return state

    def _delete(self, type_name: str, prior: State) -> None:
        existing = self.existing(type_name, str(prior["id"]))
        if existing:
            self._service.check_delete(existing)
            gone = [found.key for found in self._service.gone_with(existing)]
            self._cloud.delete(existing.key, *gone)

    def _filled(
        self, type_name: str, planned: State, facts: Mapping[str, Any], seed: str, made: Mapping[str, Any]
    ) -> State:
        computation = Computation(seed, {**facts, **made}, self._service.templates(type_name))

        def compute(path: Path, attribute: Mapping[str, Any]) -> Any:
            return made[str(path[0])] if len(path) == 1 and path[0] in made else computation.value(path, attribute)

        state: State = planning.fill(self._served.block("resource", type_name), planned, compute)
        state = self._service.settle(type_name, state, planned)
        if not wholly_known(state):
            raise RefusedError(f"{type_name}: the fake provider left an attribute unknown")
        return state


def _known(planned: Mapping[str, Any]) -> State:
    return {name: value for name, value in planned.items() if not is_unknown(value)}
