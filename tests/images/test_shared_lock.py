"""The image lock in the registry: every checkout finds the digest of its own version, and nobody undoes another's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.images import shared_lock
from scripts.images.registry.client import Registry
from scripts.images.registry.document import TAG
from scripts.images.registry.manifests import Manifest
from scripts.images.shared_lock import DOCUMENT, REPOSITORY, SharedLock, publish, read
from stacks.platform.common.catalogue import Build, Image
from stacks.platform.common.image_lock import LockedImage, read_lock
from tests.support.images.oci_registry import OciRegistry
from tests.support.images.sources import workshop

OLDER = Image(repository="docker.io/acme/app", tag="1.0.0")
NEWER = Image(repository="docker.io/acme/app", tag="1.1.0")


def locked(tag: str, content: str) -> LockedImage:
    return LockedImage("acme/app", tag, f"sha256:{content * 64}")


@pytest.fixture
def registry() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as served:
        yield served


def client(registry: OciRegistry) -> Registry:
    return Registry(registry.name, pause=lambda _seconds: None)


def test_a_second_checkout_deploys_what_the_first_has_locked(registry: OciRegistry, tmp_path: Path) -> None:
    publish(client(registry), {"app/app": locked("1.0.0", "a")})
    other = workshop(tmp_path, {"app/app": OLDER}, registry.name)
    assert other.bring_lock()
    assert other.locked() == {"app/app": locked("1.0.0", "a")}
    assert not other.bring_lock(), "the copy is current"


def test_an_older_checkout_keeps_the_digest_of_its_version_after_a_newer_one_is_locked(registry: OciRegistry) -> None:
    publish(client(registry), {"app/app": locked("1.0.0", "a")})
    publish(client(registry), {"app/app": locked("1.1.0", "b")})
    shared = read(client(registry))
    assert shared
    assert shared.fitting({"app/app": OLDER}) == ({"app/app": locked("1.0.0", "a")}, 1)
    assert shared.fitting({"app/app": NEWER}) == ({"app/app": locked("1.1.0", "b")}, 2)
    assert shared.fitting({"app/app": Image(repository="x", tag="9.9.9")}) == ({}, 0)


def test_of_two_builds_of_one_version_the_later_one_counts_for_everybody(registry: OciRegistry) -> None:
    first, second = locked("1.0.0-aaaa", "a"), locked("1.0.0-bbbb", "b")
    built = Image(repository="x", tag="1.0.0", build=Build(git="g", context="c"))
    publish(client(registry), {"app/app": first})
    publish(client(registry), {"app/app": second})
    # Somebody with the older recipe locks again, which is not newer for that.
    again = publish(client(registry), {"app/app": first})
    assert again.fitting({"app/app": built}) == ({"app/app": second}, 2)
    assert (again.serial_of({"app/app": first}), again.serial_of({"app/app": second})) == (1, 2)


def test_locking_what_is_locked_writes_nothing(registry: OciRegistry) -> None:
    publish(client(registry), {"app/app": locked("1.0.0", "a")})
    registry.requests.clear()
    publish(client(registry), {"app/app": locked("1.0.0", "a")})
    assert [request for request in registry.requests if not request.startswith("GET")] == []


class Interrupted(Registry):
    """Somebody else writes their lock between our reading and our writing, once."""

    others: SharedLock | None = None

    def put_manifest(self, repository: str, selector: str, manifest: Manifest) -> None:
        """Store ours, and then theirs over it."""
        super().put_manifest(repository, selector, manifest)
        if self.others and selector == TAG:
            theirs, self.others = self.others, None
            DOCUMENT.write(self, shared_lock._rendered(theirs))


def test_two_who_lock_at_once_lose_nothing(registry: OciRegistry) -> None:
    ours = Interrupted(registry.name)
    ours.others = SharedLock().with_locked({"app/other": locked("2.0.0", "c")})
    publish(ours, {"app/app": locked("1.0.0", "a")})
    found = read(client(registry))
    assert found
    assert {name: [str(image) for _, image in entries] for name, entries in found.images.items()} == {
        "app/app": [str(locked("1.0.0", "a"))],
        "app/other": [str(locked("2.0.0", "c"))],
    }


def test_nobody_has_shared_a_lock_yet_so_the_copy_stays(registry: OciRegistry, tmp_path: Path) -> None:
    shop = workshop(tmp_path, {"app/app": OLDER}, registry.name)
    shop.lock_path.write_text('{"format": 1, "images": {}}\n')
    assert not shop.bring_lock()
    assert read_lock(shop.lock_path) == {}


def test_a_registry_that_does_not_answer_is_one_sentence_and_no_fallback(tmp_path: Path) -> None:
    shop = workshop(tmp_path, {"app/app": OLDER}, "127.0.0.1:1")
    with pytest.raises(OperatorError) as caught:
        shop.bring_lock()
    assert caught.value.message.startswith("which images are deployed cannot be read from 127.0.0.1:1: ")
    assert "\n" not in caught.value.message
    assert caught.value.code is ExitCode.NOT_READY
    assert not shop.lock_path.exists()


@pytest.mark.parametrize("content", ['{"format": 9}', "[]", "no json"])
def test_what_is_no_lock_is_told_and_never_read_as_an_empty_one(registry: OciRegistry, content: str) -> None:
    publish(client(registry), {"app/app": locked("1.0.0", "a")})
    (digest,) = [d for d in registry.blobs[REPOSITORY] if d != digest_of_empty()]
    changed = content.encode()
    registry.blobs[REPOSITORY][digest] = changed
    with pytest.raises(OperatorError, match="is no image lock that this version reads") as caught:
        read(client(registry))
    assert "nothing was planned or changed" in caught.value.fix


def digest_of_empty() -> str:
    return "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_the_artifact_is_what_registries_expect(registry: OciRegistry) -> None:
    """image-spec 1.1, guidance for artifacts: an empty configuration, and the type of the artifact."""
    publish(client(registry), {"app/app": locked("1.0.0", "a")})
    _, body = registry.manifests[REPOSITORY][registry.tags[REPOSITORY][TAG]]
    manifest = json.loads(body)
    assert manifest["artifactType"] == "application/vnd.llm-platform.image-lock.v1+json"
    assert manifest["config"] == {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": digest_of_empty(),
        "size": 2,
    }
    assert len(manifest["layers"]) == 1
