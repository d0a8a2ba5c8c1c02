"""The lock file decides what the stacks deploy."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.images.lock import write_lock
from stacks.platform.common.catalogue import Build, Image, images
from stacks.platform.common.image_lock import LockedImage, LockError, lock_file, read_lock, render_lock
from stacks.platform.common.images import deployed_images, login_server, resolve
from stacks.platform.components.gpu.release import dcgm_exporter
from stacks.settings import load_settings
from tests.support.cli.environment_folder import copy_environments
from tests.support.stacks.components import images_of
from tests.support.stacks.synthesis import synthesize

ROOT = Path(__file__).parents[2]
BUILD = Build(git="https://example.com/source.git", context="apps/b")


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def lock_everything() -> dict[str, LockedImage]:
    """Return a lock of every image: by the pinned digest, and what is built by the tag and digest of a build."""
    return {
        name: LockedImage(f"mirror/{name}", f"{image.tag}-3f9c", digest(number))
        if image.build
        else LockedImage(f"mirror/{name}", image.tag, image.digest or digest(number))
        for number, (name, image) in enumerate(sorted(images().items()))
    }


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy_environments(tmp_path, monkeypatch)
    return tmp_path


def releases(outdir: Path) -> dict[str, Any]:
    stack = synthesize(load_settings("dev"), outdir).stacks["platform"]
    found: dict[str, Any] = stack["resource"]["helm_release"]
    return found


def test_without_a_lock_images_come_from_upstream_by_their_pinned_tag(environments: Path) -> None:
    assert list(environments.glob("*.lock.json")) == []
    settings = load_settings("dev")
    assert deployed_images(settings.name, settings.azure_names) == images()


@pytest.mark.usefixtures("environments")
def test_a_digest_wins_over_the_tag_and_the_registry_is_the_environment_s_own() -> None:
    settings = load_settings("dev")
    write_lock(lock_file("dev"), lock_everything())
    for name, image in deployed_images(settings.name, settings.azure_names).items():
        assert image.repository == f"{login_server(settings.azure_names)}/mirror/{name}"
        assert image.values()["tag"] == f"{lock_everything()[name].tag}@{lock_everything()[name].digest}"
    assert dcgm_exporter(images_of(settings))["image"]["repository"].startswith(login_server(settings.azure_names))


@pytest.mark.usefixtures("environments")
@pytest.mark.slow
def test_every_release_deploys_by_digest_and_one_changed_digest_changes_exactly_one(tmp_path: Path) -> None:
    locked = lock_everything()
    write_lock(lock_file("dev"), locked)
    before = releases(tmp_path / "before")
    text = json.dumps(before)
    used = {name for name, image in locked.items() if image.digest in text}
    assert {"cert-manager/controller", "external-secrets/operator", "nginx-ingress/controller"} <= used
    assert not any(f"{image.repository}:" in text for image in images().values()), "nothing is pulled from upstream"
    built = locked["opik/frontend"]
    changed = {**locked, "opik/frontend": LockedImage(built.repository, built.tag, digest(999))}
    write_lock(lock_file("dev"), changed)
    after = releases(tmp_path / "after")
    assert [name for name in before if before[name] != after[name]] == ["opik"]


def test_an_image_that_is_not_locked_yet_stays_upstream() -> None:
    pinned = {
        "a/b": Image(repository="docker.io/org/b", tag="v1"),
        "a/c": Image(repository="docker.io/org/c", tag="v1"),
    }
    found = resolve(pinned, {"a/c": LockedImage("mirror/c", "v1", digest(1))}, "registry.example.com")
    assert found["a/b"] == pinned["a/b"]
    assert found["a/c"].repository == "registry.example.com/mirror/c"


@pytest.mark.parametrize(
    ("image", "locked", "applies"),
    [
        (Image(repository="docker.io/org/b", tag="2.1"), LockedImage("b", "2.1", digest(1)), True),
        (Image(repository="docker.io/org/b", tag="2.1"), LockedImage("b", "2.0", digest(1)), False),
        (Image(repository="docker.io/org/b", tag="2.1", digest=digest(1)), LockedImage("b", "2.1", digest(1)), True),
        (Image(repository="docker.io/org/b", tag="2.1", digest=digest(2)), LockedImage("b", "2.1", digest(1)), False),
        (Image(repository="docker.io/org/b", tag="2.1", build=BUILD), LockedImage("b", "2.1-3f9c", digest(1)), True),
        (Image(repository="docker.io/org/b", tag="2.1", build=BUILD), LockedImage("b", "2.10-3f9c", digest(1)), False),
        (Image(repository="docker.io/org/b", tag="2.1"), LockedImage("b", "2.1-3f9c", digest(1)), False),
    ],
)
def test_a_lock_of_another_version_has_no_effect(image: Image, locked: LockedImage, applies: bool) -> None:
    found = resolve({"a/b": image}, {"a/b": locked}, "registry.example.com")["a/b"]
    assert (found.digest == locked.digest and found.repository == "registry.example.com/b") is applies
    assert applies or found == image


def test_a_lock_file_reads_as_it_was_written_and_its_order_is_fixed(tmp_path: Path) -> None:
    locked = lock_everything()
    path = tmp_path / "dev.images.lock.json"
    assert write_lock(path, locked)
    assert read_lock(path) == locked
    assert not write_lock(path, dict(reversed(locked.items())))
    assert render_lock(locked) == render_lock(dict(reversed(locked.items())))


def test_a_crash_while_writing_leaves_the_old_lock_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dev.images.lock.json"
    write_lock(path, lock_everything())
    before = path.read_bytes()

    def crash(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="No space"):
        write_lock(path, {})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
def test_a_damaged_lock_stops_synthesis_with_one_sentence(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from stacks.settings.file import loading; "
        "loading.ENVIRONMENTS = Path(sys.argv[1]); import main; main.main()"
    )
    shutil.copy(ROOT / "environments" / "dev.yaml", tmp_path)
    (tmp_path / "dev.images.lock.json").write_text("{")
    (tmp_path / "out").mkdir()
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PLATFORM_ENV": "dev", "CDKTF_OUTDIR": str(tmp_path / "out" / "dev")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 4
    message = run.stderr.strip().splitlines()[-1]
    assert message.startswith("environments/dev.images.lock.json is not a lock file; delete it: it is a copy")
    assert "Traceback" not in run.stderr


def test_committed_lock_files_can_be_read() -> None:
    for path in (ROOT / "environments").glob("*.images.lock.json"):
        try:
            read_lock(path)
        except LockError as error:
            pytest.fail(str(error))
