"""Tells a pin that its publisher does not hold from other failures of an import."""

from collections.abc import Callable

from scripts.core.errors import ExitCode, OperatorError

from .desired import DesiredImage
from .registry.client import Registry


def key_of(image: DesiredImage) -> str:
    """Return where the digest of an image is pinned: in the list, or where its tag was locked first."""
    if image.upstream.digest is None:
        return f"image lock, {image.name}"
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
    pin = f"`llmctl images pin --image {image.name}{' --again' if upstream.digest else ''}`"
    return OperatorError(
        f"{key_of(image)}: {place} does not hold {image.digest}; nothing was imported",
        f"{pin} writes what {image.tag} is now",
        ExitCode.REFUSED,
    )
