"""Whether an older Opik can live with what the databases hold now."""

from scripts.cluster.kubectl import KubectlError
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.cluster import OpikCluster
from scripts.opik.history import Revision, newest_tried, previous, running
from scripts.opik.migration_history import Obstacle, executed_since, obstacles
from scripts.opik.migrations import Changelogs
from scripts.opik.versions import Version, refused_rollback


def target_of(history: list[Revision], asked: Version, named: Version | None) -> Version:
    """Return the version to go back to: the one given, else the one that ran before.

    After an upgrade that Helm took back, `asked`, which the environment file names, is not what runs: then it is what
    runs. Raises OperatorError when no version is known or the change is refused whatever the schema.
    """
    now = running(history)
    if now is None:
        raise OperatorError("no version of Opik is deployed", "llmctl deploy", ExitCode.REFUSED)
    if named is None and asked > now:
        return now
    target = named or previous(history)
    if target is None:
        raise OperatorError(
            f"Helm's history knows no version before {now}", "name one with --to VERSION", ExitCode.REFUSED
        )
    if reason := refused_rollback(now, target):
        raise OperatorError(reason, restore_advice(target) if target < now else "", ExitCode.REFUSED)
    return target


def require_way_back(cluster: OpikCluster, history: list[Revision], target: Version, changelogs: Changelogs) -> None:
    """Return when every migration that the databases hold beyond `target` is one that `target` can live with.

    Where the databases cannot be asked, all migrations of the newest version that was tried count as executed. Raises
    OperatorError (REFUSED) naming the migrations in the way and what to restore instead.
    """
    newest = max(filter(None, (newest_tried(history), running(history))), default=target)
    older, newer = changelogs(target), changelogs(newest)
    try:
        executed = cluster.migration_history()
    except KubectlError as error:
        err.print(
            f"The databases cannot be asked what they hold ({error.message}); the worst is assumed.", markup=False
        )
        executed = set(newer)
    since = executed_since(executed, older)
    found = obstacles(since, newer)
    if found:
        raise OperatorError(_refusal(found, target), restore_advice(target), ExitCode.REFUSED)
    err.print(f"Schema: {len(since)} migrations since {target}, each of which it can live with.", markup=False)


def _refusal(found: list[Obstacle], target: Version) -> str:
    lines = "\n".join(f"  {obstacle.id}: {obstacle.why}" for obstacle in found)
    return f"Opik {target} cannot work with the schema as it is now; nothing was changed\n{lines}"


def restore_advice(target: Version) -> str:
    """Return what to do where no rollback helps."""
    return (
        "restore all five disks from the backup made before the upgrade, raise their disks.generations, set"
        f" opik.version: {target} and deploy; docs/how-to/operate-opik.md, Restore, has every step. Later traces"
        "are lost"
    )
