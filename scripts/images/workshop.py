"""The images of one environment: what is wanted, what stands in the registry, and the work in between."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from scripts.cli.errors import OperatorError
from scripts.cli.processes import Processes
from scripts.cli.workspace import CACHE
from stacks.kubernetes import catalogue
from stacks.kubernetes.catalogue import Build, Image
from stacks.kubernetes.image_lock import LockedImage, lock_file
from stacks.kubernetes.images import login_server
from stacks.settings import Settings

from . import inspection, source, wanted
from .builders.base import Builder, Job
from .importers.base import Importer, Transfer
from .inspection import Finding
from .lock import locked_images, write_lock
from .progress import Reporter
from .registry.client import Registry
from .registry.credentials import auth_file, find_login
from .registry.references import Reference, parse
from .schedule import Task, available_gib, run_all
from .wanted import Wanted


@dataclass(frozen=True)
class Workshop:
    """One environment's images and the registry that they belong in."""

    settings: Settings
    registry_name: str = ""
    """Host of the registry; empty for the environment's own."""
    source_folder: Path | None = None
    """Checkout that is built instead of the pinned version."""
    pinned: Mapping[str, Image] = field(default_factory=catalogue.images)
    lock: Path | None = None
    cache: Path = CACHE / "images"
    names: tuple[str, ...] = ()
    """Images or releases that are meant; all when empty."""

    @cached_property
    def registry(self) -> Registry:
        """Client of the registry, with the login that this machine has for it."""
        return Registry.connect(self.registry_name or login_server(self.settings))

    @property
    def lock_path(self) -> Path:
        """The environment's lock file."""
        return self.lock or lock_file(self.settings.name)

    @cached_property
    def images(self) -> list[Wanted]:
        """Return what has to stand in the registry. Raises OperatorError when a source cannot be read."""
        needed = wanted.needed(self.settings, self.pinned)
        return wanted.wanted(
            wanted.chosen(needed, self.names),
            build=self.settings.images.opik == "build",
            platform=self.settings.images.platform,
            source=self._source,
        )

    def locked(self) -> dict[str, LockedImage]:
        """Return what the lock file says. Raises OperatorError when it is damaged."""
        return locked_images(self.lock_path)

    def inspect(self) -> list[Finding]:
        """Return how every image stands. Raises OperatorError when the registry cannot answer."""
        return inspection.inspect(self.images, self.registry, self.locked())

    def save(self, findings: Iterable[Finding]) -> bool:
        """Write what stands in the registry into the lock file and return whether that changed it.

        Without `names`, images that are no longer wanted leave it.
        """
        kept = self.locked() if self.names else {}
        return write_lock(self.lock_path, {**kept, **{found.wanted.name: found.locked for found in findings}})

    def log(self, name: str) -> Path:
        """Log of the last work on an image."""
        return self.cache / "logs" / self.settings.name / f"{name.replace('/', '-')}.log"

    def _source(self, build: Build, version: str) -> source.Source:
        cached = self._sources.get((build.git, version))
        if cached is None:
            if self.source_folder:
                contexts = sorted(
                    {
                        image.build.context
                        for image in self.pinned.values()
                        if image.build and image.build.git == build.git
                    }
                )
                cached = source.of_folder(self.source_folder, contexts, self.cache / "source")
            else:
                cached = source.at_tag(build.git, version, self.cache / "source")
            self._sources[build.git, version] = cached
        return cached

    @cached_property
    def _sources(self) -> dict[tuple[str, str], source.Source]:
        return {}


@dataclass(frozen=True)
class Outcome:
    """What one run did."""

    findings: list[Finding]
    """How every image stands afterwards."""
    failures: dict[str, OperatorError]
    lock_changed: bool
    worked_on: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """Builds and imports what is missing, then locks it."""

    shop: Workshop
    reporter: Reporter
    processes: Processes
    builder: Builder | None
    """None where nothing is to be built."""
    importer: Importer | None
    """None where nothing is to be imported."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)

    def run(self, findings: list[Finding]) -> Outcome:
        """Bring over what `findings` lack, all failures at the end.

        The lock file is written when every image that was asked for stands in the registry, and otherwise
        left as it was. Raises KeyboardInterrupt when interrupted, OperatorError when the registry stops answering.
        """
        lacking = [found.wanted for found in findings if found.digest is None]
        tasks = [self._task(image) for image in lacking]
        stop = getattr(self.importer, "stop", lambda: None)
        self.processes.on_interrupt = lambda _times: stop()
        with self.processes.forwarding_signals():
            _, failures = run_all(
                tasks, self.reporter, jobs=self.jobs, memory_gib=available_gib(), stop=self.processes.interrupt
            )
        if self.processes.interrupted:
            raise KeyboardInterrupt
        worked_on = tuple(image.name for image in lacking)
        if worked_on:
            findings = self.shop.inspect()
        failures |= {
            found.wanted.name: OperatorError(f"{found.wanted.name}: the registry holds another content than pinned")
            for found in findings
            if found.digest is None and found.wanted.name not in failures
        }
        changed = False if failures else self.shop.save(findings)
        return Outcome(findings, failures, changed, worked_on)

    def _task(self, image: Wanted) -> Task[None]:
        log = self.shop.log(image.name)
        log.unlink(missing_ok=True)
        if image.recipe is None:
            return Task(image.name, "importing", lambda: self._import(image, log))
        assert self.builder is not None
        memory = image.recipe.memory_gib if self.builder.local else 0
        return Task(image.name, "building", lambda: self._build(image, log), memory)

    def _target(self, image: Wanted) -> Reference:
        return Reference(self.shop.registry.name, image.repository, image.tag)

    def _import(self, image: Wanted, log: Path) -> None:
        assert self.importer is not None
        self.importer.transfer(
            Transfer(
                name=image.name,
                source=image.upstream,
                target=self._target(image),
                log=log,
                processes=self.processes,
                step=lambda line: self.reporter.step(image.name, line),
            )
        )

    def _build(self, image: Wanted, log: Path) -> None:
        recipe = image.recipe
        assert recipe is not None
        assert self.builder is not None
        bases = {parse(base).registry for base in recipe.bases}
        logins = {name: login for name in bases if (login := find_login(name))}
        if self.shop.registry.login:
            logins[self.shop.registry.name] = self.shop.registry.login
        with tempfile.TemporaryDirectory(prefix="llmctl-build-") as scratch, auth_file(logins) as file:
            folder = Path(scratch) / "context"
            folder.mkdir()
            recipe.export(folder)
            self.builder.build(
                Job(
                    recipe=recipe,
                    folder=folder,
                    target=self._target(image),
                    labels=_labels(image),
                    log=log,
                    auth_file=file,
                    processes=self.processes,
                    step=lambda line: self.reporter.step(image.name, line),
                )
            )


def _labels(image: Wanted) -> dict[str, str]:
    """Where an image comes from (https://specs.opencontainers.org/image-spec/annotations/)."""
    assert image.recipe is not None
    return {"org.opencontainers.image.title": image.name, "org.opencontainers.image.version": image.tag}
