"""The policy that lets only verified images run."""

from collections.abc import Mapping

from constructs import Construct

from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.releases import add_release
from stacks.settings import Settings

from .policy import NAMESPACE, RELEASE, image_policy


def add_image_policy(scope: Construct, settings: Settings, spaces: Mapping[str, Namespace]) -> None:
    """Add the policy for every namespace of the platform, where the environment asks for verified signatures."""
    if settings.images.verify_signatures:
        add_release(scope, RELEASE, namespace=NAMESPACE, computed_values=image_policy(settings, spaces))
