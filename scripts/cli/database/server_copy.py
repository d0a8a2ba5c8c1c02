"""A copy of the stack `database`: a new server is made in it, or an earlier one imported, before the state has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.console import err, report
from scripts.core.errors import ExitCode, OperatorError
from scripts.review.plan import Plan
from scripts.terraform.errors.diagnose import existing
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.rollout import Rollout
from scripts.terraform.scratch import Scratch
from scripts.terraform.stack import TerraformError

from . import restored_server as servers

SCRATCH = "restore"


@dataclass(frozen=True)
class ServerCopy:
    """One environment's copy; each step can be repeated."""

    environment: str
    scratch: Scratch

    @classmethod
    def of(cls, environment: str, run: Rollout, purpose: str) -> "ServerCopy":
        """Copy the stack, or go on with the copy made for the same purpose. Raises OperatorError."""
        try:
            return cls(environment, Scratch.of(run.runner("database"), SCRATCH, purpose, servers.of_a_server))
        except TerraformError as error:
            print_failures(run.by_runner({"database": error}), f"llmctl db restore {environment}")
            raise OperatorError("the state of database cannot be copied") from None

    def adopt(self, server: str) -> None:
        """Import a server and what belongs to it, as far as they are not in it yet. Raises OperatorError."""
        there = self.scratch.runner.resources()
        for address, id_ in servers.import_ids(server, self._configured()).items():
            if address in there:
                continue
            try:
                self.scratch.runner.adopt(address, id_)
            except TerraformError as error:
                if address.startswith(f"{servers.SERVER}."):
                    raise OperatorError(f"{server} cannot be imported: {error.output.strip()}") from None
                report(f"{address} is not at {servers.name_of(server)}, and is made")

    def make(self, *, dry_run: bool = False) -> None:
        """Make what the copy asks for, of the server alone; take over what a run whose answer was lost has made.

        Raises OperatorError.
        """
        try:
            plan = self._plan(dry_run=dry_run)
            if dry_run:
                return
            err.print("Azure makes the server; the old one is in use meanwhile", markup=False)
            self._apply(plan)
            return
        except TerraformError as error:
            found = existing(error.output)
            made = {address: id_ for address, id_ in found.items() if servers.of_a_server(address.partition(".")[0])}
            if not made or not all(self._is_of_the_copy(id_) for id_ in made.values()):
                raise self._unmade(error) from None
        try:
            for address, id_ in made.items():
                report(f"{servers.name_of(id_)} is there, made by a run whose answer was lost; Terraform takes it over")
                self.scratch.runner.adopt(address, id_)
            self._apply(self._plan())
        except TerraformError as error:
            raise self._unmade(error) from None

    def switch(self, again: str) -> None:
        """Make the copy's server the state's. Raises OperatorError, with what to do `again`."""
        try:
            self.scratch.switch()
        except TerraformError as error:
            raise OperatorError(
                f"the new server is there, but the state could not be written: {error.output.strip()}", again
            ) from None

    def _plan(self, *, dry_run: bool = False) -> Plan:
        plan = self.scratch.runner.plan()
        others = [
            change.address
            for change in plan.resources
            # An import has brought the copy's outputs up to date already, but for a run that goes on after it.
            if not servers.of_a_server(change.type) and change.address != servers.GENERATION
        ]
        if others or plan.lost:
            raise OperatorError(
                f"beside the server, the plan of database would change {', '.join([*others, *plan.lost])};"
                " nothing was done",
                f"`llmctl deploy {self.environment} database` with the environment file as it was, then run this again",
                ExitCode.REFUSED,
            )
        if dry_run:
            for change in plan.resources:
                report(f"  {change.kind.value} {change.address}")
        return plan

    def _apply(self, plan: Plan) -> None:
        if not plan.changes.empty:
            self.scratch.runner.apply()

    def _unmade(self, error: TerraformError) -> OperatorError:
        print_failures([(self.scratch.runner, error)], f"llmctl db restore {self.environment}")
        return OperatorError(
            "the new server is not there yet; the old one is in use, and file and state are as they were",
            "correct what is wrong and run the same command again, or take another time or source",
        )

    def _configured(self) -> dict[str, Mapping[str, Any]]:
        """Return the arguments of the server and of what belongs to it, by address."""
        content = json.loads((self.scratch.runner.stack.folder / "cdk.tf.json").read_text("utf-8"))
        return {
            f"{type_}.{label}": arguments
            for type_, labelled in content["resource"].items()
            if servers.of_a_server(type_)
            for label, arguments in labelled.items()
        }

    def _is_of_the_copy(self, id_: str) -> bool:
        """Tell whether something that exists is the copy's server, or belongs to it."""
        names = {arguments["name"] for address, arguments in self._configured().items() if "server_id" not in arguments
                 and address.startswith(f"{servers.SERVER}.")}  # fmt: skip
        return any(f"/flexibleservers/{name.lower()}" in id_.lower() for name in names)
