"""Finds old images in the registry that nothing needs, and deletes them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stacks.kubernetes.image_lock import LockedImage

from .registry.client import Registry


@dataclass(frozen=True, slots=True)
class Version:
    """A tag of a repository."""

    repository: str
    tag: str
    digest: str
    created: str
    """When the image was made, ISO 8601; empty where it does not say."""


def superseded(
    registry: Registry, repositories: Iterable[str], locks: Iterable[Mapping[str, LockedImage]], keep: int
) -> list[Version]:
    """Return versions in `repositories` that no lock file names and that are not among the newest `keep`.

    A version that shares its content with a kept one, or is one platform of it, is kept too. Raises RegistryError.
    """
    locked = {image.digest for lock in locks for image in lock.values()}
    found: list[Version] = []
    for repository in sorted(set(repositories)):
        versions = _versions(registry, repository)
        newest = {version.digest for version in versions[:keep]}
        kept = {version.digest for version in versions if version.digest in locked | newest}
        parts = {child.digest for digest in kept for child in registry.manifest(repository, digest).children()}
        found += [version for version in versions if version.digest not in kept | parts]
    return found


def _versions(registry: Registry, repository: str) -> list[Version]:
    """Return every tag, newest first."""
    versions = []
    for tag in registry.tags(repository):
        digest = registry.digest(repository, tag)
        if digest:
            versions.append(Version(repository, tag, digest, _created(registry, repository, digest)))
    return sorted(versions, key=lambda version: (version.created, version.tag), reverse=True)


def _created(registry: Registry, repository: str, digest: str) -> str:
    manifest = registry.manifest(repository, digest)
    if manifest.is_index:
        children = manifest.children()
        if not children:
            return ""
        manifest = registry.manifest(repository, children[0].digest)
    try:
        with registry.blob(repository, manifest.config.digest) as config:
            return str(json.loads(config.read()).get("created") or "")
    except (KeyError, ValueError):
        return ""
