"""Builds and imports what the registry lacks, then locks it."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from scripts.core.errors import OperatorError
from scripts.core.processes import Processes
from scripts.core.progress import Board

from .attestation import attach, provenance
from .builders.base import Builder, Job, require_able
from .desired import DesiredImage
from .environment_images import EnvironmentImages
from .importers.base import Importer, Transfer
from .inspection import InspectedImage
from .registry.credentials import auth_file, find_login
from .registry.references import Reference, parse
from .schedule import Task, available_gib, run_all
from .verification import Subject, require_cosign, sign
from .wrong_pin import explained, key_of


@dataclass(frozen=True)
class Outcome:
    """What one run did."""

    findings: list[InspectedImage]
    """How every image stands afterwards."""
    failures: dict[str, OperatorError]
    lock_changed: bool
    worked_on: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """Builds and imports what is missing, then locks it."""

    shop: EnvironmentImages
    board: Board
    processes: Processes
    builder: Builder | None
    """None where nothing is to be built."""
    importer: Importer | None
    """None where nothing is to be imported."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)

    def run(self, findings: list[InspectedImage]) -> Outcome:
        """Bring over what `findings` lack, all failures at the end.

        The lock file is written when every image that was asked for stands in the registry, and otherwise
        left as it was. Raises KeyboardInterrupt when interrupted, OperatorError when the registry stops answering or
        the builder lacks what a Dockerfile asks for.
        """
        lacking = [found.image for found in findings if found.digest is None]
        self._require_able(lacking)
        tasks = [self._task(image) for image in lacking]
        stop = getattr(self.importer, "stop", lambda: None)
        self.processes.on_interrupt = lambda _times: stop()
        with self.processes.forwarding_signals():
            _, failures = run_all(
                tasks, self.board, jobs=self.jobs, memory_gib=available_gib(), stop=self.processes.interrupt
            )
        if self.processes.interrupted:
            raise KeyboardInterrupt
        worked_on = tuple(image.name for image in lacking)
        if worked_on:
            findings = self.shop.inspect()
        failures |= {
            found.image.name: OperatorError(
                f"{key_of(found.image)}: {self._target(found.image)} is another content than is pinned"
            )
            for found in findings
            if found.digest is None and found.image.name not in failures
        }
        if not failures:
            failures = self._sign(findings)
        changed = False if failures else self.shop.save(findings)
        return Outcome(findings, failures, changed, worked_on)

    def _require_able(self, images: list[DesiredImage]) -> None:
        """Refuse before anything is built what the builder could not build in the end."""
        for image in images:
            if image.recipe and self.builder:
                require_able(self.builder, image.recipe)

    def _sign(self, findings: list[InspectedImage]) -> dict[str, OperatorError]:
        key = self.shop.settings.images.signing_key
        if key is None:
            return {}
        require_cosign()

        def task(found: InspectedImage) -> Task[None]:
            name = found.image.name
            image = self._target(found.image).by(found.locked.digest)
            log = self.shop.log(f"{name}-signature")
            log.unlink(missing_ok=True)
            subject = Subject(name, image, self.shop.registry.login, log, self.processes)
            return Task(name, "signing", lambda: self._attach(found.image, subject, key))

        with self.processes.forwarding_signals():
            _, failures = run_all([task(found) for found in findings], self.board, jobs=self.jobs, memory_gib=0)
        return failures

    def _attach(self, image: DesiredImage, subject: Subject, key: str) -> None:
        sign(subject, key)
        pinned = self.shop.pinned[image.name]
        if image.recipe and pinned.build:
            attach(subject, key, provenance(image.recipe, pinned.build.git, image.tag.rpartition("-")[0]))

    def _task(self, image: DesiredImage) -> Task[None]:
        log = self.shop.log(image.name)
        log.unlink(missing_ok=True)
        if image.recipe is None:
            return Task(image.name, "importing", lambda: self._import(image, log))
        assert self.builder is not None
        memory = image.recipe.memory_gib if self.builder.local else 0
        return Task(image.name, "building", lambda: self.build(image, log), memory)

    def _target(self, image: DesiredImage) -> Reference:
        return Reference(self.shop.registry.name, image.repository, image.tag)

    def _import(self, image: DesiredImage, log: Path) -> None:
        assert self.importer is not None
        transfer = Transfer(
            name=image.name,
            source=image.source,
            target=self._target(image),
            log=log,
            processes=self.processes,
            step=lambda line: self.board.detail(image.name, line),
        )
        try:
            self.importer.transfer(transfer)
        except OperatorError as error:
            raise explained(image, error) from None

    def build(self, image: DesiredImage, log: Path) -> None:
        """Build one image and push it. Raises OperatorError."""
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
                    step=lambda line: self.board.detail(image.name, line),
                )
            )


def _labels(image: DesiredImage) -> dict[str, str]:
    """Where an image comes from (https://specs.opencontainers.org/image-spec/annotations/)."""
    assert image.recipe is not None
    return {"org.opencontainers.image.title": image.name, "org.opencontainers.image.version": image.tag}
