"""Fake providers inside the test process: the same code Terraform calls, without Terraform."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.fake_provider.faults import Faults
from scripts.lab.rehearsal.fake_provider.protocol.configuration import Configuration
from scripts.lab.rehearsal.fake_provider.protocol.served import Served
from scripts.lab.rehearsal.fake_provider.protocol.server import service_of
from scripts.lab.rehearsal.fake_provider.protocol.values import elements, wholly_known
from scripts.lab.rehearsal.fake_provider.provider import Answer, FakeProvider
from scripts.lab.rehearsal.schemas import pinned

LOCATION = "westeurope"


def body(kind: str, type_name: str, **arguments: Any) -> dict[str, Any]:
    """Return a whole configuration as Terraform sends it: everything unset is null or empty."""
    block = pinned().block(kind, type_name)
    return _whole(block, arguments)


def _whole(block: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    found = {name: arguments.get(name) for name in block.get("attributes", {})}
    for name, nested in block.get("block_types", {}).items():
        if nested["nesting_mode"] == "single":
            found[name] = None
            continue
        given = arguments.get(name, [])
        items = given if isinstance(given, list) else [given]
        found[name] = [_whole(nested["block"], item) for item in items]
    unknown = arguments.keys() - found.keys()
    assert not unknown, f"not in the schema: {unknown}"
    return found


@dataclass
class Provider:
    """One fake provider with its cloud, working for a stack."""

    fake: FakeProvider
    cloud: Cloud

    def plan(self, type_name: str, prior: Any = None, **arguments: Any) -> Answer:
        """Plan as Terraform does: unset computed attributes keep their prior value."""
        config = body("resource", type_name, **arguments)
        block = pinned().block("resource", type_name)
        proposed = _merged(block, config, prior) if prior else config
        return self.fake.plan(type_name, prior, proposed, config)

    def apply(self, type_name: str, prior: Any = None, **arguments: Any) -> Answer:
        """Plan and apply."""
        planned = self.plan(type_name, prior, **arguments)
        assert not planned.problems, planned.problems
        answer = self.fake.apply(type_name, prior, planned.state, body("resource", type_name, **arguments))
        assert answer.problems or wholly_known(answer.state)
        return answer

    def create(self, type_name: str, **arguments: Any) -> dict[str, Any]:
        """Create something that must work, and return its state."""
        answer = self.apply(type_name, **arguments)
        assert not answer.problems, answer.problems
        return dict(answer.state)

    def delete(self, type_name: str, state: dict[str, Any]) -> list[str]:
        """Delete, and return what was said against it."""
        return [text for _path, text in self.fake.apply(type_name, state, None, None).problems]

    def read(self, type_name: str, state: dict[str, Any]) -> Any:
        """Read, and return the state found."""
        return self.fake.read(type_name, state).state


def _merged(block: dict[str, Any], config: dict[str, Any], prior: dict[str, Any]) -> dict[str, Any]:
    found = dict(config)
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("computed") and found[name] is None:
            found[name] = prior.get(name)
    for name, nested in block.get("block_types", {}).items():
        before = elements(prior.get(name), nested["nesting_mode"])
        for position, item in enumerate(found[name] or []):
            if position < len(before):
                found[name][position] = _merged(nested["block"], item, before[position])
    return found


def provider(name: str, folder: Path, stack: str = "network") -> Provider:
    """Return a fake provider over the cloud in ``folder``."""
    cloud = Cloud(folder)
    configuration = Configuration(folder / "stacks" / stack)
    faults = Faults(cloud, stack, threading.Event())
    return Provider(FakeProvider(Served(pinned(), name), cloud, service_of(name, cloud), faults, configuration), cloud)
