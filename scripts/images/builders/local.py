"""Builders on this machine."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from scripts.images.dockerfile.features import Feature
from scripts.images.registry.references import is_loopback

from .base import Job

_PROBE_TIMEOUT_S = 20
_VERSION = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True)
class Buildx:
    """`docker buildx`, with SBOM and provenance where its driver can make them."""

    name: str = field(default="buildx", init=False)
    local: bool = field(default=True, init=False)
    lacks: frozenset[Feature] = field(default=frozenset(), init=False)

    def build(self, job: Job) -> None:
        """Build and push in one command. Raises BuildError."""
        attest = ["--provenance=mode=max", "--sbom=true"] if self._attests else ["--provenance=false"]
        job.run(
            *("docker", "buildx", "build", "--progress=plain", "--push", *attest),
            *("--tag", str(job.target), *job.options(), str(job.folder)),
            env=docker_environment(job.auth_file),
        )

    @cached_property
    def _attests(self) -> bool:
        """Whether the driver is not the engine's own, which cannot export attestations."""
        return any(
            line.partition(":")[2].strip() not in {"", "docker"}
            for line in probe("docker", "buildx", "inspect").splitlines()
            if line.startswith("Driver:")
        )


def docker_environment(auth_file: Path) -> dict[str, str]:
    """Return the variables for docker with the logins of `auth_file`; the user's own builders stay where they are."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    return {"DOCKER_CONFIG": str(auth_file.parent), "BUILDX_CONFIG": str(folder / "buildx")}


@dataclass(frozen=True)
class Buildah:
    """buildah, or podman, which takes the same options. Both keep layers, so a second build reuses the first one's."""

    name: Literal["buildah", "podman"] = "buildah"
    local: bool = field(default=True, init=False)

    @cached_property
    def lacks(self) -> frozenset[Feature]:
        """What this version lacks: it takes heredocs since 1.33 and BuildKit's other options since 1.41.

        https://github.com/containers/buildah/blob/main/CHANGELOG.md
        """
        version = self._version
        since = {Feature.HEREDOC: (1, 33), Feature.OPTION: (1, 41), Feature.MOUNT: (1, 24)}
        late = {feature for feature, first in since.items() if version < first}
        return frozenset({Feature.EMPTY_PATTERN, Feature.FRONTEND} | late)

    @property
    def _version(self) -> tuple[int, ...]:
        """Version of buildah, which podman has inside; none counts as old."""
        asked = ("podman", "info", "--format", "{{.Host.BuildahVersion}}")
        said = probe(*asked) if self.name == "podman" else probe("buildah", "--version")
        match = _VERSION.search(said)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    def build(self, job: Job) -> None:
        """Build, then push. Raises BuildError."""
        env = {"REGISTRY_AUTH_FILE": str(job.auth_file)}
        local = f"localhost/{job.target.repository}:{job.target.tag}"
        tls = ["--tls-verify=false"] if is_loopback(job.target.registry) else []
        job.run(self.name, "build", "--layers", "--tag", local, *job.options(), str(job.folder), env=env)
        job.step("pushing")
        job.run(self.name, "push", *tls, local, f"docker://{job.target}", env=env)


def probe(*command: str, env: Mapping[str, str] | None = None) -> str:
    """Return what a program prints, or nothing when it is absent or fails; `env` comes on top of this process's own."""
    try:
        run = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
            check=True,
            env={**os.environ, **(env or {})},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return run.stdout
