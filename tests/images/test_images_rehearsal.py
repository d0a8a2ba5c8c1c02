"""A rehearsed environment runs by digest from its lock file; an edited source file restarts exactly its deployment.

The images of Opik's folders are made from nothing and really built; all others come from a publisher on loopback.
Releases are rendered with the values that Terraform passed: our own charts always, others with `CHARTS_DIR` or
`PULL_CHARTS`.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.bench.loopback import buildah_environment, registry_program, running
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.platform.common.catalogue import charts, images
from stacks.platform.components.opik.version import OPIK
from stacks.settings import load_settings
from tests.support.images.life import APP, HELM, Life, write_source_like_opiks
from tests.support.images.oci_registry import OciRegistry

pytestmark = [
    pytest.mark.images,
    pytest.mark.rehearsal,
    pytest.mark.skipif(registry_program() is None, reason="no registry program: install docker-registry or crane"),
    pytest.mark.skipif(shutil.which("buildah") is None, reason="no builder: install buildah"),
]
ROOT = Path(__file__).parents[2]
EDITED = f"{OPIK}/frontend"
BY_TAG = "keda-http-add-on"
"""Its chart joins one tag to three repositories and so takes no digests."""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("images-life")
    (folder / "environments").mkdir()
    shutil.copy(ROOT / "environments" / "dev.yaml", folder / "environments")
    write_source_like_opiks(folder / "source")
    app = folder / "app.py"
    app.write_text(APP.format(root=str(ROOT), environments=str(folder / "environments")))
    publisher = OciRegistry()
    for name, image in images().items():
        publisher.add(image.repository, image.tag, name.encode())
    with (
        pytest.MonkeyPatch.context() as patch,
        running(folder / "registry") as registry,
        publisher.serving(),
    ):
        for name, value in buildah_environment(folder / "buildah").items():
            patch.setenv(name, value)
        rehearsal = Rehearsal(load_settings("dev"), folder / "rehearsal")
        rehearsal.environment["CDKTF_APP"] = f'"{sys.executable}" "{app}"'
        found = Life(folder, registry.name, publisher, rehearsal)
        found.ensure()
        rehearsal.cdktf("deploy", *DURABLE, "--auto-approve")
        rehearsal.cdktf("deploy", *DISPOSABLE, "--auto-approve")
        yield found


def images_of_pods(value: object) -> Iterator[str]:
    """Return the image of every container in `value`, in whatever kind of object."""
    if isinstance(value, dict):
        for key, found in value.items():
            if key in {"containers", "initContainers", "container", "init_container"} and isinstance(found, list):
                yield from (container["image"] for container in found if isinstance(container, dict))
            yield from images_of_pods(found)
    elif isinstance(value, list):
        for found in value:
            yield from images_of_pods(found)


def by_name(name: str, reference: str) -> str:
    """Return the whole reference with which the image `name` runs."""
    return reference.partition("@")[0] if name.startswith(f"{BY_TAG}/") else reference


def as_deployed(locked: dict[str, str]) -> dict[str, str]:
    """Return what tells that each locked image is used: its digest."""
    return {
        name: reference.partition(":")[0] if name.startswith(f"{BY_TAG}/") else reference.partition("@")[2]
        for name, reference in locked.items()
    }


def test_every_release_runs_by_digest_from_the_environments_own_registry(life: Life) -> None:
    locked = life.locked()
    text = json.dumps({name: release["values"] for name, release in life.releases().items()})
    text += json.dumps(life.rehearsal.instances("platform"))
    assert [name for name, image in as_deployed(locked).items() if image not in text] == [], "locked, but unused"
    hosts = {image.repository.partition("/")[0] for image in images().values()}
    upstream = re.compile(rf"(?<![\w/.-])({'|'.join(map(re.escape, hosts))})/[\w/-]+")
    assert sorted({match.group(0) for match in upstream.finditer(text)}) == []


@pytest.mark.skipif(HELM is None, reason="helm is not on PATH; the CI set brings it")
def test_every_rendered_container_is_one_of_the_locked_images_and_every_locked_image_is_rendered(life: Life) -> None:
    locked = life.locked()
    found = {release: life.render(release) for release in life.releases()}
    rendered = {release: objects for release, objects in found.items() if objects is not None}
    assert rendered, "own charts are rendered wherever Helm is"
    pods = {image for objects in rendered.values() for image in images_of_pods(objects)}
    pods |= set(images_of_pods(life.rehearsal.instances("platform")))
    assert pods - {by_name(name, reference) for name, reference in locked.items()} == set()
    # Operators start some from an argument or a configuration file.
    text = json.dumps(rendered) + json.dumps(life.rehearsal.instances("platform"))
    if len(rendered) == len(found):
        assert {name for name, image in as_deployed(locked).items() if image not in text} == set()


def test_nothing_names_another_version_at_run_time_than_was_built(life: Life) -> None:
    # The image carries its build argument on as a variable; the backend starts the archive of that name.
    (recipe,) = (image.recipe for image in life.shop().images if image.name == "opik/backend")
    assert recipe
    assert recipe.arguments["OPIK_VERSION"] == charts()[OPIK].version
    passed = json.dumps([life.releases()[OPIK]["values"], life.render(OPIK)])
    assert set(re.findall(r"OPIK_VERSION\W+([\w.]+)", passed)) <= {recipe.arguments["OPIK_VERSION"]}


@pytest.mark.skipif(HELM is None, reason="helm is not on PATH; the CI set brings it")
def test_one_edited_file_rebuilds_its_image_and_restarts_its_deployment_alone(life: Life) -> None:
    before, release = life.rehearsal.instances("platform"), life.releases()[OPIK]
    lines, objects = life.shop().lock_path.read_text().splitlines(), life.render(OPIK)
    build = images()[EDITED].build
    assert build
    (life.source / build.context / "file.txt").write_text("edited\n")

    assert life.ensure().worked_on == (EDITED,)
    changed = [line for line in life.shop().lock_path.read_text().splitlines() if line not in lines]
    assert [line.split('"')[1] for line in changed] == ["serial", EDITED]

    others = {stack: life.rehearsal.instances(stack) for stack in STACKS if stack != "platform"}
    life.rehearsal.cdktf("deploy", *DISPOSABLE, "--auto-approve")
    assert {stack: life.rehearsal.instances(stack) for stack in others} == others
    after = life.rehearsal.instances("platform")
    assert set(after) == set(before)
    assert [address for address in before if before[address] != after[address]] == [f"helm_release.{OPIK}"]
    tags = re.compile(r'"tag":"[^"]*"')
    old, new = ("".join(found["values"]) for found in (release, life.releases()[OPIK]))
    assert tags.sub("", old) == tags.sub("", new)
    assert len([1 for left, right in zip(tags.findall(old), tags.findall(new), strict=True) if left != right]) == 1

    if objects is None:
        pytest.skip("plan and values are proven; CHARTS_DIR has no chart opik to render")
    again = life.render(OPIK)
    assert again is not None
    pairs = zip(objects, again, strict=True)
    restarted = [(left["kind"], left["metadata"]["name"]) for left, right in pairs if left != right]
    assert restarted == [("Deployment", "opik-frontend")]
