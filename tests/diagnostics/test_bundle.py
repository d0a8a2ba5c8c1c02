"""A bundle holds what could be had and says what could not; it overwrites nothing and is its owner's alone."""

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.core.errors import OperatorError
from scripts.diagnostics.bundle import collect, write
from scripts.diagnostics.cluster_parts import events
from scripts.diagnostics.redaction import Redaction
from scripts.diagnostics.state_parts import outline

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def failing() -> str:
    raise OperatorError("password=hunter22 was refused", "log in")


def test_part_that_fails_is_named_and_the_rest_is_there() -> None:
    told: list[str] = []
    found = collect([("a.txt", lambda: "fine"), ("b.txt", failing)], Redaction(), told.append)
    assert found.files == {"a.txt": "fine", "not-collected.txt": "b.txt: password=(sensitive) was refused; log in\n"}
    assert sorted(told) == ["a.txt", "b.txt"]


def test_archive_is_its_owner_s_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bug.tar.gz"
    size = write(path, {"a/b.txt": "ä"}, NOW)
    assert (path.stat().st_mode & 0o777, path.stat().st_size) == (0o600, size)
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["bug/a/b.txt"]
        member = archive.extractfile("bug/a/b.txt")
        assert member
        assert member.read() == "ä".encode()
    with pytest.raises(OperatorError, match=r"bug\.tar\.gz exists"):
        write(path, {}, NOW)
    assert path.stat().st_size == size
    with pytest.raises(OperatorError, match="cannot be written: No such file or directory"):
        write(tmp_path / "nowhere" / "bug.tar.gz", {}, NOW)


def test_state_is_told_without_a_value() -> None:
    state = {
        "terraform_version": "1.12.0",
        "serial": 7,
        "outputs": {"password": {"value": "planted-output"}},
        "resources": [
            {
                "mode": "managed",
                "type": "random_password",
                "name": "a",
                "provider": "p",
                "instances": [
                    {"attributes": {"result": "planted-value"}, "status": "tainted"},
                    {"index_key": "x", "attributes": {}, "deposed": "1"},
                ],
            },
            {"mode": "data", "type": "t", "name": "b", "provider": "p", "instances": [{"attributes": {}}]},
        ],
    }
    found = outline(state)
    assert "planted" not in str(found)
    assert found["resources"] == [
        {"address": "random_password.a", "provider": "p", "tainted": True},
        {"address": 'random_password.a["x"]', "provider": "p", "deposed": True},
        {"address": "data.t.b", "provider": "p"},
    ]
    assert (found["serial"], found["outputs"], found["types"]) == (7, ["password"], {"random_password": 1, "t": 1})


def test_events_are_lines_in_their_order() -> None:
    def event(at: str, reason: str) -> dict[str, object]:
        about = {"namespace": "chat", "kind": "Pod", "name": "p"}
        return {"metadata": {}, "lastTimestamp": at, "reason": reason, "type": "Warning", "involvedObject": about}

    lines = events([event("2026-02", "Second"), {**event("2026-01", "First"), "message": "two\nlines", "count": 3}])
    assert lines == "2026-01 Warning chat/Pod/p First x3: two lines\n2026-02 Warning chat/Pod/p Second x1: \n"
