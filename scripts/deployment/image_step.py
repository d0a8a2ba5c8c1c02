"""The container images of an environment, as a step between its registry and its cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.core.console import err
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import OperatorError
from scripts.core.notes.pins import open_charts, required_pins
from scripts.core.processes import Processes
from scripts.core.progress import Board
from scripts.core.targets import load_environment
from scripts.core.workspace import CACHE, ROOT, Workspace
from scripts.images.admission import require_signatures
from scripts.images.builders import choice as building
from scripts.images.environment_images import EnvironmentImages
from scripts.images.importers import choice as importing
from scripts.images.sources.git import GitError
from scripts.images.work import Outcome, Work
from scripts.terraform.synthesis import synthesize


@dataclass(frozen=True)
class Tools:
    """What the command line chooses instead of the environment file; None leaves the choice to it."""

    builder: str | None = None
    importer: str | None = None
    jobs: int = 0
    """Builds at once; 0 for the number of processors."""


def ensure(shop: EnvironmentImages, tools: Tools, processes: Processes) -> Outcome:
    """Build and import what the registry lacks, lock it, and tell the progress.

    Raises OperatorError when something failed; everything that could be done is done by then.
    """
    for refused in required_pins(shop.settings):
        raise OperatorError(refused.message, "run `llmctl images pin` on a machine that reaches the publishers")
    findings = shop.inspect()
    lacking = [found.image for found in findings if found.digest is None]
    settings = shop.settings.images
    registry = shop.registry.name
    builds = any(image.recipe for image in lacking)
    imports = any(image.recipe is None for image in lacking)
    unpinned = sorted({reference for found in findings for reference in found.image.unpinned})
    if unpinned:
        what = f"{len(unpinned)} images are known by tag only, such as {unpinned[0]}: the first import decides"
        err.print(f"Warning: {what}; `llmctl images pin` pins them by digest for every environment.", markup=False)
    if charts := open_charts(shop.settings):
        what = f"charts known by version only: {', '.join(charts)}"
        err.print(f"Warning: {what}; `llmctl images pin --charts` pins them by digest.", markup=False)
    with Board(err, keep_ended=False) as board:
        work = Work(
            shop,
            board,
            processes,
            building.choose(tools.builder or settings.builder, registry) if builds else None,
            importing.choose(tools.importer or settings.importer, shop.settings, registry) if imports else None,
            **({"jobs": tools.jobs} if tools.jobs else {}),
        )
        outcome = work.run(findings)
    if outcome.failures:
        for error in outcome.failures.values():
            err.print(f"{error.message}  {error.fix}".rstrip(), style="red", markup=False)
        count = f"{len(outcome.failures)} of {len(findings)} images"
        raise OperatorError(f"{count} failed; the lock file is as it was", "see the logs above, then run this again")
    return outcome


def unlocked(shop: EnvironmentImages) -> list[str]:
    """Return the images that the lock file does not name as they are desired, without asking a registry.

    Raises OperatorError when a source that is built cannot be read.
    """
    locked = shop.locked()
    return [
        image.name
        for image in shop.images
        if (entry := locked.get(image.name)) is None
        or (entry.repository, entry.tag) != (image.repository, image.tag)
        or (image.digest and entry.digest != image.digest)
    ]


def images_of(environment: str) -> EnvironmentImages:
    """Return the images of an environment, as its file describes them. Raises OperatorError."""
    return EnvironmentImages(load_environment(environment))


def pending(environment: str, images_of: Callable[[str], EnvironmentImages] = images_of) -> list[str]:
    """Return the images that a deployment of the environment will build or import.

    Raises OperatorError, also when the source of a built image cannot be fetched.
    """
    try:
        return unlocked(images_of(environment))
    except GitError as error:
        fix = "check the network, or deploy what is locked with --skip-images"
        raise OperatorError(error.message, fix, error.code) from None


def bring_images(workspace: Workspace, processes: Processes) -> bool:
    """Bring the images of an environment into its registry; when that changes the lock file, synthesize again.

    Returns whether it did, because plans made before are then out of date.

    Raises OperatorError when something failed.
    """
    err.print("Images: building and importing what the registry lacks")
    shop = images_of(workspace.environment)
    with environment_lock(CACHE / "locks", f"{workspace.environment}-images", "deploy"):
        changed = ensure(shop, Tools(), processes).lock_changed
    if changed:
        with err.status(f"Synthesizing {workspace.environment} with its images"), processes.forwarding_signals():
            synthesize(workspace, processes)
    return changed


def require_signed(
    environment: str, processes: Processes, images_of: Callable[[str], EnvironmentImages] = images_of
) -> None:
    """Let a deployment go on only with signed images, where the environment asks for that (`verify_signatures`).

    Raises OperatorError when an image is not locked or not signed.
    """
    found = images_of(environment)
    if found.settings.images.verify_signatures:
        verify(found, processes)


def verify(shop: EnvironmentImages, processes: Processes) -> int:
    """Verify the signature of every locked image and return their number. Raises OperatorError."""
    with Board(err, keep_ended=False) as board:
        return require_signatures(shop, processes, board)


@dataclass(frozen=True, kw_only=True)
class ImageStep:
    """What a deployment does about images."""

    pending: Callable[[str], list[str]] = pending
    """Returns the images of an environment that will be built or imported."""
    bring: Callable[[Workspace, Processes], bool] = bring_images
    """Brings them, and tells whether plans made before are then out of date."""
    require_signed: Callable[[str, Processes], None] = require_signed
    """Raises OperatorError where an image has to be signed and is not."""


IMAGES = ImageStep()


def shown(path: Path) -> str:
    """Return a path as the operator would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
