"""What an image is that the list knows by a tag alone, its first import decides; a real registry and real tools."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli.images.commands import app
from scripts.core.errors import OperatorError
from scripts.core.processes import Processes
from scripts.deployment.image_step import Tools, ensure
from scripts.images.environment_images import EnvironmentImages
from scripts.images.imported import imported
from scripts.images.registry.client import Registry
from scripts.images.registry.manifests import Descriptor, Manifest, digest_of
from scripts.images.upstream import Upstream
from scripts.lab.bench.loopback import registry_program, running
from stacks.platform.common.catalogue import Image
from stacks.platform.common.image_lock import LockedImage
from tests.support.images.sources import workshop

pytestmark = [
    pytest.mark.images,
    pytest.mark.skipif(registry_program() is None, reason="no registry program: install docker-registry or crane"),
]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
WHERE = "org/one"


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Registry]:
    with running(tmp_path / "publisher") as found:
        yield Registry.connect(found.name)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Registry]:
    with running(tmp_path / "own") as found:
        yield Registry.connect(found.name)


def publish(registry: Registry, content: bytes) -> str:
    """Store an image of one layer under the tag 1.0 and return its digest."""
    blobs = []
    for kind, data in (("config.v1+json", b'{"os": "linux", "architecture": "amd64"}'), ("layer.v1.tar", content)):
        registry.put_blob(WHERE, Descriptor(digest_of(data), len(data)), [data])
        media_type = f"application/vnd.oci.image.{kind}"
        blobs.append({"mediaType": media_type, "digest": digest_of(data), "size": len(data)})
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blobs[0], "layers": blobs[1:]}
    manifest = Manifest(MANIFEST, json.dumps(body).encode())
    registry.put_manifest(WHERE, "1.0", manifest)
    return manifest.digest


def checkout(folder: Path, publisher: Registry, own: Registry) -> EnvironmentImages:
    images = {"charts/one": Image(repository=f"{publisher.name}/{WHERE}", tag="1.0")}
    shop = workshop(folder, images, own.name)
    shop.cache.mkdir(parents=True, exist_ok=True)
    return shop


@pytest.mark.parametrize("tool", ["skopeo", "crane"])
def test_the_first_import_decides_for_every_checkout_whatever_the_tag_names_later(
    tmp_path: Path, publisher: Registry, own: Registry, tool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    first = publish(publisher, b"first")
    one = checkout(tmp_path / "one", publisher, own)
    ensure(one, Tools(importer=tool), Processes())
    assert "1 images are known by tag only" in " ".join(capsys.readouterr().err.split())
    mirror = one.images[0].repository
    publish(publisher, b"second")
    own.delete_manifest(mirror, first)
    two = checkout(tmp_path / "two", publisher, own)
    ensure(two, Tools(importer=tool), Processes())
    assert two.locked()["charts/one"].digest == first == own.digest(mirror, "1.0")


def test_another_content_under_the_tag_of_the_own_registry_is_not_locked_but_brought_back(
    tmp_path: Path, publisher: Registry, own: Registry
) -> None:
    first = publish(publisher, b"first")
    one = checkout(tmp_path / "one", publisher, own)
    ensure(one, Tools(importer="direct"), Processes())
    mirror = one.images[0].repository
    body = json.loads(own.manifest(mirror, "1.0").body)
    replaced = Manifest(MANIFEST, json.dumps(body | {"annotations": {"by": "somebody"}}).encode())
    own.put_manifest(mirror, "1.0", replaced)
    assert own.digest(mirror, "1.0") == replaced.digest != first
    ensure(checkout(tmp_path / "one", publisher, own), Tools(importer="direct"), Processes())
    assert own.digest(mirror, "1.0") == first
    assert one.locked()["charts/one"].digest == first


def test_a_first_content_that_its_publisher_has_no_more_is_said_with_the_way_on(
    tmp_path: Path, publisher: Registry, own: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    first = publish(publisher, b"first")
    one = checkout(tmp_path / "one", publisher, own)
    ensure(one, Tools(importer="direct"), Processes())
    publish(publisher, b"second")
    publisher.delete_manifest(WHERE, first)
    own.delete_manifest(one.images[0].repository, first)
    capsys.readouterr()
    with pytest.raises(OperatorError, match="1 of 1 images failed; the lock file is as it was"):
        ensure(checkout(tmp_path / "one", publisher, own), Tools(importer="direct"), Processes())
    assert own.tags(one.images[0].repository) == []
    said = " ".join(capsys.readouterr().err.split())
    assert (
        f"image lock, charts/one: {publisher.name}/{WHERE} does not hold {first}; nothing was imported"
        " `llmctl images pin --image charts/one` writes what 1.0 is now"
    ) in said


def test_the_lock_of_an_environment_gives_the_digests_of_what_it_imported_and_of_nothing_else(
    tmp_path: Path, publisher: Registry, own: Registry
) -> None:
    first = publish(publisher, b"first")
    one = checkout(tmp_path / "one", publisher, own)
    ensure(one, Tools(importer="direct"), Processes())
    shared = checkout(tmp_path / "two", publisher, own).shared()
    taken = Upstream("image", "charts/one", f"{publisher.name}/{WHERE}:1.0", None)
    others = [
        Upstream("image", "charts/one", f"{publisher.name}/{WHERE}:2.0", None),
        Upstream("image", "charts/one", f"{publisher.name}/org/other:1.0", None),
        Upstream("image", "charts/two", f"{publisher.name}/{WHERE}:1.0", None),
        Upstream("source", "charts/one", "https://git.example/one#1.0", None),
    ]
    assert imported([taken, *others], shared) == {taken: first}
    built = {"charts/one": LockedImage("charts/one", "1.0-aaaa", first)}
    assert imported([taken], built) == {}, "what was built is not what its publisher has"


@pytest.mark.parametrize("with_option", ["--charts", "--again", "--check"])
def test_what_was_imported_says_nothing_of_charts_and_nothing_of_what_is_there_now(with_option: str) -> None:
    run = CliRunner().invoke(app, ["pin", "--from", "dev", with_option])
    assert run.exit_code != 0
    assert "--from goes with --image and --json alone" in str(run.exception)
