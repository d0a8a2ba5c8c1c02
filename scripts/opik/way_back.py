"""Whether Opik may run an older version than the one whose schema its databases hold: what `rollback` asks as well."""

from collections.abc import Callable

from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError

from .cluster import OpikCluster
from .history import running
from .migrations import Changelogs
from .rollback import require_way_back, restore_advice
from .versions import Version, refused_rollback


def require_older_can_run(
    environment: str, target: str, connect: Callable[[str], Kubectl], changelogs: Changelogs
) -> None:
    """Return when Opik `target` can live with what the databases of the environment hold.

    Raises OperatorError (REFUSED) naming what is in the way, also where the cluster cannot be asked.
    """
    version = Version.parse(target)
    try:
        cluster = OpikCluster(connect(environment))
        history = cluster.history()
    except OperatorError as error:
        raise OperatorError(
            f"whether its databases can live with {target} cannot be asked: {error.message}",
            f"deploy what is deployed first, then `llmctl opik rollback --to {target} {environment}`",
            ExitCode.REFUSED,
        ) from None
    now = running(history)
    if now and version < now and (reason := refused_rollback(now, version)):
        raise OperatorError(reason, restore_advice(version), ExitCode.REFUSED)
    require_way_back(cluster, history, version, changelogs)
