"""What the architecture picture shows: stacks with what they read of each other, and components with their traffic."""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from main import build_app
from stacks.common.base import EnvironmentStack, Tier
from stacks.platform.common.namespaces import NamespaceRules
from stacks.platform.common.traffic import Direction
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

_READ = re.compile(r"data\.terraform_remote_state\.([\w-]+)\.outputs\.(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPart:
    """One stack."""

    name: str
    tier: Tier
    owns: str
    """The first sentence of its class, without `Owns`."""
    reads: Mapping[str, tuple[str, ...]]
    """Outputs that it reads, by the stack that publishes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPart:
    """One component of the cluster."""

    name: str
    summary: str
    hosts: tuple[str, ...]
    """First labels of its host names."""
    uses_database: bool
    calls: Mapping[str, tuple[int, ...]]
    """Ports that it may reach, by component; scraping, DNS and challenges are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Everything in the picture: stacks in deploy order, components in the order of lists."""

    stacks: tuple[StackPart, ...]
    components: tuple[ComponentPart, ...]


def describe(settings: Settings) -> Description:
    """Return what stands in the stacks and in the cluster of an environment. Synthesizes it in a temporary folder."""
    return Description(stacks=tuple(_stacks(settings)), components=tuple(_components(settings)))


def _stacks(settings: Settings) -> Iterator[StackPart]:
    with tempfile.TemporaryDirectory() as folder:
        app = build_app(settings, Path(folder))
        app.synth()
        for stack in app.node.children:
            if isinstance(stack, EnvironmentStack):
                text = (Path(folder) / "stacks" / stack.stack_name / "cdk.tf.json").read_text("utf-8")
                yield StackPart(name=stack.stack_name, tier=stack.tier, owns=_owns(stack), reads=_reads(text))


def _owns(stack: EnvironmentStack) -> str:
    first = re.split(r"\.\s", " ".join((type(stack).__doc__ or "").split()))[0]
    return first.removeprefix("Owns ").rstrip(".")


def _reads(synthesized: str) -> dict[str, tuple[str, ...]]:
    states = json.loads(synthesized).get("data", {}).get("terraform_remote_state", {})
    producers = {name: _producer(state) for name, state in states.items()}
    read: defaultdict[str, set[str]] = defaultdict(set)
    for state, output in _READ.findall(synthesized):
        read[producers[state]].add(output)
    return {producer: tuple(sorted(outputs)) for producer, outputs in read.items()}


def _producer(state: Mapping[str, Any]) -> str:
    """Return the stack whose state it is: the local backend's file is named after it."""
    return Path(state["config"]["path"]).stem


def _components(settings: Settings) -> Iterator[ComponentPart]:
    enabled = enabled_components(settings)
    rules = {component.name: tuple(component.namespaces(enabled)) for component in enabled}
    for component in enabled:
        yield ComponentPart(
            name=component.name,
            summary=component.summary,
            hosts=tuple(host.label for host in component.hosts),
            uses_database=bool(component.databases),
            calls=dict(sorted(_calls(component.name, rules))),
        )


def _calls(name: str, rules: Mapping[str, tuple[NamespaceRules, ...]]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield which components one component may reach, with the ports: both sides have to allow it."""
    for other, namespaces in rules.items():
        ports = {port for own in rules[name] for theirs in namespaces for port in _allowed(own, theirs)}
        if other != name and ports:
            yield other, tuple(sorted(ports))


def _allowed(caller: NamespaceRules, callee: NamespaceRules) -> set[int]:
    let_in = {
        port.number
        for rule in callee.traffic
        if rule.direction is Direction.INGRESS and not rule.name.startswith(("allow-challenge", "allow-metrics"))
        for peer in rule.peers
        if peer.namespace == caller.name
        for port in rule.ports
    }
    outgoing = [
        rule
        for rule in caller.traffic
        if rule.direction is Direction.EGRESS and any(peer.namespace == callee.name for peer in rule.peers)
        if not rule.name.startswith(("scrape-", "allow-challenge"))
    ]
    if any(not rule.ports for rule in outgoing):
        return let_in
    return let_in & {port.number for rule in outgoing for port in rule.ports}
