"""Tells a pin that its publisher does not hold from other failures of an import."""

from collections.abc import Callable

from scripts.core.errors import ExitCode, OperatorError

from .desired import DesiredImage
from .registry.client import Registry


def key_of(image: DesiredImage) -> str:
    """Return where the digest of an image is pinned."""
    return f"helm/images.yaml, {image.name.replace('/', '.')}.digest"


def explained(
    image: DesiredImage, error: OperatorError, connect: Callable[[str], Registry] = Registry.connect
) -> OperatorError:
    """Return what an import failed with; where its publisher lacks the pinned digest, in words about the pin."""
    if image.digest is None or error.code == ExitCode.INTERRUPTED:
        return error
    upstream = image.upstream
    try:
        held = connect(upstream.registry).digest(upstream.repository, image.digest)
    except OperatorError:
        return error
    if held:
        return error
    place = f"{upstream.registry}/{upstream.repository}"
    return OperatorError(
        f"{key_of(image)}: {place} does not hold {image.digest}; nothing was imported",
        f"`llmctl images pin --image {image.name} --again` writes what {image.tag} is now",
        ExitCode.REFUSED,
    )
