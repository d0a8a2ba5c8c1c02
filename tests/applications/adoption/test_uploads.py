"""Uploads arrive whole or not at all, and nothing is written over."""

import os
import sys
from pathlib import Path

import pytest

from scripts.applications.adoption.uploads import PROGRAM, AzureShare, LocalFolder, Uploads, folder_of
from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import START, ByCommand, FedProgram
from scripts.core.errors import ExitCode, OperatorError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "1_a.txt").write_bytes(b"first\n" * 1000)
    (folder / "2_empty.txt").write_bytes(b"")
    (folder / "3_ü b.bin").write_bytes(os.urandom(3_000_000))
    return folder


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "uploads"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def uploads(source: Path, share: Path) -> Uploads:
    return Uploads(LocalFolder(source), run_in(share))


def run_in(share: Path) -> FedProgram:
    environment = {"DATA_DIR": str(share.parent), "PATH": os.environ["PATH"]}
    return ByCommand([sys.executable, "-c", START], "the chat", environment)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_files_arrive_as_they_are_and_a_second_run_sends_none(uploads: Uploads, source: Path, share: Path) -> None:
    counted = uploads.look()
    assert (counted["source"], counted["there"], counted["to_take"], counted["bytes"]) == (3, 0, 3, 3_006_000)
    assert content(share) == {}
    assert uploads.take(counted["lacking"], lambda _name: None) == 3
    assert content(share) == content(source)
    assert uploads.look()["lacking"] == []


def test_an_interrupted_run_leaves_no_half_file_and_goes_on(uploads: Uploads, source: Path, share: Path) -> None:
    parts = list(uploads._parts(uploads.look()["lacking"]))
    answers = list(uploads.run(bundled(PROGRAM), {"action": "take"}, parts[:-3]))
    assert "ended too early" in answers[-1]["refused"]
    (share / "3_ü b.bin.adopt-part").write_bytes(b"left by a pod that died")
    lacking = uploads.look()["lacking"]
    assert lacking == ["3_ü b.bin"]
    assert uploads.take(lacking, lambda _name: None) == 1
    assert content(share) == content(source)


def test_a_file_with_another_content_is_never_written_over(uploads: Uploads, share: Path) -> None:
    (share / "1_a.txt").write_text("of somebody here")
    with pytest.raises(OperatorError, match=r"another size, such as 1_a\.txt"):
        uploads.look()
    assert uploads.take(["1_a.txt"], lambda _name: None) == 0
    assert (share / "1_a.txt").read_text() == "of somebody here"


@pytest.mark.parametrize("name", ["../escape", "..", "a/b", ""])
def test_a_name_that_leads_elsewhere_is_refused(uploads: Uploads, share: Path, name: str) -> None:
    data = [b'{"file": "%s", "size": 1, "sha256": ""}\n' % name.encode(), b"x", b'{"end": true}\n']
    answers = list(uploads.run(bundled(PROGRAM), {"action": "take"}, data))
    assert "no name of an upload" in answers[-1]["refused"]
    assert content(share) == {}
    assert not (share.parent / "escape").exists()


def test_what_changed_on_the_way_is_refused(uploads: Uploads, share: Path) -> None:
    data = [b'{"file": "a", "size": 1, "sha256": "0"}\n', b"x", b'{"end": true}\n']
    answers = list(uploads.run(bundled(PROGRAM), {"action": "take"}, data))
    assert "did not arrive as it was read" in answers[-1]["refused"]
    assert content(share) == {}


def test_a_share_is_named_by_account_share_and_folder(tmp_path: Path) -> None:
    assert folder_of("azure:oldfiles/open-webui/data/uploads", tmp_path) == AzureShare(
        "oldfiles", "open-webui", "data/uploads", tmp_path
    )
    with pytest.raises(OperatorError, match="names no share") as caught:
        folder_of("azure:oldfiles", tmp_path)
    assert caught.value.code == ExitCode.USAGE
