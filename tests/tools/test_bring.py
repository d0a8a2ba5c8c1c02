"""A program that a machine lacks comes whole and as published, or not at all, and the reason is one sentence."""

import hashlib
import io
import os
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.tools.bring import NEVER, SWITCH, Cache, own_cache, provide
from scripts.tools.catalogue import GoProgram, Tool, descriptions, tool
from scripts.tools.release import UnavailableError, fetch
from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, served

PROGRAM = b"#!/bin/sh\necho it runs\n" + b"#" * 300_000


def zipped(name: str, content: bytes = PROGRAM) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr(name, content)
    return packed.getvalue()


def tarred(name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        entry = tarfile.TarInfo(name)
        entry.size = len(PROGRAM)
        files.addfile(entry, io.BytesIO(PROGRAM))
    return packed.getvalue()


class Releases:
    """A server of releases: what it answers with, and how often it was asked."""

    def __init__(self, body: bytes, *statuses: int, promised: int = 0) -> None:
        self.body, self.statuses, self.promised = body, list(statuses), promised or len(body)
        self.asked: list[str] = []


@contextmanager
def serving(releases: Releases) -> Iterator[str]:
    class Handler(QuietHandler):
        def do_GET(self) -> None:
            releases.asked.append(self.path)
            status = releases.statuses.pop(0) if releases.statuses else 200
            if status != 200:
                self.answer(status)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(releases.promised))
            self.end_headers()
            self.wfile.write(releases.body)
            self.close_connection = True

    with served(Handler) as address:
        yield f"http://{address}"


def described(url: str, body: bytes, *, member: str = "", go: GoProgram | None = None) -> Tool:
    digest = hashlib.sha256(body).hexdigest()
    return Tool("tool", "Tool", "1.2.3", url, member, digest, f"{url}.sha256", "https://example.org/install", go)


def no_go(_wanted: Tool, _target: Path, _told: object) -> None:
    raise UnavailableError("Go is not installed")


def patient(wanted: Tool, target: Path, told: object) -> None:
    fetch(wanted, target, told, wait=lambda _seconds: None)  # type: ignore[arg-type]


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def cache(tmp_path: Path, said: io.StringIO) -> Cache:
    return Cache(tmp_path / "tools", release=patient, by_go=no_go, to=said)


def kept(cache: Cache) -> list[str]:
    """Return everything in the cache but locks."""
    return sorted(path.name for path in cache.folder.rglob("*") if path.is_file() and path.name != ".lock")


@pytest.mark.parametrize(
    ("file", "body", "member"),
    [
        ("tool", PROGRAM, ""),
        ("tool.zip", zipped("bin/linux_amd64/tool"), "bin/linux_amd64/tool"),
        ("tool.tar.gz", tarred("linux-amd64/tool"), "linux-amd64/tool"),
    ],
    ids=["alone", "zip", "tar"],
)
def test_a_release_becomes_a_program(cache: Cache, said: io.StringIO, file: str, body: bytes, member: str) -> None:
    releases = Releases(body)
    with serving(releases) as url:
        wanted = described(f"{url}/{file}", body, member=member)
        found = cache.bring(wanted)
        assert cache.bring(wanted) == found
    assert found == cache.folder / "tool-v1.2.3" / "tool"
    assert found.read_bytes() == PROGRAM
    assert stat.S_IMODE(found.stat().st_mode) == 0o755
    assert kept(cache) == ["tool"]
    assert releases.asked == [f"/{file}"]
    assert said.getvalue().splitlines() == [
        f"Tool 1.2.3 is not installed: comes once into {found.parent}",
        "Tool 1.2.3 is there",
    ]


@pytest.mark.parametrize(
    ("releases", "reason"),
    [
        (Releases(b"<html>log in first</html>"), "its sha256 is"),
        (Releases(PROGRAM, 404), "status 404"),
        (Releases(PROGRAM, 403), "status 403"),
        (Releases(PROGRAM, 503, 503, 503), "status 503"),
        (Releases(PROGRAM[:1000], promised=len(PROGRAM)), "cut off after 1,000 of 300,023 bytes"),
    ],
)
def test_what_is_not_the_release_leaves_nothing(cache: Cache, releases: Releases, reason: str) -> None:
    with serving(releases) as url, pytest.raises(OperatorError) as failed:
        cache.bring(described(f"{url}/tool", PROGRAM))
    assert failed.value.code is ExitCode.NOT_READY
    assert reason in failed.value.message
    assert "\n" not in failed.value.message
    assert failed.value.fix.endswith("install Tool yourself: https://example.org/install")
    assert kept(cache) == []


def test_another_archive_of_the_same_sum_is_refused_too(cache: Cache) -> None:
    body = zipped("README")
    with serving(Releases(body)) as url, pytest.raises(OperatorError, match="no bin/tool can be read in it"):
        cache.bring(described(f"{url}/tool.zip", body, member="bin/tool"))
    assert kept(cache) == []


def test_without_a_network_both_ways_are_named(cache: Cache) -> None:
    wanted = described("http://127.0.0.1:9/tool", PROGRAM)
    with pytest.raises(OperatorError) as failed:
        cache.bring(wanted)
    assert failed.value.message.startswith(
        "Tool 1.2.3 is not installed and cannot be fetched (http://127.0.0.1:9/tool: "
    )
    assert failed.value.message.endswith(") or built (Go is not installed)")


@pytest.mark.parametrize("statuses", [(503,), (429, 500)])
def test_a_busy_server_is_asked_again(cache: Cache, statuses: tuple[int, ...]) -> None:
    releases = Releases(PROGRAM, *statuses)
    with serving(releases) as url:
        assert cache.bring(described(f"{url}/tool", PROGRAM)).read_bytes() == PROGRAM
    assert len(releases.asked) == len(statuses) + 1


@pytest.mark.parametrize("sums", ["", "0" * 64])
def test_where_the_release_cannot_be_taken_go_builds_it(cache: Cache, said: io.StringIO, sums: str) -> None:
    def by_go(wanted: Tool, target: Path, _told: object) -> None:
        target.write_text(f"built {wanted.version}", "utf-8")
        target.chmod(0o755)

    with serving(Releases(PROGRAM)) as url:
        wanted = replace(described(f"{url}/tool", PROGRAM), sha256=sums)
        assert replace(cache, by_go=by_go).bring(wanted).read_text("utf-8") == "built 1.2.3"
    assert "Tool 1.2.3 release: " in said.getvalue()


def test_two_commands_fetch_one_program_once(cache: Cache) -> None:
    releases = Releases(PROGRAM)
    with serving(releases) as url:
        wanted = described(f"{url}/tool", PROGRAM)
        threads = [threading.Thread(target=cache.bring, args=(wanted,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert releases.asked == ["/tool"]
    assert kept(cache) == ["tool"]


def test_a_half_written_program_of_a_killed_run_is_no_program(cache: Cache) -> None:
    folder = cache.folder / "tool-v1.2.3"
    folder.mkdir(parents=True)
    (folder / ".tool.program.1").write_bytes(PROGRAM[:10])
    (folder / "tool").write_bytes(b"")
    with serving(Releases(PROGRAM)) as url:
        assert cache.bring(described(f"{url}/tool", PROGRAM)).read_bytes() == PROGRAM


def test_a_full_or_read_only_disk_is_one_sentence(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "tools").write_text("a file in the folder's place", "utf-8")
    with pytest.raises(OperatorError, match="Tool cannot be kept: "):
        cache.bring(described("http://127.0.0.1:9/tool", PROGRAM))


def test_nothing_is_fetched_where_that_is_forbidden(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperatorError) as failed:
        replace(cache, allowed=False).bring(described("http://127.0.0.1:9/tool", PROGRAM))
    assert failed.value.message == "Tool is not installed, and LLMCTL_FETCH_TOOLS=never forbids to fetch it"
    assert failed.value.fix == "install Tool yourself: https://example.org/install"
    monkeypatch.setenv(SWITCH, NEVER)
    assert not own_cache().allowed
    monkeypatch.delenv(SWITCH)
    assert own_cache().allowed


def test_programs_of_the_machine_come_first(cache: Cache, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "kubectl").write_text("#!/bin/sh\n", "utf-8")
    (own / "kubectl").chmod(0o755)
    brought = cache.path(tool("kubelogin"))
    brought.parent.mkdir(parents=True)
    brought.write_text("#!/bin/sh\n", "utf-8")
    brought.chmod(0o755)
    variables = {"PATH": str(own)}
    provide("kubectl", "kubelogin", cache=cache, variables=variables)
    assert variables["PATH"].split(os.pathsep) == [str(own), str(brought.parent)]


@pytest.mark.parametrize("name", ["terraform", "kubectl", "kubelogin", "helm"])
@pytest.mark.parametrize("where", ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"])
def test_each_program_has_a_checked_way_to_each_machine(name: str, where: str) -> None:
    found = tool(name, where)
    assert found.go, "Go is the way of a platform without a published sum"
    assert found.install.startswith("https://")
    assert "{" not in found.go.nested
    assert found.url.startswith("https://")
    assert "{" not in found.url + found.member + found.published
    if name != "kubectl" or where.startswith("linux"):
        assert len(bytes.fromhex(found.sha256)) == 32


def test_each_platform_has_a_sum_of_its_own() -> None:
    sums = [each for one in descriptions().values() for each in one.get("sha256", {}).values()]
    assert len(sums) == len(set(sums)) == 14
