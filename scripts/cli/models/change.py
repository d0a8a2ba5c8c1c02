"""A change of the served models: file edited, platform deployed, downloads followed, failures undone."""

from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.cli.tools import Tools
from scripts.cluster.job_log import JobLog
from scripts.cluster.kubectl import Kubectl
from scripts.core.consent import Consent
from scripts.core.console import err, report
from scripts.core.environment_file import AgreedEdit, Edit, rewritten
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.deployment.bring_up import bring_up
from scripts.deployment.going_back import GoingBack
from scripts.terraform.prepare import Job
from stacks.platform.components.serving.engines import SERVING
from stacks.platform.components.serving.traffic import PULL_PODS

STACK = "platform"
PULL_LABELS = ",".join(f"{name}={value}" for name, value in PULL_PODS.items())

Probe = Callable[[], str]
"""Says what is wrong with what was deployed; empty when nothing is."""


@dataclass(frozen=True)
class ModelChange:
    """One change of the served models in one environment."""

    environment: str
    kubectl: Kubectl
    consent: Consent
    tools: Tools = field(default_factory=Tools)

    def make(self, text: str, probe: Probe | None = None) -> None:
        """Deploy the environment with `text` as its file, which stays from the moment somebody agrees to the plan.

        With a `probe`, a deployment that fails or does not prove itself is undone: the file as it was, deployed again.
        Raises OperatorError: for a file that breaks a rule, with nothing done; for a failure, with what was undone.
        """
        with rewritten(self.environment, text) as edit:
            self.consent.require_answerable()
            ok, interrupted = self._deploy("models", edit)
            if interrupted:
                raise OperatorError(
                    f"interrupted; environments/{self.environment}.yaml asks for the change",
                    f"llmctl deploy {self.environment} {STACK}",
                    ExitCode.INTERRUPTED,
                )
            if probe is None:
                if not ok:
                    raise OperatorError("the deployment failed", f"llmctl deploy {self.environment} {STACK}")
                return
            problem = probe() if ok else "the deployment failed"
            if problem:
                self._undo(edit, problem)

    def redeploy(self) -> None:
        """Deploy the environment as its file is. Raises OperatorError."""
        self.consent.require_answerable()
        ok, _ = self._deploy("models", None)
        if not ok:
            raise OperatorError("the deployment failed", f"llmctl deploy {self.environment} {STACK}")

    def _deploy(self, action: str, edit: Edit | None, *, agreed: bool = False) -> tuple[bool, bool]:
        """Return whether all went well, and whether somebody interrupted it."""
        targets = Targets(self.environment, (STACK,))
        consent = Consent(self.environment, yes=True) if agreed else self.consent
        asking = AgreedEdit(**vars(consent), edit=edit) if edit else consent
        with (
            self.tools.rollout(Job(action, targets, self.tools.workspace(self.environment))) as run,
            JobLog(self.kubectl, SERVING, PULL_LABELS, report),
        ):
            ok = bring_up(run, targets, asking, back=GoingBack(connect=self.tools.kubectl_of))
        if edit:
            edit.keep()
        return ok, bool(run.processes.interrupted)

    def _undo(self, edit: Edit, problem: str) -> None:
        err.print(f"{problem}. Going back.", markup=False)
        edit.undo()
        ok, _ = self._deploy("models", None, agreed=True)
        if ok:
            raise OperatorError(f"{problem}; file and deployment are as they were before")
        raise OperatorError(
            f"{problem}; the file is as it was, but deploying it failed too",
            f"llmctl deploy {self.environment} {STACK}",
        )
