"""Images: what is verified has been signed."""

from collections.abc import Iterator

from ..environment import Settings
from .base import Finding


def verified_images_are_signed(settings: Settings) -> Iterator[Finding]:
    """Nothing could pass a check against no key."""
    if settings.images.verify_signatures and settings.images.signing_key is None:
        yield Finding(("images", "verify_signatures"), "needs images.signing_key; name the key of cosign")


RULES = (verified_images_are_signed,)
