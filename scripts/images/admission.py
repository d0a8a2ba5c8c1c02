"""Tells which images of an environment may be deployed, where it asks for verified signatures."""

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.progress import Board
from stacks.platform.common.images import login_server
from stacks.platform.components.enabled import enabled_components

from .attestation import PROVENANCE
from .environment_images import EnvironmentImages
from .errors import UnattestedError, UnsignedError
from .registry.references import Reference
from .schedule import Task, run_all
from .verification import Subject, is_attested, is_signed, require_cosign


def require_signatures(shop: EnvironmentImages, processes: Processes, board: Board) -> int:
    """Verify every image that the environment deploys, and return their number.

    Raises OperatorError when one is not locked or not signed by `images.signing_key`, or one that is built has no
    provenance signed by it.
    """
    _require_locked(shop)
    return verify_locked(shop, processes, board)


def verify_locked(shop: EnvironmentImages, processes: Processes, board: Board) -> int:
    """Verify every image of the lock file that the environment deploys, and return their number.

    Raises OperatorError as `require_signatures` does.
    """
    settings = shop.settings
    key = settings.images.signing_key
    if key is None:
        raise OperatorError(
            f"{settings.name} names no key to verify signatures with", "write images.signing_key", ExitCode.SETTINGS
        )
    require_cosign()
    locked = shop.locked()

    def task(name: str) -> Task[None]:
        log = shop.log(f"{name}-verification")
        log.unlink(missing_ok=True)
        image = Reference(shop.registry.name, locked[name].repository, digest=locked[name].digest)
        subject = Subject(name, image, shop.registry.login, log, processes)

        def verify() -> None:
            if not is_signed(subject, key):
                raise UnsignedError(name, log)
            if shop.is_built(name) and not is_attested(subject, key, PROVENANCE):
                raise UnattestedError(name, log)

        return Task(name, "verifying", verify)

    names = [name for name in enabled_components(settings).images(shop.pinned) if name in locked]
    with processes.forwarding_signals():
        _, failures = run_all([task(name) for name in names], board, jobs=1, memory_gib=0)
    if processes.interrupted:
        raise KeyboardInterrupt
    if failures:
        lacking = [name for name, error in failures.items() if isinstance(error, UnattestedError)]
        what = "have no provenance signed" if len(lacking) == len(failures) else "are not signed"
        raise OperatorError(
            f"{len(failures)} of {len(names)} images {what} by {key}: {', '.join(sorted(failures))}",
            f"`llmctl images ensure {settings.name}` signs what it builds and imports; the logs in "
            f"{shop.log('').parent} say why",
            ExitCode.REFUSED,
        )
    return len(names)


def _require_locked(shop: EnvironmentImages) -> None:
    own = f"{login_server(shop.settings.azure_names)}/"
    components = enabled_components(shop.settings)
    deployed = components.deployed_images()
    absent = [name for name in components.images(shop.pinned) if not deployed[name].repository.startswith(own)]
    if absent:
        raise OperatorError(
            f"not in the images' lock file, so not verified: {', '.join(absent)}",
            f"run `llmctl images ensure {shop.settings.name}`",
            ExitCode.REFUSED,
        )
