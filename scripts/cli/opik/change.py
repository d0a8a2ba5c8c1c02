"""A change of Opik's version: backup, images, plan, deployment, migrations, health."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scripts.cli.tools import Tools
from scripts.core.checks import failed, print_checks, wait_until_passed
from scripts.core.consent import Consent
from scripts.core.console import err, report
from scripts.core.environment_file import AgreedEdit, Edit, edited
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.deployment.bring_up import bring_up
from scripts.deployment.going_back import GoingBack
from scripts.opik.cluster import OpikCluster
from scripts.opik.health import inside_checks
from scripts.opik.migration_log import MigrationLog
from scripts.opik.migrations import MissingMigrationsError, require_migrated
from scripts.opik.versions import Version
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.platform.common.image_lock import lock_file

RECORD = "disks"
"""Records which version's schema the disks hold."""
STACK = "platform"


@dataclass(frozen=True)
class Change:
    """One change of version in one environment."""

    environment: str
    cluster: OpikCluster
    consent: Consent
    back: str
    """Command that goes back, for messages."""
    back_up: Callable[[], None] | None
    """Backs up all disks, or raises OperatorError; None when the operator wants no backup."""
    tools: Tools = field(default_factory=Tools)
    checked: tuple[str, ...] = ()
    """What may go back, because the databases were asked."""

    def make(self, version: Version) -> None:
        """Bring the environment to `version`.

        The environment file names the version from the moment somebody agrees to the plan. Raises OperatorError: before
        that moment with file and lock file as they were, afterwards with the way back.
        """
        self.consent.require_answerable()
        if self.back_up:
            err.print("Backing up all disks of Opik")
            self.back_up()
        with edited(self.environment, ("opik", "version"), str(version)) as edit, self._lock_kept_with(edit):
            self._deploy(version, edit)
        self._require_migrations(version)
        self._require_health(version)

    def _deploy(self, version: Version, edit: Edit) -> None:
        targets = Targets(self.environment, (RECORD, STACK))
        workspace = self.tools.workspace(self.environment)
        log = workspace.logs / "opik-migrations.log"
        with self.tools.rollout(Job("opik", targets, workspace)) as run:
            self._bring_images(run)
            with MigrationLog(self.cluster.kubectl, log, report) as migrations:
                back = GoingBack(checked=self.checked, connect=self.tools.kubectl_of, changelogs=self.tools.changelogs)
                ok = bring_up(run, targets, AgreedEdit(**vars(self.consent), edit=edit), back=back)
        edit.keep()
        if migrations.migrated:
            err.print(f"{len(migrations.migrated)} schema migrations ran; their log: {log}", markup=False)
        if not ok:
            raise OperatorError(
                f"Opik {version} is not deployed. Disks and backups are as they were; log of the migrations: {log}",
                f"correct what is wrong and run this again, or go back: {self.back}",
                ExitCode.INTERRUPTED if run.processes.interrupted else ExitCode.FAILED,
            )

    def _bring_images(self, run: Rollout) -> None:
        """Bring the version's images before the plan, so that the plan names them."""
        # Without a lock file the environment takes its images from upstream.
        if lock_file(self.environment).exists() and self.tools.images.pending(self.environment):
            self.tools.images.bring(run.workspace, run.processes)

    @contextmanager
    def _lock_kept_with(self, edit: Edit) -> Iterator[None]:
        """Bring the images' lock file back together with the environment file: both name the same version."""
        path = lock_file(self.environment)
        before = path.read_text("utf-8") if path.exists() else None
        try:
            yield
        finally:
            if not edit.kept and before is not None and path.read_text("utf-8") != before:
                path.write_text(before, "utf-8")

    def _require_migrations(self, version: Version) -> None:
        try:
            count = require_migrated(self.cluster, version, self.tools.changelogs)
        except MissingMigrationsError as error:
            raise OperatorError(error.message, f"{error.fix}; or go back: {self.back}") from None
        report(f"All {count} schema migrations of {version} have been executed")

    def _require_health(self, version: Version) -> None:
        err.print("Waiting until Opik is healthy")
        checks = wait_until_passed(
            lambda: inside_checks(self.cluster, version), report, patience_s=self.tools.patience_s
        )
        print_checks(checks)
        if failed(checks):
            raise OperatorError(
                f"Opik {version} is deployed but not healthy", f"kubectl logs -n opik …, or go back: {self.back}"
            )
