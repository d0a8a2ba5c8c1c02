"""The cluster goes and is made again more often in a week than Let's Encrypt issues certificates."""

from collections.abc import Iterator

from stacks.settings.secrets.names import KEPT

from .base import Finding, Size
from .recovery import Recovery, recover
from .stage import WHOLE, Stage
from .watched import watched

WEEKLY_LIMIT = 5
"""Certificates a week for the same names: https://letsencrypt.org/docs/rate-limits/."""
_CLUSTER = ("platform", "aks")
_KEPT = "certificates kept"


def certificate_limits(stage: Stage, size: Size) -> Iterator[Finding]:
    """Make the cluster again, once more than the limit; what the vault keeps has to stay the same.

    That no order is made then, `tests/live/test_cluster_certificates.py` shows.
    """
    rounds = min(WEEKLY_LIMIT + 1, size.forms or WEEKLY_LIMIT + 1)
    if not set(_CLUSTER) <= set(stage.stacks):
        return
    stage.reset(WHOLE)
    cloud = stage.cloud()
    for secret in cloud.objects("azurerm_key_vault_secret"):
        if (name := str(secret.state["name"])).startswith(KEPT):
            cloud.keep_secret(str(secret.state["key_vault_id"]), name, "kept", f"what {name} has kept")
    stage.remember(_KEPT)

    def again() -> Recovery:
        found = Recovery()
        for _ in range(rounds):
            stage.destroy(*_CLUSTER)
            found = recover(stage, *_CLUSTER)
        return found

    yield watched(stage, f"the cluster, {rounds} times", again, *_CLUSTER, moment=_KEPT)
