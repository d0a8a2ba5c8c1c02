"""The images that an environment deploys: from its own registry by digest once they stand there, else from upstream."""

from collections.abc import Mapping
from dataclasses import replace

from stacks.common.azure_names import AzureNames

from .catalogue import Image, images
from .image_lock import LockedImage, lock_file, read_lock

ACR_DOMAIN = "azurecr.io"


def login_server(names: AzureNames) -> str:
    """Host of the environment's registry, which follows from its name alone (public Azure cloud)."""
    return f"{names.container_registry}.{ACR_DOMAIN}"


def deployed_images(name: str, names: AzureNames, pinned: Mapping[str, Image] | None = None) -> Mapping[str, Image]:
    """Every image by `<chart>/<image>`, as the environment's lock file says; `pinned` stands for `helm/images.yaml`.

    Raises LockError when the lock file is damaged.
    """
    return resolve(images() if pinned is None else pinned, read_lock(lock_file(name)), login_server(names))


def resolve(pinned: Mapping[str, Image], locked: Mapping[str, LockedImage], registry: str) -> dict[str, Image]:
    """Replace every image that is locked in its pinned version by its copy in `registry`.

    The others stay upstream: what is pinned is what runs, also between a change of version and its lock. An entry of
    an image that is no longer pinned has no effect.
    """
    return {
        name: _copy(image, locked[name], registry) if name in locked and same_version(image, locked[name]) else image
        for name, image in pinned.items()
    }


def same_version(image: Image, locked: LockedImage) -> bool:
    """Tell whether what is locked is the pinned version of an image."""
    # A built image's tag goes on with the hash of its content, and its digest is its own.
    if image.build and locked.tag.startswith(f"{image.tag}-"):
        return True
    return locked.tag == image.tag and image.digest in {None, locked.digest}


def _copy(image: Image, locked: LockedImage, registry: str) -> Image:
    return replace(image, repository=f"{registry}/{locked.repository}", tag=locked.tag, digest=locked.digest)
