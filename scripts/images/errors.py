"""Expected failures of work on images; each names what failed and the fix, never a password."""

from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError


class RegistryError(OperatorError):
    """A registry cannot be reached, refuses, or holds something else than it should."""


class UnauthorizedError(RegistryError):
    """A registry refuses the login or lacks one."""

    def __init__(self, registry: str, what: str) -> None:
        super().__init__(f"registry {registry} refuses {what}", _login_fix(registry), ExitCode.NOT_READY)


class UnreachableError(RegistryError):
    """A registry does not answer, or stopped answering."""

    def __init__(self, registry: str, reason: str) -> None:
        fix = "check the network, a proxy (HTTPS_PROXY) and the registry; running again continues where this stopped"
        super().__init__(f"registry {registry} cannot be reached: {reason}", fix, ExitCode.NOT_READY)


class NotFoundError(RegistryError):
    """The registry does not hold what was asked for."""


class ChartError(OperatorError):
    """A chart cannot be had from its repository, or is another than the pinned one."""


class UnreachableChartError(ChartError):
    """The repository does not answer."""


class BuildError(OperatorError):
    """One image could not be built; its log says why."""

    def __init__(self, image: str, reason: str, log: Path) -> None:
        super().__init__(f"{image}: {reason}", f"read {log}")
        self.log = log


class UnsignedError(OperatorError):
    """An image that the environment's key has not signed."""

    def __init__(self, image: str, log: Path) -> None:
        super().__init__(f"{image} is not signed", f"read {log}")


class UnattestedError(OperatorError):
    """A built image without a provenance that the environment's key has signed."""

    def __init__(self, image: str, log: Path) -> None:
        super().__init__(f"{image} has no signed provenance", f"read {log}")


def _login_fix(registry: str) -> str:
    if registry.endswith(".azurecr.io"):
        return f"run `az login`, and let an administrator give you AcrPush on {registry.removesuffix('.azurecr.io')}"
    return f"log in with `docker login {registry}`, `podman login {registry}` or `skopeo login {registry}`"
