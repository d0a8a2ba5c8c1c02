"""Workspaces as they are wanted: settings, tags, whom they hand outputs to, and what starts their runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytfe import TFEClient
from pytfe.errors import NotFound
from pytfe.models import (
    RunTriggerCreateOptions,
    RunTriggerFilterOp,
    RunTriggerListOptions,
    TagBinding,
    Workspace,
    WorkspaceAddRemoteStateConsumersOptions,
    WorkspaceAddTagBindingsOptions,
    WorkspaceCreateOptions,
    WorkspaceUpdateOptions,
)

from .desired import Wanted, WantedWorkspace
from .steps import Ids, Step, creating

_COMPARED = {"execution_mode", "terraform_version", "auto_apply", "allow_destroy_plan", "global_remote_state"}


@dataclass
class Workspaces:
    """Compares workspaces with what is wanted."""

    client: TFEClient
    wanted: Wanted
    ids: Ids

    def read(self) -> dict[str, Workspace | None]:
        """Return the workspaces that are there, None where one is missing. Raises pytfe's TFEError."""
        return {wish.name: self._existing(wish.name) for wish in self.wanted.workspaces}

    def steps(self, existing: dict[str, Workspace | None]) -> Iterator[Step]:
        """Yield what is missing or differs. Raises pytfe's TFEError."""
        for compare in (self._workspace, self._sharing, self._triggers):
            for wish in self.wanted.workspaces:
                yield from compare(wish, existing[wish.name])

    def _existing(self, name: str) -> Workspace | None:
        try:
            found = self.client.workspaces.read(name, organization=self.wanted.organization)
        except NotFound:
            return None
        self.ids[name] = found.id
        return found

    def _workspace(self, wish: WantedWorkspace, found: Workspace | None) -> Iterator[Step]:
        tags = [TagBinding(key=key, value=value) for key, value in wish.tags.items()]
        if found is None:
            yield creating(
                self.ids,
                wish.name,
                f"workspace {wish.name} ({wish.attributes['execution-mode']})",
                lambda: self.client.workspaces.create(
                    self.wanted.organization,
                    WorkspaceCreateOptions.model_validate(
                        {"name": wish.name, "tag-bindings": tags} | self._attributes(wish)
                    ),
                ),
            )
            return
        if differences := self._differences(wish, found):
            yield Step(
                f"change workspace {wish.name}: {', '.join(differences)}",
                lambda: self.client.workspaces.update_by_id(
                    found.id, WorkspaceUpdateOptions.model_validate(self._attributes(wish))
                ),
            )
        present = {(tag.key, tag.value) for tag in self.client.workspaces.list_tag_bindings(found.id)}
        if missing := [tag for tag in tags if (tag.key, tag.value) not in present]:
            yield Step(
                f"tag workspace {wish.name}: {', '.join(f'{tag.key}={tag.value}' for tag in missing)}",
                lambda: self.client.workspaces.add_tag_bindings(
                    found.id, WorkspaceAddTagBindingsOptions(tag_bindings=missing)
                ),
            )

    def _attributes(self, wish: WantedWorkspace) -> dict[str, Any]:
        attributes = dict(wish.attributes)
        if wish.on_agents:
            attributes["agent-pool-id"] = self.ids["agent pool"]
        if self.wanted.project:
            attributes["project"] = {"id": self.ids["project"]}
        return attributes

    def _differences(self, wish: WantedWorkspace, found: Workspace) -> list[str]:
        there = found.model_dump(by_alias=True, mode="json", include=_COMPARED)
        told = [f"{key} {there[key]} → {value}" for key, value in wish.attributes.items() if there[key] != value]
        if wish.on_agents and (found.agent_pool is None or found.agent_pool.id != self.ids.get("agent pool")):
            told.append(f"agent pool → {self.wanted.agent_pool}")
        if self.wanted.project and (found.project is None or found.project.id != self.ids.get("project")):
            told.append(f"project → {self.wanted.project}")
        return told

    def _sharing(self, wish: WantedWorkspace, found: Workspace | None) -> Iterator[Step]:
        consumers = self.client.workspaces.list_remote_state_consumers(found.id) if found else ()
        # The list may hold ids only.
        present = {consumer.id for consumer in consumers}
        if missing := [name for name in wish.consumers if self.ids.get(name) not in present]:
            yield Step(
                f"share outputs of {wish.name} with {', '.join(missing)}",
                lambda: self.client.workspaces.add_remote_state_consumers(
                    self.ids[wish.name],
                    WorkspaceAddRemoteStateConsumersOptions(
                        workspaces=[Workspace.model_validate({"id": self.ids[name]}) for name in missing]
                    ),
                ),
            )

    def _triggers(self, wish: WantedWorkspace, found: Workspace | None) -> Iterator[Step]:
        inbound = RunTriggerListOptions(run_trigger_type=RunTriggerFilterOp.RUN_TRIGGER_INBOUND)
        present = (
            {trigger.sourceable_name for trigger in self.client.run_triggers.list(found.id, inbound)} if found else ()
        )
        for source in wish.triggered_by:
            if source not in present:
                yield Step(f"run {wish.name} after every apply of {source}", partial(self._trigger, wish.name, source))

    def _trigger(self, name: str, source: str) -> None:
        sourceable = Workspace.model_validate({"id": self.ids[source]})
        self.client.run_triggers.create(self.ids[name], RunTriggerCreateOptions(sourceable=sourceable))
