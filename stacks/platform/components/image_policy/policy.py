"""Which images the cluster lets run, where an environment asks for verified signatures."""

from collections.abc import Iterable, Mapping
from typing import Any

from stacks.platform.common.catalogue import Image

RELEASE = "image-policy"
NAMESPACE = "kube-system"
"""The policy itself belongs to the cluster; Helm's record of it lies here."""
_WITHOUT_DIGEST = "keda-http-add-on/"
"""Its chart joins one tag to three repositories."""


def image_policy(images: Mapping[str, Image], *, registry: str, namespaces: Iterable[str]) -> dict[str, Any]:
    """Values of the own chart that refuses, in `namespaces`, every image from elsewhere than the own `registry`.

    `llmctl deploy` has verified the signatures of what the lock file names; this keeps anything else from running.
    """
    return {
        "registry": registry,
        "namespaces": sorted(namespaces),
        "byTag": [str(image).partition("@")[0] for name, image in images.items() if name.startswith(_WITHOUT_DIGEST)],
    }
