"""Opik taken from one version to another: backup, images, plan, deployment, migrations, health."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.applications.ingress import print_checks, wait_until_sound
from scripts.cli.deploy.deploy import bring_up
from scripts.core.consent import Consent
from scripts.core.console import err, interactive
from scripts.core.environment_file import AgreedEdit, Edit, edited
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets, load_environment
from scripts.core.workspace import Workspace
from scripts.deployment import image_step
from scripts.opik.cluster import OpikCluster
from scripts.opik.health import inside_checks
from scripts.opik.migration_log import MigrationLog
from scripts.opik.migrations import Changelogs, MissingMigrationsError, require_migrated
from scripts.opik.versions import Version
from scripts.terraform.prepare import Job, rollout

if TYPE_CHECKING:
    from scripts.terraform.rollout import Rollout

STACK = "platform"
HEALTH_PATIENCE_S = 900.0


def require_person_or_yes(consent: Consent) -> None:
    """Return when the question to come can be answered. Raises OperatorError (REFUSED) otherwise."""
    if not consent.yes and not interactive():
        raise OperatorError(
            "nobody is there to confirm, so nothing was done", "add --yes to agree beforehand", ExitCode.REFUSED
        )


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
    changelogs: Changelogs
    """Gives the schema migrations that a release brings."""

    def make(self, version: Version) -> None:
        """Bring the environment to `version`.

        The environment file names the version from the moment somebody agrees to the plan. Raises OperatorError: before
        that moment with file and lock file as they were, afterwards with the way back.
        """
        require_person_or_yes(self.consent)
        if self.back_up:
            err.print("Backing up all disks of Opik")
            self.back_up()
        with edited(self.environment, ("opik", "version"), str(version)) as edit, self._lock_kept_with(edit):
            self._deploy(version, edit)
        self._require_migrations(version)
        self._require_health(version)

    def _deploy(self, version: Version, edit: Edit) -> None:
        targets = Targets(self.environment, (STACK,))
        workspace = Workspace(self.environment)
        log = workspace.logs / "opik-migrations.log"
        with rollout(Job("opik", targets, workspace)) as run:
            self._bring_images(run)
            with MigrationLog(self.cluster.kubectl, log, _say) as migrations:
                ok = bring_up(run, targets, AgreedEdit(**vars(self.consent), edit=edit))
        edit.keep()
        if migrations.migrated:
            err.print(f"{len(migrations.migrated)} schema migrations ran; their log: {log}", markup=False)
        if not ok:
            raise OperatorError(
                f"Opik {version} is not deployed. Disks and backups are as they were; log of the migrations: {log}",
                f"correct what is wrong and run this again, or go back: {self.back}",
                ExitCode.INTERRUPTED if run.processes.interrupted else ExitCode.FAILED,
            )

    def _bring_images(self, run: "Rollout") -> None:
        """Bring the version's images before the plan, so that the plan names them."""
        from stacks.platform.common.image_lock import lock_file  # noqa: PLC0415

        # Without a lock file the environment takes its images from upstream.
        if lock_file(self.environment).exists() and image_step.pending(self.environment):
            image_step.bring_images(run.workspace, run.processes)

    @contextmanager
    def _lock_kept_with(self, edit: Edit) -> Iterator[None]:
        """Bring the images' lock file back together with the environment file: both name the same version."""
        from stacks.platform.common.image_lock import lock_file  # noqa: PLC0415

        path = lock_file(self.environment)
        before = path.read_text("utf-8") if path.exists() else None
        try:
            yield
        finally:
            if not edit.kept and before is not None and path.read_text("utf-8") != before:
                path.write_text(before, "utf-8")

    def _require_migrations(self, version: Version) -> None:
        try:
            count = require_migrated(self.cluster, version, self.changelogs)
        except MissingMigrationsError as error:
            raise OperatorError(error.message, f"{error.fix}; or go back: {self.back}") from None
        _say(f"All {count} schema migrations of {version} have been executed")

    def _require_health(self, version: Version) -> None:
        err.print("Waiting until Opik is healthy")
        checks = wait_until_sound(lambda: inside_checks(self.cluster, version), _say, patience_s=HEALTH_PATIENCE_S)
        print_checks(checks)
        if any(check.problem for check in checks):
            raise OperatorError(
                f"Opik {version} is deployed but not healthy", f"kubectl logs -n opik …, or go back: {self.back}"
            )


def current_version(environment: str) -> Version:
    """Return the version that the environment file asks for. Raises OperatorError when Opik is off or not pinned."""
    from stacks.platform.common.catalogue import charts  # noqa: PLC0415
    from stacks.platform.components.opik.version import OPIK, opik_version  # noqa: PLC0415

    settings = load_environment(environment)
    if not settings.opik.enabled:
        raise OperatorError(
            f"{environment} runs no Opik: opik.enabled is false", "switch it on and deploy", ExitCode.REFUSED
        )
    if OPIK not in charts():
        raise OperatorError("helm/charts.yaml pins no chart of Opik")
    return Version.parse(opik_version(settings))


def _say(text: str) -> None:
    err.print(text, markup=False)
