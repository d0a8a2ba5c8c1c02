"""The registry client: protocol, logins, failures."""

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.core.errors import ExitCode
from scripts.images.errors import NotFoundError, RegistryError, UnauthorizedError, UnreachableError
from scripts.images.registry.client import Registry
from scripts.images.registry.copying import Place, copy
from scripts.images.registry.credentials import Login, auth_file, find_login
from scripts.images.registry.references import Reference, api_host, parse
from tests.support.images.oci_registry import OciRegistry
from tests.support.patience import PATIENCE_S

PASSWORD = "correct-horse-battery"


@pytest.fixture
def source() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as registry:
        yield registry


@pytest.fixture
def target() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as registry:
        yield registry


def client(registry: OciRegistry, login: Login | None = None) -> Registry:
    return Registry(registry.name, login, pause=lambda _seconds: None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", Reference("docker.io", "library/nginx")),
        ("altinity/clickhouse-server:25.8", Reference("docker.io", "altinity/clickhouse-server", "25.8")),
        ("ghcr.io/a/b:1@sha256:" + "0" * 64, Reference("ghcr.io", "a/b", "1", "sha256:" + "0" * 64)),
        ("localhost:5000/a:1", Reference("localhost:5000", "a", "1")),
    ],
)
def test_names_follow_the_rules_of_docker_pull(text: str, expected: Reference) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["Ghcr/Upper", "a/b:ta g", "a/b@sha256:12", "a//b", ""])
def test_a_text_that_is_no_image_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not an image"):
        parse(text)


def test_docker_hub_answers_under_its_other_name() -> None:
    assert api_host(parse("nginx:1").registry) == "registry-1.docker.io"


def test_a_copy_keeps_the_digest_and_every_platform(source: OciRegistry, target: OciRegistry) -> None:
    children = {
        "linux/amd64": source.add("app", "amd", b"layer one", b"shared"),
        "linux/arm64": source.add("app", "arm", b"layer two", b"shared"),
    }
    digest = source.add_index("app", "1.0", children)
    sent: list[int] = []
    copied = copy(Place(client(source), "app"), digest, Place(client(target), "mirror/app"), "1.0", sent.append)
    assert copied == digest == target.tags["mirror/app"]["1.0"]
    assert set(target.manifests["mirror/app"]) == {digest, *children.values()}
    assert target.blobs["mirror/app"] == source.blobs["app"]
    assert sum(sent) == sum(len(blob) for blob in target.blobs["mirror/app"].values())


def test_a_copy_that_broke_off_sets_no_tag_and_continues_where_it_stopped(
    source: OciRegistry, target: OciRegistry
) -> None:
    source.add("app", "1.0", b"first", b"second")
    places = Place(client(source), "app"), Place(client(target), "app")
    target.fault = lambda request: -1 if request.startswith("PUT") and len(target.uploads()) > 1 else None
    with pytest.raises(UnreachableError):
        copy(places[0], "1.0", places[1], "1.0")
    assert target.tags["app"] == {}
    target.fault = lambda _request: None
    before = len(target.blobs["app"])
    assert before == 1
    target.requests.clear()
    copy(places[0], "1.0", places[1], "1.0")
    assert len(target.uploads()) == 3 - before
    assert "1.0" in target.tags["app"]


def test_content_that_is_not_what_its_digest_says_is_refused(source: OciRegistry) -> None:
    digest = source.add("app", "1.0", b"layer")
    source.manifests["app"][digest] = (source.manifests["app"][digest][0], b"{}")
    with pytest.raises(RegistryError, match="another content"):
        client(source).manifest("app", digest)


def test_damaged_layers_never_get_a_tag(source: OciRegistry, target: OciRegistry) -> None:
    source.add("app", "1.0", b"layer")
    for digest in source.blobs["app"]:
        source.blobs["app"][digest] = source.blobs["app"][digest][:-1] + b"!"
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        copy(Place(client(source), "app"), "1.0", Place(client(target), "app"), "1.0")
    assert target.tags["app"] == {}


@pytest.mark.parametrize("bearer", [False, True])
def test_both_kinds_of_login_pull_and_push(bearer: bool) -> None:
    with OciRegistry(("me", PASSWORD), bearer=bearer).serving() as registry:
        registry.add("app", "1.0", b"layer")
        known = client(registry, Login("me", PASSWORD))
        copy(Place(known, "app"), "1.0", Place(known, "copy"), "1.0")
        assert registry.tags["copy"]["1.0"] == known.digest("app", "1.0")


@pytest.mark.parametrize("bearer", [False, True])
def test_threads_that_are_challenged_at_once_all_log_in(bearer: bool) -> None:
    with OciRegistry(("me", PASSWORD), bearer=bearer).serving() as registry:
        digest = registry.add("app", "1.0", b"layer")
        known = client(registry, Login("me", PASSWORD))
        refused = threading.Barrier(4, timeout=PATIENCE_S)

        def together(request: str) -> None:
            if request.startswith("HEAD") and registry.requests.count(request) <= refused.parties:
                refused.wait()

        registry.fault = together
        with ThreadPoolExecutor(refused.parties) as pool:
            assert list(pool.map(lambda _number: known.digest("app", "1.0"), range(4))) == [digest] * 4


@pytest.mark.parametrize("bearer", [False, True])
def test_a_wrong_password_is_named_as_such_and_never_shown(bearer: bool) -> None:
    with OciRegistry(("me", PASSWORD), bearer=bearer).serving() as registry:
        login = Login("me", "wrong-password")
        with pytest.raises(UnauthorizedError, match="refuses the login") as caught:
            client(registry, login).digest("app", "1.0")
    assert caught.value.code == ExitCode.NOT_READY
    assert registry.name in caught.value.fix
    assert "wrong-password" not in f"{caught.value}{caught.value.fix}{login!r}"


def test_a_login_is_not_sent_to_the_blob_store_that_a_registry_redirects_to() -> None:
    with OciRegistry(("me", PASSWORD), redirect=True).serving() as registry:
        registry.add("app", "1.0", b"layer")
        known = client(registry, Login("me", PASSWORD))
        manifest = known.manifest("app", "1.0")
        with known.blob("app", manifest.config.digest) as content:
            assert json.loads(b"".join(content))["os"] == "linux"
    stored = [
        headers for request, headers in zip(registry.requests, registry.headers, strict=True) if "/storage/" in request
    ]
    assert len(stored) == 1
    assert "Authorization" not in stored[0]


def test_transient_failures_are_repeated_and_others_are_not(source: OciRegistry) -> None:
    digest = source.add("app", "1.0", b"layer")
    failures = iter([503, 429, -1])
    source.fault = lambda _request: next(failures, None)
    assert client(source).digest("app", "1.0") == digest
    assert len(source.requests) == 4
    source.requests.clear()
    source.fault = lambda _request: 400
    with pytest.raises(RegistryError, match="status 400"):
        client(source).digest("app", "1.0")
    assert len(source.requests) == 1


def test_a_registry_that_stays_broken_is_named(source: OciRegistry) -> None:
    source.fault = lambda _request: -1
    with pytest.raises(UnreachableError, match=f"{source.name} cannot be reached: "):
        client(source).digest("app", "1.0")


def test_nothing_listening_is_one_sentence() -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 cannot be reached: Connection refused"):
        Registry("127.0.0.1:1").digest("app", "1.0")


def test_missing_is_none_for_a_question_and_an_error_for_a_read(source: OciRegistry) -> None:
    assert client(source).digest("app", "1.0") is None
    with pytest.raises(NotFoundError, match="does not hold app:1"):
        client(source).manifest("app", "1.0")


def test_a_digest_that_a_registry_does_not_name_is_the_manifest_s_own_and_none_once_that_is_gone(
    source: OciRegistry,
) -> None:
    digest = source.add("app", "1.0", b"layer")
    source.fault = lambda request: 200 if request.startswith("HEAD") else None
    assert client(source).digest("app", "1.0") == digest
    source.manifests["app"].clear()
    assert client(source).digest("app", "1.0") is None


def test_all_pages_of_tags_are_read(source: OciRegistry) -> None:
    names = [f"1.{number}" for number in range(8)]
    for name in names:
        source.add("app", name, name.encode())
    assert client(source).tags("app") == names
    assert client(source).tags("none") == []


def test_logins_come_from_the_files_of_container_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = base64.b64encode(f"me:{PASSWORD}:with-colon".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"registry.example.com": {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_login("registry.example.com") == Login("me", f"{PASSWORD}:with-colon")
    assert find_login("other.example.com") is None


def test_a_credential_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text('#!/bin/sh\nread key\necho "{\\"Username\\": \\"$key\\", \\"Secret\\": \\"s\\"}"\n')
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {"registry.example.com": "test"}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_login("registry.example.com") == Login("registry.example.com", "s")


def test_logins_for_builders_lie_in_a_private_file_that_vanishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"credsStore": "desktop", "auths": {"kept.example.com": {"auth": "a2VwdA=="}}, "proxies": {"x": 1}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with auth_file({"new.example.com": Login("me", PASSWORD)}) as path:
        assert path.stat().st_mode & 0o077 == 0
        content = json.loads(path.read_text())
        assert set(content["auths"]) == {"kept.example.com", "new.example.com"}
        assert "credsStore" not in content
        assert content["proxies"] == {"x": 1}
    assert not path.exists()
