"""Which images the cluster lets run, where an environment asks for verified signatures."""

from collections.abc import Iterable
from typing import Any

from stacks.platform.common.images import deployed_images, login_server
from stacks.settings import Settings

RELEASE = "image-policy"
NAMESPACE = "kube-system"
"""The policy itself belongs to the cluster; Helm's record of it lies here."""
_WITHOUT_DIGEST = "keda-http-add-on/"
"""Its chart joins one tag to three repositories."""


def image_policy(settings: Settings, namespaces: Iterable[str]) -> dict[str, Any]:
    """Values of the own chart that refuses, in `namespaces`, every image from elsewhere than the own registry.

    `llmctl deploy` has verified the signatures of what the lock file names; this keeps anything else from running.
    """
    found = deployed_images(settings)
    return {
        "registry": login_server(settings),
        "namespaces": sorted(namespaces),
        "byTag": [str(image).partition("@")[0] for name, image in found.items() if name.startswith(_WITHOUT_DIGEST)],
    }
