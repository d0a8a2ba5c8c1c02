"""Names of images: registry, repository, tag, digest."""

import re
from dataclasses import dataclass, replace

DOCKER_HUB = "docker.io"
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image: `registry/repository:tag@digest`; the digest wins over the tag."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"

    @property
    def selector(self) -> str:
        """What stands behind `/manifests/`: the digest, else the tag."""
        return self.digest or self.tag or "latest"

    def by(self, digest: str) -> "Reference":
        """Return the same repository by digest alone."""
        return replace(self, tag=None, digest=digest)


def parse(text: str) -> Reference:
    """Return the image that `text` names, by the rules of `docker pull`: no registry means Docker Hub.

    Raises ValueError with the reason when it is not a name of an image.
    """
    name, _, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, path = first, rest
    else:
        registry, path = DOCKER_HUB, name
    repository, _, tag = path.partition(":")
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError(f"{text!r} is not an image: the repository {repository!r} must be lower case")
    if tag and not _TAG.fullmatch(tag):
        raise ValueError(f"{text!r} is not an image: {tag!r} is not a tag")
    if digest and not DIGEST.fullmatch(digest):
        raise ValueError(f"{text!r} is not an image: {digest!r} is not a SHA-256 digest")
    return Reference(registry, repository, tag or None, digest or None)


def api_host(registry: str) -> str:
    """Return the host that answers for a registry; Docker Hub's differs from its name."""
    return "registry-1.docker.io" if registry == DOCKER_HUB else registry


def is_loopback(registry: str) -> bool:
    """Tell whether the registry runs on this machine, where, as in every container tool, plain HTTP is the rule."""
    return _LOOPBACK.fullmatch(registry) is not None
