"""Images: what is verified has been signed, and the nodes run them."""

from collections.abc import Iterator

from ..images import ImageSettings
from .base import Finding


def verified_images_are_signed(images: ImageSettings) -> Iterator[Finding]:
    """Nothing could pass a check against no key."""
    if images.verify_signatures and images.signing_key is None:
        yield Finding(("images", "verify_signatures"), "needs images.signing_key; name the key of cosign")


def images_run_on_the_nodes(images: ImageSettings) -> Iterator[Finding]:
    """Every node pool has x86-64 processors: Arm sizes are refused, and no GPU size has one."""
    if images.platform != "linux/amd64":
        yield Finding(
            ("images", "platform"), "is for Arm processors, but every node pool has x86-64 ones; write linux/amd64"
        )


RULES = (verified_images_are_signed, images_run_on_the_nodes)
