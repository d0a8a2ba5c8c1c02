"""Images: what is verified has been signed."""

from collections.abc import Iterator

from ..images import ImageSettings
from .base import Finding


def verified_images_are_signed(images: ImageSettings) -> Iterator[Finding]:
    """Nothing could pass a check against no key."""
    if images.verify_signatures and images.signing_key is None:
        yield Finding(("images", "verify_signatures"), "needs images.signing_key; name the key of cosign")


RULES = (verified_images_are_signed,)
