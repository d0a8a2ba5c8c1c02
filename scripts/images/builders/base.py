"""What every builder is given."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.images.dockerfile.features import Feature
from scripts.images.logged import run_logged
from scripts.images.recipes import Recipe
from scripts.images.registry.references import Reference

PROXIES = tuple(name for upper in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (upper, upper.lower()))
"""Arguments that every Dockerfile takes without naming them; Docker gives a build no proxy by itself.

https://docs.docker.com/build/building/variables/#pre-defined-build-arguments
"""


@dataclass(frozen=True)
class Job:
    """One build: a context on disk that becomes an image in a registry."""

    recipe: Recipe
    folder: Path
    """The exported context, with its Dockerfile."""
    target: Reference
    labels: Mapping[str, str]
    log: Path
    auth_file: Path
    """`config.json` with the logins of the registries that take part."""
    processes: Processes
    step: Callable[[str], object] = lambda _line: None
    surroundings: Mapping[str, str] = field(default_factory=lambda: os.environ)
    """Variables of this process, which the engine inherits."""

    def options(self) -> list[str]:
        """Return the options that docker, podman and buildah share."""
        named = [f"{name}={value}" for name, value in sorted(self.recipe.arguments.items())]
        labels = [f"{name}={value}" for name, value in sorted(self.labels.items())]
        return [
            "--platform",
            self.recipe.platform,
            "--file",
            str(self.folder / "Dockerfile"),
            *(word for argument in named for word in ("--build-arg", argument)),
            # By name alone: engines take the value from their own environment, and keep it out of the image.
            *(word for name in PROXIES if self.surroundings.get(name) for word in ("--build-arg", name)),
            *(word for label in labels for word in ("--label", label)),
        ]

    def run(self, *command: str, env: Mapping[str, str]) -> None:
        """Run one command of the build. Raises BuildError."""
        run_logged(self.processes, command, name=self.recipe.name, log=self.log, env=env, step=self.step)


class Builder(Protocol):
    """Builds and pushes; the digest is then the registry's answer."""

    @property
    def name(self) -> str:
        """Name in settings and options."""
        ...

    @property
    def local(self) -> bool:
        """Whether builds take this machine's memory."""
        ...

    @property
    def lacks(self) -> frozenset[Feature]:
        """What a Dockerfile may ask for and this builder cannot do."""
        ...

    def build(self, job: Job) -> None:
        """Build the image of `job` and push it to its target. Raises BuildError."""
        ...


def require_able(builder: Builder, recipe: Recipe) -> None:
    """Return when `builder` can do all that a Dockerfile asks for. Raises OperatorError naming the lines otherwise."""
    found = [use for use in recipe.uses if use.feature in builder.lacks]
    if not found:
        return
    lines = "; ".join(map(str, found))
    mend = "choose images.builder: buildx or acr"
    patterns = [use.what for use in found if use.feature is Feature.EMPTY_PATTERN]
    if patterns:
        mend = f"name a file that fits {patterns[0]} in build.files of {recipe.name} in helm/images.yaml, or {mend}"
    raise OperatorError(
        f"{recipe.name}: {builder.name} cannot build {recipe.context}/Dockerfile: {lines}", mend, ExitCode.NOT_READY
    )
