"""What the image benchmark runs: images made from nothing, built as the scripts of old did and as `llmctl` does."""

import os
import random
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from scripts.core.processes import Processes
from scripts.core.progress import Board
from scripts.images.builders.local import Buildah
from scripts.images.environment_images import EnvironmentImages
from scripts.images.work import Work
from stacks.platform.common.catalogue import Build, Image
from stacks.settings import Settings

VERSION = "1.0.0"
IMAGES = ("backend", "frontend", "python-backend", "sandbox")
LAYER_BYTES = 24 * 1024 * 1024
DOCKERFILE = "FROM scratch\nCOPY dependencies.bin /dependencies.bin\nCOPY program.bin /program.bin\nCOPY file.txt /\n"


@dataclass(frozen=True)
class Scene:
    """A source with one context for each image, and what builds it."""

    folder: Path
    settings: Settings
    registry: str

    @property
    def source(self) -> Path:
        """The checkout."""
        return self.folder / "source"

    def write_source(self) -> None:
        """Write contexts of two layers each, half of it incompressible."""
        generator = random.Random(7)  # noqa: S311 - the same bytes in every run, no secret
        for name in IMAGES:
            context = self.source / "apps" / name
            context.mkdir(parents=True)
            (context / "Dockerfile").write_text(DOCKERFILE, "utf-8")
            (context / "file.txt").write_text(f"{name}\n", "utf-8")
            for layer in ("dependencies.bin", "program.bin"):
                half = LAYER_BYTES // 2
                (context / layer).write_bytes(generator.randbytes(half) + name.encode() * (half // len(name)))
        for command in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *command], cwd=self.source, check=True)  # noqa: S603, S607

    def edit(self, content: str) -> None:
        """Change one file of one image."""
        (self.source / "apps" / "frontend" / "file.txt").write_text(content, "utf-8")

    def shop(self) -> EnvironmentImages:
        """Return the images of the scene."""
        pinned = {
            f"app/{name}": Image(
                repository=f"example.com/{name}",
                tag=VERSION,
                build=Build(git="scene", context=f"apps/{name}", memory_gib=0.5),
            )
            for name in IMAGES
        }
        return EnvironmentImages(
            self.settings,
            registry_name=self.registry,
            source_folder=self.source,
            pinned=pinned,
            lock=self.folder / "lock.json",
            cache=self.folder / "cache",
        )

    def ensure(self, jobs: int) -> tuple[float, int]:
        """Build what is missing; return seconds and the number of images built. Raises the first failure."""
        started = time.perf_counter()
        shop = self.shop()
        outcome = Work(shop, Board(Console(quiet=True)), Processes(), Buildah(), None, jobs=jobs).run(shop.inspect())
        for failure in outcome.failures.values():
            raise failure
        return time.perf_counter() - started, len(outcome.worked_on)

    def rebuild_everything(self) -> tuple[float, int]:
        """Build and push every image under its version, one after the other; return seconds and their number."""
        started = time.perf_counter()
        for name in IMAGES:
            local = f"localhost/rebuilt-{name}:{VERSION}"
            target = f"docker://{self.registry}/rebuilt-{name}:{VERSION}"
            _quiet("buildah", "build", "--layers", "--tag", local, str(self.source / "apps" / name))
            _quiet("buildah", "push", "--tls-verify=false", local, target)
        return time.perf_counter() - started, len(IMAGES)


def write_repository(folder: Path, contexts: Iterable[str], tag: str) -> None:
    """Write a repository with a Dockerfile in each of `contexts`, committed and tagged."""
    for context in contexts:
        (folder / context).mkdir(parents=True)
        (folder / context / "Dockerfile").write_text(f"FROM scratch\nLABEL context={context}\n", "utf-8")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", tag], ["tag", tag]):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)  # noqa: S603, S607


def forget_layers() -> None:
    """Remove every image that buildah keeps, as on a fresh machine."""
    _quiet("buildah", "rmi", "--all", "--force")


def _quiet(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env=dict(os.environ))  # noqa: S603
