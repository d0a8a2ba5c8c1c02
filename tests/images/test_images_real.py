"""A real registry and a real builder: what is promised when they are killed, stopped or refuse the login.

Images are made from nothing (`FROM scratch`), so that nothing is pulled.
"""

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.deployment.image_step import Tools, ensure
from scripts.images.builders.local import Buildah
from scripts.images.environment_images import EnvironmentImages
from scripts.images.importers.base import Importer
from scripts.images.importers.copy import DirectCopy, ToolCopy
from scripts.images.inspection import size_bytes
from scripts.images.prune import superseded
from scripts.images.work import Outcome, Work
from scripts.lab.bench.loopback import RealRegistry, buildah_environment, registry_program, running
from stacks.platform.common.catalogue import Image
from tests.support.images.sources import COMPONENTS, VERSION, built, commit, pinned, workshop, write_source
from tests.support.patience import PATIENCE_S

from .test_images_work import Quiet

pytestmark = [
    pytest.mark.images,
    pytest.mark.skipif(registry_program() is None, reason="no registry program: install docker-registry or crane"),
    pytest.mark.skipif(shutil.which("buildah") is None, reason="no builder: install buildah"),
]
ROOT = Path(__file__).parents[2]
LARGE_BYTES = 40 * 1024 * 1024
DEADLINE_S = PATIENCE_S
# htpasswd of user `me`, password `right-password`, cost 4.
HTPASSWD = "me:$2b$04$LlgGQDeGPrf.IE4LYNwDkOUERj0evI5F.CKtREt0kPBmp7JwV7kC2\n"


@pytest.fixture(autouse=True)
def _builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in buildah_environment(tmp_path / "buildah").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RealRegistry]:
    with running(tmp_path / "registry") as found:
        yield found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source")


def run(shop: EnvironmentImages, importer: Importer | None = None) -> Outcome:
    return Work(shop, Quiet(), Processes(), Buildah(), importer or DirectCopy(), jobs=2).run(shop.inspect())


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {DEADLINE_S} s"
        time.sleep(0.005)


def fill(folder: Path) -> None:
    """Make a context large, with content that does not compress."""
    with (folder / "large.bin").open("wb") as file:
        for _ in range(LARGE_BYTES // (1 << 20)):
            file.write(os.urandom(1 << 20))
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "COPY large.bin /large.bin\n")


def test_images_are_built_pushed_and_locked_by_the_digest_that_the_registry_gives(
    tmp_path: Path, source: Path, registry: RealRegistry
) -> None:
    shop = workshop(tmp_path, pinned(source), registry.name)
    outcome = run(shop)
    assert outcome.failures == {}
    for name, entry in shop.locked().items():
        manifest = shop.registry.manifest(entry.repository, entry.digest)
        with shop.registry.blob(entry.repository, manifest.config.digest) as content:
            labels = json.loads(b"".join(content))["config"]["Labels"]
        assert labels["version"] == VERSION, "the build argument reaches the build"
        assert labels["org.opencontainers.image.title"] == name
        assert size_bytes(shop.registry, entry.repository, entry.digest, "linux/amd64") > 0
        assert "STEP 1" in shop.log(name).read_text()


def test_one_edited_file_rebuilds_and_pushes_exactly_its_image(
    tmp_path: Path, source: Path, registry: RealRegistry
) -> None:
    run(workshop(tmp_path, pinned(source), registry.name, source_folder=source))
    before, stored = workshop(tmp_path, {}, registry.name).locked(), registry.stored_bytes()
    (source / "apps" / "worker" / "file.txt").write_text("edited\n")
    shop = workshop(tmp_path, pinned(source), registry.name, source_folder=source)
    assert run(shop).worked_on == ("app/worker",)
    assert {name for name, entry in shop.locked().items() if entry != before[name]} == {"app/worker"}
    assert registry.stored_bytes() - stored < 10_000
    assert run(workshop(tmp_path, pinned(source), registry.name, source_folder=source)).worked_on == ()


def test_a_failing_build_names_its_log_and_the_others_are_finished(
    tmp_path: Path, source: Path, registry: RealRegistry
) -> None:
    dockerfile = source / "apps" / "backend" / "Dockerfile"
    good = dockerfile.read_text()
    dockerfile.write_text(good + "COPY absent.txt /absent.txt\n")
    shop = workshop(tmp_path, pinned(source), registry.name, source_folder=source)
    outcome = run(shop)
    assert set(outcome.failures) == {"app/backend"}
    assert "absent.txt" in shop.log("app/backend").read_text()
    assert "buildah ended with status" in str(outcome.failures["app/backend"])
    assert not shop.lock_path.exists()
    dockerfile.write_text(good)
    assert run(workshop(tmp_path, pinned(source), registry.name, source_folder=source)).worked_on == ("app/backend",)


@pytest.mark.parametrize("tool", ["direct", "skopeo", "crane"])
def test_imports_keep_the_digest(tmp_path: Path, source: Path, registry: RealRegistry, tool: str) -> None:
    if tool != "direct" and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    run(workshop(tmp_path, pinned(source), registry.name))
    built = workshop(tmp_path, {}, registry.name).locked()["app/backend"]
    with running(tmp_path / "target") as target:
        image = Image(repository=f"{registry.name}/{built.repository}", tag=built.tag, digest=built.digest)
        shop = workshop(tmp_path / "imports", {"charts/one": image}, target.name)
        shop.cache.mkdir(parents=True)
        outcome = run(shop, DirectCopy() if tool == "direct" else ToolCopy("crane" if tool == "crane" else "skopeo"))
        assert outcome.failures == {}
        assert shop.locked()["charts/one"].digest == built.digest


@pytest.mark.parametrize("tool", ["direct", "skopeo", "crane"])
def test_a_digest_that_the_publisher_does_not_hold_stops_import_and_deployment_in_a_sentence(
    tmp_path: Path, source: Path, registry: RealRegistry, tool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if tool != "direct" and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    run(workshop(tmp_path, pinned(source), registry.name))
    built = workshop(tmp_path, {}, registry.name).locked()["app/backend"]
    wrong = f"sha256:{'0' * 64}"
    with running(tmp_path / "target") as target:
        image = Image(repository=f"{registry.name}/{built.repository}", tag=built.tag, digest=wrong)
        shop = workshop(tmp_path / "imports", {"charts/one": image}, target.name)
        shop.cache.mkdir(parents=True)
        # What a deployment runs between the registry and the cluster.
        with pytest.raises(OperatorError, match="1 of 1 images failed; the lock file is as it was"):
            ensure(shop, Tools(importer=tool), Processes())
        assert not shop.lock_path.exists()
        assert shop.registry.tags(shop.images[0].repository) == []
    said = " ".join(capsys.readouterr().err.split())
    assert (
        f"helm/images.yaml, charts.one.digest: {registry.name}/{built.repository} does not hold {wrong};"
        f" nothing was imported `llmctl images pin --image charts/one --again` writes what {built.tag} is now"
    ) in said


@pytest.mark.skipif((registry_program() or "").endswith("crane"), reason="crane's registry has no logins")
def test_a_wrong_password_is_said_and_neither_shown_nor_logged(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "guarded", HTPASSWD) as registry:
        log_in(tmp_path, registry, "wrong-password")
        shop = workshop(tmp_path, pinned(source), registry.name)
        with pytest.raises(OperatorError, match=f"{registry.name} refuses the login") as caught:
            run(shop)
        assert caught.value.code == ExitCode.NOT_READY
        log_in(tmp_path, registry, "right-password")
        shop = workshop(tmp_path, pinned(source), registry.name)
        seen = watch_arguments(monkeypatch)
        assert run(shop).failures == {}
        everything = "".join(file.read_text() for file in shop.cache.rglob("*.log")) + " ".join(seen)
        assert "STEP" in everything
        assert "right-password" not in everything
        assert base64.b64encode(b"me:right-password").decode() not in everything


def log_in(folder: Path, registry: RealRegistry, password: str) -> None:
    (folder / "docker").mkdir(exist_ok=True)
    auth = base64.b64encode(f"me:{password}".encode()).decode()
    (folder / "docker" / "config.json").write_text(json.dumps({"auths": {registry.name: {"auth": auth}}}))


def watch_arguments(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list in which every argument of a started program will stand."""
    seen: list[str] = []
    original = subprocess.Popen.__init__

    def noting(self: object, args: list[str], *more: object, **options: object) -> None:
        seen.extend(args)
        original(self, args, *more, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", noting)
    return seen


@pytest.mark.skipif((registry_program() or "").endswith("crane"), reason="crane's registry shows no uploads")
def test_a_registry_stopped_in_mid_push_leaves_no_lock_and_the_next_run_continues(
    tmp_path: Path, source: Path, registry: RealRegistry
) -> None:
    fill(source / "apps" / "backend")
    shop = workshop(tmp_path, pinned(source, ("backend",)), registry.name, source_folder=source)
    findings = shop.inspect()
    stopped = threading.Event()

    def stop_when_uploading() -> None:
        until(registry.uploading, "the upload")
        registry.stop()
        stopped.set()

    watcher = threading.Thread(target=stop_when_uploading)
    watcher.start()
    with pytest.raises(OperatorError, match="cannot be reached"):
        # The build's own failure comes first; then the registry is asked what stands in it.
        Work(shop, Quiet(), Processes(), Buildah(), None).run(findings)
    watcher.join()
    assert stopped.is_set()
    assert not shop.lock_path.exists()
    registry.start()
    again = workshop(tmp_path, pinned(source, ("backend",)), registry.name, source_folder=source)
    assert run(again).failures == {}
    assert set(again.locked()) == {"app/backend"}


DRIVER = """
import sys
from pathlib import Path
from scripts.core.processes import Processes
from scripts.deployment.image_step import Tools, ensure
from scripts.images.builders.local import Buildah
from scripts.images.work import Work
from tests.support.images.sources import pinned, workshop
from tests.images.test_images_work import Quiet
folder, source, registry = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
shop = workshop(folder, pinned(source), registry, source_folder=source)
Work(shop, Quiet(), Processes(), Buildah(), None, jobs=1).run(shop.inspect())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_killed_in_mid_build_the_lock_is_untouched_and_the_next_run_continues(
    tmp_path: Path, source: Path, registry: RealRegistry, number: signal.Signals
) -> None:
    shop = workshop(tmp_path, pinned(source), registry.name, source_folder=source)
    run(shop)
    before = shop.lock_path.read_bytes()
    for component in COMPONENTS:
        fill(source / "apps" / component)
    log = shop.log("app/backend")
    log.unlink()
    command = [sys.executable, "-c", DRIVER, str(tmp_path), str(source), registry.name]
    with (tmp_path / "driver.log").open("wb") as output:
        driver = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    until(lambda: log.is_file() and "COPY large.bin" in log.read_text(), "the build")
    assert driver.poll() is None
    driver.send_signal(number)
    assert driver.wait(DEADLINE_S) != 0
    assert shop.lock_path.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".*lock.json*")] == [], "no temporary lock file is left"
    if number != signal.SIGKILL:
        assert not any("buildah" in process for process in processes_below(tmp_path)), "no builder outlives the run"
    again = workshop(tmp_path, pinned(source), registry.name, source_folder=source)
    assert run(again).failures == {}
    assert shop.lock_path.read_bytes() != before
    assert {entry.tag for entry in again.locked().values()} == {image.tag for image in again.images}


def processes_below(folder: Path) -> list[str]:
    """Return the command lines of processes that name `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.skipif(
    (registry_program() or "").endswith("crane"), reason="crane's registry keeps tags of what is deleted"
)
def test_pruning_keeps_what_is_locked_and_the_newest(tmp_path: Path, source: Path, registry: RealRegistry) -> None:
    tags = []
    for number in range(4):
        (source / "apps" / "backend" / "file.txt").write_text(f"{number}\n")
        shop = workshop(tmp_path, pinned(source, ("backend",)), registry.name, source_folder=source)
        run(shop)
        tags.append(shop.images[0].tag)
        if number == 0:
            first = shop.locked()
    old = superseded(shop.registry, ["app/backend"], [shop.locked(), first], keep=2)
    assert [version.tag for version in old] == [tags[1]]
    for version in old:
        shop.registry.delete_manifest(version.repository, version.digest)
    assert set(shop.registry.tags("app/backend")) == {tags[0], tags[2], tags[3]}
    assert superseded(shop.registry, ["app/backend"], [shop.locked(), first], keep=2) == []


ARCHIVE = "FROM scratch\nENV ASSET=archive\nCOPY *${ASSET}.tar.gz ./images/${ASSET}.tar.gz\nCOPY file.txt /file.txt\n"
"""As Opik's Python backend copies the archive of its sandbox, which is in no context."""
UNABLE = {
    "an empty pattern": ARCHIVE,
    "empty patterns in JSON": 'FROM scratch\nCOPY ["*.none", "*.lock", "/x/"]\n',
    "an option": "FROM scratch\nCOPY --parents file.txt /x/\n",
}


@pytest.mark.parametrize("shape", UNABLE)
def test_what_is_refused_beforehand_is_what_the_real_builder_fails_at(
    shape: str, tmp_path: Path, source: Path, registry: RealRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "apps" / "backend" / "Dockerfile").write_text(UNABLE[shape])
    commit(source, VERSION)
    shop = workshop(tmp_path, pinned(source, ("backend",)), registry.name)
    with pytest.raises(OperatorError, match="buildah cannot build apps/backend/Dockerfile: line"):
        run(shop)
    assert not shop.log("app/backend").exists(), "it was refused before building"
    monkeypatch.setattr(Buildah, "lacks", frozenset())
    outcome = run(shop)
    assert set(outcome.failures) == {"app/backend"}, shop.log("app/backend").read_text()


def test_an_added_file_lets_the_real_builder_build_what_copies_it(
    tmp_path: Path, source: Path, registry: RealRegistry
) -> None:
    (source / "apps" / "backend" / "Dockerfile").write_text(ARCHIVE)
    commit(source, VERSION)
    image = built(source, "backend", args={}, files={"archive.tar.gz": ""})
    shop = workshop(tmp_path, {"app/backend": image}, registry.name)
    assert run(shop).failures == {}
    (entry,) = shop.locked().values()
    manifest = shop.registry.manifest(entry.repository, entry.digest)
    names: dict[str, int] = {}
    for layer in manifest.blobs()[:-1]:
        with shop.registry.blob(entry.repository, layer.digest) as content:
            packed = io.BytesIO(b"".join(content))
        with tarfile.open(fileobj=packed) as archive:
            names |= {member.name: member.size for member in archive if member.isfile()}
    assert names["images/archive.tar.gz"] == 0
    assert names["file.txt"] > 0


ABLE = {
    "the usual frontend": "# syntax=docker/dockerfile:1\nFROM scratch\nCOPY file.txt /file.txt\n",
    "one pattern of two that matches": 'FROM scratch\nCOPY ["file.txt", "*.lock", "/x/"]\n',
    "a pattern that matches": "FROM scratch\nCOPY f*.txt /x/\n",
    "a pattern that matches a folder": "FROM scratch\nCOPY fold* /x/\n",
    "owner and mode": "FROM scratch\nCOPY --chown=1001:1001 --chmod=0555 file.txt /file.txt\n",
    "comments within an instruction": "FROM scratch\nENV A=1 \\\n    # why\n    B=2\nCOPY file.txt /file.txt\n",
}


@pytest.mark.parametrize("shape", ABLE)
def test_what_is_not_refused_the_real_builder_builds(
    shape: str, tmp_path: Path, source: Path, registry: RealRegistry
) -> None:
    (source / "apps" / "backend" / "folder").mkdir()
    (source / "apps" / "backend" / "folder" / "inner.txt").write_text("inner\n")
    (source / "apps" / "backend" / "Dockerfile").write_text(ABLE[shape])
    commit(source, VERSION)
    shop = workshop(tmp_path, {"app/backend": built(source, "backend", args={})}, registry.name)
    assert run(shop).failures == {}, shop.log("app/backend").read_text()
