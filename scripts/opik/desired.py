"""The version of Opik that an environment file asks for."""

from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.catalogue import charts
from stacks.platform.components.opik.version import OPIK, opik_version
from stacks.settings.opik import OpikSettings

from .versions import Version


def desired_version(environment: str, opik: OpikSettings) -> Version:
    """Return the version that the environment file asks for. Raises OperatorError when Opik is off or not pinned."""
    if not opik.enabled:
        raise OperatorError(
            f"{environment} runs no Opik: opik.enabled is false", "switch it on and deploy", ExitCode.REFUSED
        )
    if OPIK not in charts():
        raise OperatorError("helm/charts.yaml pins no chart of Opik")
    return Version.parse(opik_version(opik))
