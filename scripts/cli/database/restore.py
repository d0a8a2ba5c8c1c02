"""A restore of PostgreSQL to a point in time, step by step; each step finds out whether it has been done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.applications.database_health import require_databases
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.core import environment_file
from scripts.core.consent import Consent
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.deployment.going_back import GoingBack
from scripts.terraform.diagnose import existing
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError
from stacks.settings import Settings

from .restored_server import SERVER, of_other_servers, restored, server_name

FOLLOWING = ("network", "aks", "platform")
MADE_ANEW = ("azurerm_private_endpoint.", "azurerm_monitor_diagnostic_setting.", "kubernetes_job_v1.")
"""What cannot point elsewhere but by being made again, and holds no data: the server's endpoint, where its logs go, and
the Job that prepares databases."""


@dataclass(frozen=True)
class AgreedLoss(Consent):
    """Consent to losing `expected` and nothing else, given before."""

    expected: tuple[str, ...] = ()
    """Beginnings of addresses."""

    def obtain(self, question: str, lost: Mapping[str, tuple[str, ...]]) -> None:  # noqa: ARG002
        """Return when nothing else is lost. Raises OperatorError (REFUSED) otherwise."""
        others = [address for found in lost.values() for address in found if not address.startswith(self.expected)]
        if others:
            raise OperatorError(
                f"beside what follows the database, the plan would destroy or replace {', '.join(others)}",
                f"`llmctl deploy {self.environment}` shows it and asks; then run this again",
                ExitCode.REFUSED,
            )


@dataclass(frozen=True)
class Restore:
    """One restore of one environment."""

    environment: str
    moment: str
    """UTC, as the environment file has it."""
    consent: Consent
    patience_s: float
    """How long to wait for chat and LLM gateway at the end."""
    verify: Callable[[Settings, Callable[[str], Kubectl], float], None] = require_databases
    tools: Tools = field(default_factory=Tools)

    def run(self) -> None:
        """Do everything that is left to do. Raises OperatorError; the same command then goes on."""
        file = environment_file.file_of(self.environment)
        text = file.read_text("utf-8")
        text_after = restored(self.environment, text, self.moment, self._server())
        name = server_name(environment_file.parsed(self.environment, text_after))
        self.consent.obtain(
            f"Restore the database of {self.environment} as it was at {self.moment} into the new server {name}, and"
            " leave the old one out of Terraform's state? What was written since is then only there.",
            {},
        )
        if text_after != text:
            environment_file.write(file, text_after)
        self._make(name)
        self._repoint()
        err.print("Checking that chat and LLM gateway reach their databases")
        self.verify(self.tools.load(self.environment), self.tools.kubectl_of, self.patience_s)

    def _server(self) -> Mapping[str, Any] | None:
        """Return the server that the state of the stack `database` holds."""
        with self.tools.rollout(self._job("database")) as run:
            try:
                found = run.runner("database").resources()
            except TerraformError as error:
                raise OperatorError(f"the state of database cannot be read: {error.output.strip()}") from None
        return next((values for address, values in found.items() if address.startswith(f"{SERVER}.")), None)

    def _make(self, name: str) -> None:
        """Let Terraform forget every server but `name`, and make that one."""
        with self.tools.rollout(self._job("database")) as run:
            self._forget_others(run, name)
            problem = "the new server is not there yet"
            try:
                self._deploy(run, ("database",), (), problem)
                return
            except OperatorError:
                # Azure made it, and the answer was lost.
                if not (made := self._made(run, name)):
                    raise
            err.print(f"{name} is there, made by a run whose answer was lost; Terraform takes it over", markup=False)
            try:
                run.runner("database").adopt(*made)
            except TerraformError as error:
                raise OperatorError(f"{problem}: {error.output.strip()}", self._again()) from None
        with self.tools.rollout(self._job("database")) as run:
            self._deploy(run, ("database",), (), problem)

    def _forget_others(self, run: Rollout, name: str) -> None:
        """Take every other server out of the state, and leave it as it is in Azure."""
        runner = run.runner("database")
        try:
            if others := of_other_servers(runner.resources(), name):
                err.print(f"Out of the state, and left as they are in Azure: {', '.join(others)}", markup=False)
                runner.forget(others)
        except TerraformError as error:
            raise OperatorError(
                f"the old server cannot be taken out of the state: {error.output.strip()}", self._again()
            ) from None

    def _made(self, run: Rollout, name: str) -> tuple[str, str] | None:
        """Return address and id of the server `name` if it exists although the state does not hold it."""
        report = run.reports.get("database")
        found = existing(report.error.output) if report and report.error else {}
        return next(((a, i) for a, i in found.items() if i.lower().endswith(f"/flexibleservers/{name}")), None)

    def _repoint(self) -> None:
        """Deploy what has to follow the server."""
        with self.tools.rollout(self._job(*FOLLOWING)) as run:
            self._deploy(run, FOLLOWING, MADE_ANEW, "the new server is there, but not everything uses it yet")

    def _deploy(self, run: Rollout, stacks: tuple[str, ...], expected: tuple[str, ...], problem: str) -> None:
        consent = AgreedLoss(self.environment, yes=True, expected=expected)
        try:
            back = GoingBack(checked=("database.generation",), connect=self.tools.kubectl_of)
            if bring_up(run, Targets(self.environment, stacks), consent, back=back):
                return
        except OperatorError as error:
            raise OperatorError(f"{problem}: {error.message}", error.fix or self._again(), error.code) from None
        raise OperatorError(problem, self._again(), failure_code(run))

    def _job(self, *stacks: str) -> Job:
        return Job(
            f"db restore --to {self.moment}", Targets(self.environment, stacks), self.tools.workspace(self.environment)
        )

    def _again(self) -> str:
        return (
            f"correct what is wrong, then `llmctl db restore --to {self.moment} {self.environment}` goes on from here;"
            " the old server stands untouched"
        )
