"""From the list to the lock: what is imported and built, what is left alone, what a failure leaves behind."""

import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rich.console import Console

from scripts.core.errors import OperatorError
from scripts.core.processes import Processes
from scripts.core.progress import Board
from scripts.images.builders.base import Job
from scripts.images.dockerfile.features import Feature
from scripts.images.environment_images import EnvironmentImages
from scripts.images.errors import BuildError
from scripts.images.importers.copy import DirectCopy
from scripts.images.inspection import State
from scripts.images.registry.client import Registry
from scripts.images.registry.manifests import Descriptor, Manifest
from scripts.images.schedule import Task, run_all
from scripts.images.work import Outcome, Work
from stacks.platform.common.catalogue import Image
from tests.support.images.oci_registry import MANIFEST, OciRegistry, digest_of
from tests.support.images.sources import COMPONENTS, pinned, workshop, write_source
from tests.support.patience import PATIENCE_S


class Quiet(Board):
    """Keeps how everything ended."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.finished: dict[str, tuple[str, str]] = {}

    def detail(self, name: str, text: str) -> None: ...

    def end(self, name: str, text: str, outcome: str = "ok") -> None:
        self.finished[name] = (text, outcome)


@dataclass
class LayerBuilder:
    """Makes an image of one layer, the context, and pushes it."""

    name: str = "layer"
    local: bool = True
    lacks: frozenset[Feature] = frozenset()
    built: list[str] = field(default_factory=list)
    failing: tuple[str, ...] = ()

    def build(self, job: Job) -> None:
        if job.recipe.name in self.failing:
            job.log.parent.mkdir(parents=True, exist_ok=True)
            job.log.write_text("compiler error\n")
            raise BuildError(job.recipe.name, "compiler error", job.log)
        registry = Registry(job.target.registry)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(job.folder, arcname=".", filter=_timeless)
        entries = []
        for content in (json.dumps({"config": {"Labels": dict(job.labels)}}).encode(), packed.getvalue()):
            entries.append({"digest": digest_of(content), "size": len(content)})
            registry.put_blob(job.target.repository, Descriptor(digest_of(content), len(content)), [content])
        body = json.dumps({"schemaVersion": 2, "config": entries[0], "layers": entries[1:]}).encode()
        assert job.target.tag
        registry.put_manifest(job.target.repository, job.target.tag, Manifest(MANIFEST, body))
        self.built.append(job.recipe.name)


def _timeless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = 0
    return entry


@pytest.fixture
def registry() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as serving:
        yield serving


@pytest.fixture
def publisher() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as serving:
        yield serving


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source")


def published(publisher: OciRegistry, *names: str) -> dict[str, Image]:
    """Publish images and return how they are pinned."""
    return {
        f"charts/{name}": Image(
            repository=f"{publisher.name}/org/{name}",
            tag="v1",
            digest=publisher.add(f"org/{name}", "v1", name.encode()),
        )
        for name in names
    }


def run(shop: EnvironmentImages, builder: LayerBuilder | None = None, board: Quiet | None = None) -> Outcome:
    work = Work(shop, board or Quiet(), Processes(), builder or LayerBuilder(), DirectCopy(), jobs=2)
    return work.run(shop.inspect())


def test_everything_stands_in_the_registry_and_is_locked_by_digest(
    tmp_path: Path, source: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    images = published(publisher, "one", "two") | pinned(source)
    shop = workshop(tmp_path, images, registry.name)
    outcome = run(shop)
    assert outcome.lock_changed
    assert not outcome.failures
    locked = shop.locked()
    assert set(locked) == set(images)
    for name, entry in locked.items():
        assert registry.tags[entry.repository][entry.tag] == entry.digest, name
    assert locked["charts/one"].digest == images["charts/one"].digest


def test_a_second_run_asks_once_for_each_image_and_changes_nothing(
    tmp_path: Path, source: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    images = published(publisher, "one", "two") | pinned(source)
    run(workshop(tmp_path, images, registry.name))
    registry.requests.clear()
    publisher.requests.clear()
    outcome = run(workshop(tmp_path, images, registry.name))
    assert (outcome.worked_on, outcome.lock_changed) == ((), False)
    assert len(registry.requests) == len(images) + 2, "one for each image, and two that read the shared lock"
    assert {request.partition(" ")[0] for request in registry.requests} == {"HEAD", "GET"}
    assert publisher.requests == []


def test_one_edited_file_rebuilds_exactly_its_image_and_changes_one_line_of_the_lock(
    tmp_path: Path, source: Path, registry: OciRegistry
) -> None:
    shop = workshop(tmp_path, pinned(source), registry.name, source_folder=source)
    run(shop)
    before = shop.lock_path.read_text().splitlines()
    (source / "apps" / "frontend" / "file.txt").write_text("edited\n")
    builder = LayerBuilder()
    again = workshop(tmp_path, pinned(source), registry.name, source_folder=source)
    assert {found.image.name: found.state for found in again.inspect()} == {
        f"app/{name}": State.STALE if name == "frontend" else State.CURRENT for name in COMPONENTS
    }
    run(again, builder)
    after = shop.lock_path.read_text().splitlines()
    assert builder.built == ["app/frontend"]
    assert [line for line in after if line not in before] == [
        line for line in after if "app/frontend" in line or line == '  "serial": 2,'
    ]
    assert len(after) == len(before)


def test_one_failure_lets_the_others_finish_names_the_log_and_leaves_the_lock(
    tmp_path: Path, source: Path, registry: OciRegistry
) -> None:
    shop = workshop(tmp_path, pinned(source), registry.name)
    shop.lock_path.write_text('{"format": 1, "images": {}}\n')
    builder = LayerBuilder(failing=("app/backend",))
    outcome = run(shop, builder)
    assert sorted(builder.built) == ["app/frontend", "app/worker"]
    assert set(outcome.failures) == {"app/backend"}
    assert str(shop.log("app/backend")) in outcome.failures["app/backend"].fix
    assert shop.lock_path.read_text() == '{"format": 1, "images": {}}\n'
    # The next run has only this one left to do.
    builder = LayerBuilder()
    assert run(workshop(tmp_path, pinned(source), registry.name), builder).lock_changed
    assert builder.built == ["app/backend"]


def test_a_registry_that_goes_away_leaves_no_lock_and_the_next_run_continues(
    tmp_path: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    images = published(publisher, "one", "two", "three")
    shop = workshop(tmp_path, images, registry.name)
    findings = shop.inspect()
    registry.fault = lambda request: -1 if request.startswith("PUT") and "/three/" in request else None
    outcome = Work(shop, Quiet(), Processes(), None, DirectCopy()).run(findings)
    assert set(outcome.failures) == {"charts/three"}
    assert "cannot be reached" in str(outcome.failures["charts/three"])
    assert not shop.lock_path.exists()
    registry.fault = lambda _request: None
    assert run(workshop(tmp_path, images, registry.name)).worked_on == ("charts/three",)
    assert len(shop.locked()) == 3


def test_another_content_under_the_tag_is_replaced_by_the_pinned_one(
    tmp_path: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    images = published(publisher, "one")
    shop = workshop(tmp_path, images, registry.name)
    repository = shop.images[0].repository
    registry.add(repository, "v1", b"something else")
    assert shop.inspect()[0].digest is None
    run(shop)
    assert registry.tags[repository]["v1"] == images["charts/one"].digest


def test_a_digest_that_the_publisher_does_not_hold_is_named_with_its_key_and_the_fix(
    tmp_path: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    wrong = f"sha256:{'0' * 64}"
    images = {name: replace(image, digest=wrong) for name, image in published(publisher, "one").items()}
    outcome = run(workshop(tmp_path, images, registry.name))
    failure = outcome.failures["charts/one"]
    assert failure.message == (
        f"helm/images.yaml, charts.one.digest: {publisher.name}/org/one does not hold {wrong}; nothing was imported"
    )
    assert failure.fix == "`llmctl images pin --image charts/one --again` writes what v1 is now"
    assert not outcome.lock_changed


def test_a_publisher_that_does_not_answer_is_not_taken_for_a_wrong_digest(
    tmp_path: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    images = published(publisher, "one")
    publisher.fault = lambda _request: 403
    failure = run(workshop(tmp_path, images, registry.name)).failures["charts/one"]
    assert "digest" not in failure.message


def test_only_what_is_named_is_touched_and_other_entries_stay(
    tmp_path: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    images = published(publisher, "one", "two")
    run(workshop(tmp_path, images, registry.name))
    newer = {**images, "charts/two": replace(images["charts/two"], tag="v2")}
    publisher.tags["org/two"]["v2"] = publisher.tags["org/two"]["v1"]
    shop = workshop(tmp_path, newer, registry.name, names=("charts/two",))
    run(shop)
    assert {name: entry.tag for name, entry in shop.locked().items()} == {"charts/one": "v1", "charts/two": "v2"}


def test_an_image_that_left_the_list_leaves_the_lock(
    tmp_path: Path, registry: OciRegistry, publisher: OciRegistry
) -> None:
    images = published(publisher, "one", "two")
    run(workshop(tmp_path, images, registry.name))
    del images["charts/two"]
    shop = workshop(tmp_path, images, registry.name)
    assert run(shop).lock_changed
    assert set(shop.locked()) == {"charts/one"}


def test_kinds_are_kept_apart(tmp_path: Path, source: Path, registry: OciRegistry, publisher: OciRegistry) -> None:
    images = published(publisher, "one") | pinned(source)
    for kind, expected in (("build", {f"app/{name}" for name in COMPONENTS}), ("import", {"charts/one"})):
        shop = workshop(tmp_path, images, registry.name, kind=kind)
        assert {image.name for image in shop.images} == expected
        run(shop)
    assert set(shop.locked()) == set(images)


def test_images_that_can_be_built_can_be_imported_instead(tmp_path: Path, source: Path, registry: OciRegistry) -> None:
    shop = workshop(tmp_path, pinned(source), registry.name)
    imported = shop.settings.images.model_copy(update={"opik": "import"})
    shop = replace(shop, settings=shop.settings.model_copy(update={"images": imported}))
    assert all(image.recipe is None for image in shop.images)
    assert {image.repository for image in shop.images} == {f"127.0.0.1-9/opik-{name}" for name in COMPONENTS}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format": 2, "images": {}}', '{"format": 1, "images": {"a/b": "a:1"}}', '{"format": 1}'],
)
def test_a_damaged_lock_is_refused_with_the_fix_and_left_alone(
    tmp_path: Path, registry: OciRegistry, publisher: OciRegistry, content: str
) -> None:
    shop = workshop(tmp_path, published(publisher, "one"), registry.name)
    shop.lock_path.write_text(content)
    with pytest.raises(OperatorError, match=r"dev\.images\.lock\.json.*delete it: it is a copy"):
        shop.inspect()
    assert shop.lock_path.read_text() == content


def test_builds_run_side_by_side_only_while_their_memory_fits() -> None:
    together = threading.Barrier(2, timeout=PATIENCE_S)
    third_began = threading.Event()

    def one_of_two() -> bool:
        # Two fit at once, and do run at once: each waits for the other. A third must not begin meanwhile.
        together.wait()
        began = third_began.wait(0.2)
        together.wait()
        return began

    def third() -> bool:
        third_began.set()
        return False

    tasks = [
        Task("image/one", "building", one_of_two, memory_gib=4),
        Task("image/two", "building", one_of_two, memory_gib=4),
        Task("image/three", "building", third, memory_gib=3),
    ]
    results, failures = run_all(tasks, Quiet(), jobs=8, memory_gib=9)
    assert (results, failures) == ({"image/one": False, "image/two": False, "image/three": False}, {})


def test_a_build_that_needs_more_than_there_is_runs_alone() -> None:
    results, _ = run_all([Task("large", "building", lambda: 1, memory_gib=64)], Quiet(), jobs=2, memory_gib=4)
    assert results == {"large": 1}


def test_an_unexpected_error_of_one_task_is_not_swallowed() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_all([Task("broken", "building", broken)], Quiet(), jobs=1, memory_gib=1)
