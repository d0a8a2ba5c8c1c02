"""What has to be done in HCP Terraform to get from what is there to what is wanted: each step told, then taken.

Only adds and corrects. What else stands in the organization, also in these workspaces, is left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pytfe import TFEClient
from pytfe.models import AgentPoolCreateOptions, ProjectCreateOptions

from .access import Access
from .desired import Wanted
from .steps import Ids, Step, creating
from .workspaces import Workspaces


@dataclass
class Arrangement:
    """Compares one environment's wishes with an organization."""

    client: TFEClient
    wanted: Wanted
    ids: Ids = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        """Yield what is missing or differs, in order; nothing when all is as wanted. Raises pytfe's TFEError."""
        yield from self._project()
        yield from self._agent_pool()
        workspaces = Workspaces(self.client, self.wanted, self.ids)
        existing = workspaces.read()
        yield from workspaces.steps(existing)
        yield from Access(self.client, self.wanted, self.ids).steps(existing)

    def _project(self) -> Iterator[Step]:
        name, organization = self.wanted.project, self.wanted.organization
        if name is None:
            return
        found = next((project for project in self.client.projects.list(organization) if project.name == name), None)
        if found:
            self.ids["project"] = found.id
        else:
            options = ProjectCreateOptions(name=name)
            yield creating(
                self.ids, "project", f"project {name}", lambda: self.client.projects.create(organization, options)
            )

    def _agent_pool(self) -> Iterator[Step]:
        name, organization = self.wanted.agent_pool, self.wanted.organization
        if name is None:
            return
        found = next((pool for pool in self.client.agent_pools.list(organization) if pool.name == name), None)
        if found:
            self.ids["agent pool"] = found.id
        else:
            options = AgentPoolCreateOptions(name=name)
            yield creating(
                self.ids,
                "agent pool",
                f"agent pool {name}",
                lambda: self.client.agent_pools.create(organization, options),
            )
