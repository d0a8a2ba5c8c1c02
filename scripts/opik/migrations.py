"""Whether the databases hold every migration of the version that runs.

Neither a finished deployment nor a healthy server says so: a migration that failed may have been passed over
(https://github.com/comet-ml/opik/issues/6417).
"""

from collections.abc import Callable, Mapping

from scripts.cluster.kubectl import Kubectl
from scripts.core.checks import Check
from scripts.core.console import err
from scripts.core.errors import OperatorError
from scripts.core.workspace import CACHE
from scripts.opik.changelog import ChangeSet, ChangeSetId
from scripts.opik.cluster import OpikCluster
from scripts.opik.migration_history import not_executed
from scripts.opik.versions import Version
from stacks.settings.opik import OpikSettings

from .desired import desired_version
from .source import changelog_at

Changelogs = Callable[[Version], Mapping[ChangeSetId, ChangeSet]]
"""Gives the schema migrations that a release brings."""
_SHOWN = 10
_WAY_ON = (
    "read why in `kubectl -n opik logs deployment/opik-backend -c backend-migrations`; once that is mended,"
    " `kubectl -n opik rollout restart deployment/opik-backend` migrates again"
)


def changelogs(version: Version) -> Mapping[ChangeSetId, ChangeSet]:
    """Return a release's migrations out of its source, which is fetched once. Raises OperatorError."""
    return changelog_at(version, CACHE / "images" / "source")


class MissingMigrationsError(OperatorError):
    """The databases lack migrations of the version that runs, or hold no history of migrations at all."""


def require_migrated(cluster: OpikCluster, version: Version, changelogs: Changelogs) -> int:
    """Return how many migrations both databases hold of those that `version` brings.

    Raises MissingMigrationsError naming what is missing, OperatorError when cluster or source cannot be asked.
    """
    cluster.waiting_workloads()
    try:
        history = cluster.migration_history()
    except OperatorError as error:
        # The cluster has just answered, so it is the database that does not.
        raise MissingMigrationsError(
            f"what the databases of Opik {version} have migrated cannot be read: {error.message}", _WAY_ON
        ) from None
    known = changelogs(version)
    missing = not_executed(history, known)
    if missing:
        names = [f"  {name}" for name in missing[:_SHOWN]]
        more = [f"  and {len(missing) - _SHOWN} more"] if len(missing) > _SHOWN else []
        raise MissingMigrationsError(
            "\n".join([f"Opik {version} runs on a schema that lacks {len(missing)} of its migrations", *names, *more]),
            _WAY_ON,
        )
    return len(history & known.keys())


def migration_check(cluster: OpikCluster, version: Version, changelogs: Changelogs) -> Check:
    """Return whether the databases hold every migration of `version`."""
    try:
        count = require_migrated(cluster, version, changelogs)
    except OperatorError as error:
        return Check("migrations", error.message)
    return Check(f"all {count} migrations", "")


def after_deployment(
    environment: str, opik: OpikSettings, connect: Callable[[str], Kubectl], changelogs: Changelogs = changelogs
) -> bool:
    """Compare an environment that has just been deployed; return False when migrations are missing.

    Where the cluster or the source cannot be reached from this machine, that is printed, with the command to try again.
    """
    try:
        count = require_migrated(OpikCluster(connect(environment)), desired_version(environment, opik), changelogs)
    except MissingMigrationsError as error:
        err.print(f"{error.message}\n{error.fix}", markup=False)
        return False
    except OperatorError as error:
        err.print(
            f"Opik's migrations were not compared with its version: {error.message}."
            f" Ask again: llmctl opik health {environment}",
            markup=False,
        )
        return True
    err.print(f"Opik: all {count} migrations have been executed.", markup=False)
    return True
