"""What every builder is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scripts.cli.processes import Processes
from scripts.images.logged import run_logged
from scripts.images.recipes import Recipe
from scripts.images.registry.references import Reference


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

    def build(self, job: Job) -> None:
        """Build the image of `job` and push it to its target. Raises BuildError."""
        ...
