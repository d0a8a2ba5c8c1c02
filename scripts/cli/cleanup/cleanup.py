"""Deletes what a mode names, step by step; each step finds out from the state what is left to do.

Locks and policies go with what they protect, and before it: they depend on it in Terraform. What stays keeps its own: a
stack of which only a part is deleted is deployed again at once, protection included.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from scripts.azure.resources import Azure
from scripts.backup.remains import Remains, look, remove_disks, remove_servers, remove_sets
from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.core.console import report
from scripts.core.errors import OperatorError
from scripts.core.targets import Targets
from scripts.core.workspace import ROOT, Workspace
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.deployment.disks_in_state import LOCK_NAME
from scripts.deployment.leaving.modes import SCOPES, Mode, Resources, Scope, chosen
from scripts.deployment.taking_down import take_down
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import StackRunner, TerraformError, unreadable_state
from stacks.common.given_up import release
from stacks.platform.common.image_lock import lock_file
from stacks.settings import Settings

_BACKUP_VAULT, _GROUP = "azurerm_data_protection_backup_vault", "azurerm_resource_group"


@dataclass(frozen=True)
class Cleanup:
    """One mode for one environment, after everything was shown and agreed to."""

    settings: Settings
    mode: Mode
    tools: Tools = field(default_factory=Tools)
    keep_backups: bool = False
    """Whether backup sets stay, with their resource group and manifests, which no state knows then."""

    @property
    def scope(self) -> Scope:
        """What the mode does to which stacks."""
        return SCOPES[self.mode]

    def states(self) -> dict[str, Resources]:
        """Return the resources of every stack. Raises OperatorError when a state cannot be read."""
        with self._run() as run:
            try:
                return {name: run.runner(name).resources() for name in run.stacks}
            except TerraformError as error:
                raise unreadable_state(error, self.settings.name) from None

    def run(self) -> None:
        """Delete what is left of it. Raises OperatorError; the same command then goes on."""
        scope = self.scope
        with self._run(*scope.disposable, destroy=True) as run:
            report(f"Step 1: {', '.join(reversed(scope.disposable))}")
            self._take_down(run, scope.disposable)
        if not scope.data:
            return
        try:
            with self._run(*scope.given_up, destroy=bool(scope.destroyed)) as run:
                report(f"Step 2: {scope.goes}")
                for stack in run.stacks.values():
                    release(stack.folder)
                self._let_backups_go(run)
                self._remove_remains(run)
                if scope.destroyed:
                    self._take_down(run, scope.destroyed)
                else:
                    self._delete_part(run.runner(scope.emptied))
        finally:
            # Nothing unprotected stays in the folder that Terraform may be run in by hand.
            with self._run():
                pass
        if scope.emptied:
            report(f"Step 3: {scope.emptied} again, empty, with its protection")
            with self._run(scope.emptied) as run:
                self._bring_up(run, scope.emptied)
        if self.mode is Mode.EVERYTHING and self._workspace().base == ROOT:
            # It names images of the registry that is gone.
            lock_file(self.settings.name).unlink(missing_ok=True)

    def remains(self, states: Mapping[str, Resources]) -> Remains:
        """Return what lies in Azure and in no state, where the mode deletes it. Raises AzureError."""
        if self.mode not in (Mode.TRACES, Mode.EVERYTHING):
            return Remains(sets={})
        names = self.settings.azure_names
        groups = {
            "sets": names.resource_group("disks-backup-sets"),
            "snapshots": names.resource_group("disks-snapshots"),
            "disks": names.resource_group("disks"),
            **({"database": names.resource_group("database")} if self.mode is Mode.EVERYTHING else {}),
        }
        # Stacks call things alike: each has a group of its own under the same address.
        resources = [(address, one) for found in states.values() for address, one in found.items()]
        there = {str(one.get("name")) for address, one in resources if address.startswith(f"{_GROUP}.")}
        return look(
            self._azure,
            {kind: name for kind, name in groups.items() if name in there},
            {str(one.get("id", "")).lower() for _, one in resources},
        )

    def _remove_remains(self, run: Rollout) -> None:
        """Delete what Terraform does not know and would stop at; each step looks at what is left."""
        if self.mode not in (Mode.TRACES, Mode.EVERYTHING):
            return
        states = {name: run.runner(name).resources() for name in run.stacks}
        remains = self.remains(states)
        if self.keep_backups:
            self._leave_backups(run, states)
        else:
            remove_sets(remains, self._azure, report)
        vaults = [str(one["id"]) for address, one in states.get("disks", {}).items()
                  if address.startswith(f"{_BACKUP_VAULT}.")]  # fmt: skip
        remove_disks(remains, self._azure, vaults[0] if vaults else "", LOCK_NAME, report)
        if remains.servers:
            self._unguard(run.runner("database"), states["database"])
            remove_servers(remains, self._azure, report)

    def _leave_backups(self, run: Rollout, states: Mapping[str, Resources]) -> None:
        """Take the group of backup sets, and what is in it, out of the state, where the mode destroys its stack."""
        if "disks" not in self.scope.destroyed:
            return
        name = self.settings.azure_names.resource_group("disks-backup-sets")
        found = states.get("disks", {})
        ids = [str(one["id"]) for address, one in found.items()
               if address.startswith(f"{_GROUP}.") and one["name"] == name]  # fmt: skip
        if not ids:
            return
        runner = run.runner("disks")
        with self._explained(runner):
            runner.forget(kept_with(ids[0], found))
        report(f"{name} stays with its backup sets; no state knows it any more")

    def _unguard(self, runner: StackRunner, state: Resources) -> None:
        """Take away the policy that refuses the deletion of servers, also of those that Terraform does not know."""
        with self._explained(runner):
            policies = [address for address in state if address.startswith("azurerm_resource_group_policy_assignment.")]
            if policies and not runner.plan(destroy=True, targets=policies).changes.empty:
                runner.apply()

    @property
    def _azure(self) -> Azure:
        return self.tools.azure_of(self.settings.azure.subscription_id)

    def _take_down(self, run: Rollout, stacks: tuple[str, ...]) -> None:
        if not take_down(run, Targets(self.settings.name, stacks), self.settings.name, self.tools.terminal):
            raise OperatorError("not all of it is gone", self._again(), failure_code(run))

    def _let_backups_go(self, run: Rollout) -> None:
        """Turn off what makes Azure keep the disks' backups, as the stack is synthesized now."""
        if "disks" not in run.stacks or self.mode is Mode.UPLOADS:
            return
        runner = run.runner("disks")
        with self._explained(runner):
            vaults = {
                address: values
                for address, values in runner.resources().items()
                if address.startswith(f"{_BACKUP_VAULT}.")
            }
            if all(
                values["immutability"] == "Disabled" and values["soft_delete"] == "Off" for values in vaults.values()
            ):
                return
            plan = runner.plan(targets=list(vaults))
            if plan.lost:
                raise OperatorError(f"the plan would lose {', '.join(plan.lost)}")
            if not plan.changes.empty:
                runner.apply()

    def _delete_part(self, runner: StackRunner) -> None:
        with self._explained(runner):
            targets = chosen(self.mode, self.settings.azure_names, runner.resources())
            if not targets:
                return
            plan = runner.plan(destroy=True, targets=targets)
            for address in plan.lost:
                report(f"  destroys {address}")
            if not plan.changes.empty:
                runner.apply()

    def _bring_up(self, run: Rollout, stack: str) -> None:
        consent = Consent(self.settings.name, yes=True, terminal=self.tools.terminal)
        if not bring_up(run, Targets(self.settings.name, (stack,)), consent):
            raise OperatorError(f"{stack} is not whole again", self._again(), failure_code(run))

    @contextmanager
    def _explained(self, runner: StackRunner) -> Iterator[None]:
        try:
            yield
        except TerraformError as error:
            print_failures([(runner, error)], self._command)
            raise OperatorError("not all of it is gone", self._again()) from None

    @contextmanager
    def _run(self, *stacks: str, destroy: bool = False) -> Iterator[Rollout]:
        targets = Targets(self.settings.name, stacks)
        job = Job(f"cleanup {self.mode.value}", targets, self._workspace(), destroy=destroy)
        with self.tools.rollout(job) as run:
            yield run

    def _workspace(self) -> Workspace:
        return self.tools.workspace(self.settings.name)

    @property
    def _command(self) -> str:
        return f"llmctl cleanup {self.mode.value} {self.settings.name}"

    def _again(self) -> str:
        return f"correct what is wrong, then `{self._command}` goes on from here"


def kept_with(group_id: str, resources: Resources) -> list[str]:
    """Return the addresses of a group, of what lies in it or is about it, and of the policies that guard it."""
    kept = {address: one for address, one in resources.items() if lies_in(group_id, one)}
    policies = {str(one["policy_definition_id"]).lower() for one in kept.values() if one.get("policy_definition_id")}
    return [*kept, *(address for address, one in resources.items() if str(one.get("id", "")).lower() in policies)]


def lies_in(group_id: str, resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource is a group, lies in it, or is about it: a role or a policy."""
    group = group_id.lower()
    about = (str(resource.get(key, "")).lower() for key in ("id", "scope", "resource_group_id"))
    return any(place == group or place.startswith(f"{group}/") for place in about)
