"""What the rest of the code has to know of the policy on images."""

from stacks.platform.components.base import Component

COMPONENT = Component(
    package=__package__,
    position=110,
    page="how-to/images.md",
    summary="the policy that lets only verified images run",
    enabled=lambda settings: settings.images.verify_signatures,
    charts=("image-policy",),
)
