"""What the runs of all workspaces share: variables, and the teams that may use them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pytfe import TFEClient
from pytfe.models import (
    CategoryType,
    Team,
    TeamCreateOptions,
    TeamWorkspaceAccessAddOptions,
    TeamWorkspaceAccessType,
    TeamWorkspaceAccessUpdateOptions,
    VariableSet,
    VariableSetApplyToWorkspacesOptions,
    VariableSetCreateOptions,
    VariableSetVariableCreateOptions,
    VariableSetVariableUpdateOptions,
    Workspace,
)

from .desired import Wanted, WantedWorkspace
from .steps import Ids, Step, creating


@dataclass
class Access:
    """Compares variables and teams with what is wanted."""

    client: TFEClient
    wanted: Wanted
    ids: Ids

    def steps(self, existing: dict[str, Workspace | None]) -> Iterator[Step]:
        """Yield what is missing or differs. Raises pytfe's TFEError."""
        yield from self._variables()
        yield from self._teams(existing)

    def _variables(self) -> Iterator[Step]:
        wanted = self.wanted
        if not wanted.variables:
            return
        sets = self.client.variable_sets.list(wanted.organization)
        found = next((item for item in sets if item.name == wanted.variable_set), None)
        if found and found.id:
            self.ids["variables"] = found.id
        else:
            options = VariableSetCreateOptions.model_validate({"name": wanted.variable_set, "global": False})
            yield creating(
                self.ids,
                "variables",
                f"variable set {wanted.variable_set}",
                lambda: self.client.variable_sets.create(wanted.organization, options),
            )
        yield from self._values(found)
        applied = {item.id for item in found.workspaces} if found else set()
        names = [wish.name for wish in wanted.workspaces]
        if missing := [name for name in names if self.ids.get(name) not in applied]:
            yield Step(
                f"give {wanted.variable_set} to {', '.join(missing)}",
                lambda: self.client.variable_sets.apply_to_workspaces(
                    self.ids["variables"],
                    VariableSetApplyToWorkspacesOptions(
                        workspaces=[Workspace.model_validate({"id": self.ids[name]}) for name in missing]
                    ),
                ),
            )

    def _values(self, found: VariableSet | None) -> Iterator[Step]:
        variables = self.client.variable_set_variables
        there = {item.key: item for item in variables.list(found.id)} if found and found.id else {}
        for key, value in self.wanted.variables.items():
            present = there.get(key)
            if present is None:
                options = VariableSetVariableCreateOptions(key=key, value=value, category=CategoryType.ENV)
                yield Step(
                    f"set {key}={value} in {self.wanted.variable_set}",
                    partial(self._add_variable, options),
                )
            elif present.value != value:
                change = VariableSetVariableUpdateOptions(key=key, value=value)
                yield Step(
                    f"change {key} in {self.wanted.variable_set}: {present.value} → {value}",
                    partial(self._change_variable, str(present.id), change),
                )

    def _teams(self, existing: dict[str, Workspace | None]) -> Iterator[Step]:
        if not self.wanted.teams:
            return
        organization = self.wanted.organization
        there: dict[str | None, Team] = {team.name: team for team in self.client.teams.list(organization)}
        for name in self.wanted.teams:
            if team := there.get(name):
                self.ids[f"team {name}"] = team.id
            else:
                options = TeamCreateOptions(name=name)
                yield creating(
                    self.ids,
                    f"team {name}",
                    f"team {name}",
                    partial(self.client.teams.create, organization, options),
                )
        for wish in self.wanted.workspaces:
            yield from self._access(wish, existing[wish.name])

    def _access(self, wish: WantedWorkspace, found: Workspace | None) -> Iterator[Step]:
        accesses = self.client.team_workspace_accesses
        present = {access.team_id: access for access in accesses.list(found.id)} if found else {}
        for team, level in self.wanted.teams.items():
            kind = TeamWorkspaceAccessType(level)
            access = present.get(self.ids.get(f"team {team}"))
            if access is None:
                yield Step(
                    f"let team {team} {level} {wish.name}",
                    partial(self._admit, team, wish.name, kind),
                )
            elif access.access is not kind:
                yield Step(
                    f"change team {team} in {wish.name}: {access.access and access.access.value} → {level}",
                    partial(accesses.update, access.id, TeamWorkspaceAccessUpdateOptions(access=kind)),
                )

    def _add_variable(self, options: VariableSetVariableCreateOptions) -> None:
        self.client.variable_set_variables.create(self.ids["variables"], options)

    def _change_variable(self, variable_id: str, options: VariableSetVariableUpdateOptions) -> None:
        self.client.variable_set_variables.update(self.ids["variables"], variable_id, options)

    def _admit(self, team: str, workspace: str, kind: TeamWorkspaceAccessType) -> None:
        self.client.team_workspace_accesses.add(
            TeamWorkspaceAccessAddOptions(
                team_id=self.ids[f"team {team}"], workspace_id=self.ids[workspace], access=kind
            )
        )
