"""Finds old images in the registry that nothing needs, and deletes them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from stacks.platform.common.image_lock import LockedImage

from .registry.client import Registry

_ATTACHED = re.compile(r"sha256-(?P<digest>[0-9a-f]{64})(\..+)?")
"""Tag of a signature or attestation, which names the image it is about
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema; cosign adds an ending)."""


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_RELEASE = re.compile(r"v?(?P<numbers>\d+(\.\d+)*)(?P<rest>([-.+_]|alpha|beta|dev|rc|pre).*|)")
_PRERELEASE = re.compile(r"[-.]?(alpha|beta|dev|rc|pre)(?P<number>\d*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Version:
    """A tag of a repository."""

    repository: str
    tag: str
    digest: str
    created: str
    """When the image was made, ISO 8601; empty where it does not say."""

    @property
    def about(self) -> str | None:
        """Digest of the image that this is a signature or attestation of; None for an image."""
        match = _ATTACHED.fullmatch(self.tag)
        return f"sha256:{match['digest']}" if match else None

    @property
    def age(self) -> tuple[tuple[int, ...], tuple[int, int], datetime]:
        """What versions of one repository are ordered by, the newest highest: release, then when it was made.

        A tag that is no release is older than every one that is; a prerelease is older than its release.
        """
        release = _RELEASE.fullmatch(self.tag)
        numbers = tuple(map(int, release["numbers"].split("."))) if release else ()
        early = _PRERELEASE.match(release["rest"]) if release else None
        return numbers, (0, int(early["number"] or 0)) if early else (1, 0), self._made

    @property
    def _made(self) -> datetime:
        try:
            made = datetime.fromisoformat(self.created)
        except ValueError:
            return datetime.min.replace(tzinfo=UTC)
        return made if made.tzinfo else made.replace(tzinfo=UTC)


def superseded(
    registry: Registry,
    repositories: Iterable[str],
    locks: Iterable[Mapping[str, LockedImage]],
    keep: int,
    *,
    running: frozenset[str] = frozenset(),
) -> list[Version]:
    """Return versions in `repositories` that no lock file and nothing in `running` names, but for the newest `keep`.

    `running` are images as the cluster writes them.

    A version that shares its content with a kept one, or is one platform of it, is kept too; signatures and
    attestations stay and go with what they are about. Raises RegistryError.
    """
    locked = {image.digest for lock in locks for image in lock.values()}
    found: list[Version] = []
    for repository in sorted(set(repositories)):
        everything = _versions(registry, repository)
        versions = [version for version in everything if version.about is None]
        newest = {version.digest for version in versions[:keep]}
        kept = {version.digest for version in versions if version.digest in locked | newest}
        kept |= {version.digest for version in versions if _runs(registry, version, running)}
        kept |= {child.digest for digest in kept for child in registry.manifest(repository, digest).children()}
        found += [version for version in everything if (version.about or version.digest) not in kept]
    return found


def _runs(registry: Registry, version: Version, running: frozenset[str]) -> bool:
    """Return whether the cluster names a version, or one platform of it: that is what a pod's status says."""

    def named(digest: str) -> bool:
        by_tag = f"/{version.repository}:{version.tag}"
        return any(name.endswith(by_tag) or digest in _DIGEST.findall(name) for name in running)

    return bool(running) and (
        named(version.digest)
        or any(named(child.digest) for child in registry.manifest(version.repository, version.digest).children())
    )


def _versions(registry: Registry, repository: str) -> list[Version]:
    """Return every tag, newest first."""
    versions = []
    for tag in registry.tags(repository):
        digest = registry.digest(repository, tag)
        if digest:
            versions.append(Version(repository, tag, digest, _created(registry, repository, digest)))
    return sorted(versions, key=lambda version: (version.age, version.tag), reverse=True)


def _created(registry: Registry, repository: str, digest: str) -> str:
    manifest = registry.manifest(repository, digest)
    if manifest.is_index:
        children = manifest.children()
        if not children:
            return ""
        manifest = registry.manifest(repository, children[0].digest)
    try:
        with registry.blob(repository, manifest.config.digest) as config:
            return str(json.loads(b"".join(config)).get("created") or "")
    except (KeyError, ValueError):
        return ""
