"""The policy that lets only verified images run."""

from collections.abc import Mapping

from constructs import Construct

from constructs.helm_release import HelmRelease
from constructs.namespace import Namespace
from stacks.settings import Settings

from .policy import NAMESPACE, RELEASE, image_policy


def add_image_policy(scope: Construct, settings: Settings, spaces: Mapping[str, Namespace]) -> None:
    """Add the policy for every namespace of the platform, where the environment asks for verified signatures."""
    if settings.images.verify_signatures:
        HelmRelease(scope, RELEASE, namespace=NAMESPACE, wired=image_policy(settings, spaces))
