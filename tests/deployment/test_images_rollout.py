"""A deployment brings the images between the durable stacks and the cluster, with the real Terraform."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.core.consent import Consent
from scripts.core.errors import OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import Targets
from scripts.core.workspace import Workspace
from scripts.deployment import image_step
from scripts.deployment.bring_up import bring_up
from scripts.deployment.image_step import ImageStep
from tests.support.cli.terraform_projects import rollout, write_project
from tests.support.images.oci_registry import OciRegistry
from tests.support.images.sources import VERSION, pinned, workshop, write_source

pytestmark = pytest.mark.programs

AGREED = Consent("dev", yes=True)
EVERYTHING = Targets("dev")


@pytest.fixture(autouse=True)
def _quiet_terraform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(tmp_path / "plugins"))


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return write_project(tmp_path)


def input_of(workspace: Workspace, stack: str) -> Any:
    state = json.loads((workspace.base / "state" / "dev" / f"{stack}.tfstate").read_text())
    return state["resources"][-1]["instances"][0]["attributes"]["input"]["value"]


def deployed(workspace: Workspace) -> set[str]:
    return {path.stem for path in (workspace.base / "state" / "dev").glob("*.tfstate")}


def test_images_come_after_the_durable_stacks_and_the_rest_deploys_what_they_locked(project: Workspace) -> None:
    before: list[set[str]] = []

    def bring(workspace: Workspace, _processes: Processes) -> bool:
        before.append(deployed(workspace))
        # What a new lock file does: the stack is synthesized with other content than was planned.
        write_project(workspace.base, {"network": {"input": {"image": "by digest"}}})
        return True

    step = ImageStep(pending=lambda _environment: ["app/backend"], bring=bring)
    assert bring_up(rollout(project), EVERYTHING, AGREED, with_images=True, image_step=step)
    assert before == [{"identity", "disks"}]
    assert input_of(project, "network") == {"image": "by digest"}


def test_missing_images_alone_are_a_reason_to_deploy(project: Workspace) -> None:
    assert bring_up(rollout(project), EVERYTHING, AGREED)
    brought: list[str] = []
    waiting = ["app/backend"]

    def bring(workspace: Workspace, _processes: Processes) -> bool:
        brought.append(workspace.environment)
        return False

    step = ImageStep(pending=lambda _environment: waiting, bring=bring)
    assert bring_up(rollout(project), EVERYTHING, AGREED, with_images=True, image_step=step)
    assert brought == ["dev"]
    waiting.clear()
    assert bring_up(rollout(project), EVERYTHING, AGREED, with_images=True, image_step=step)
    assert brought == ["dev"], "up to date"


def test_nothing_of_the_cluster_is_touched_when_an_image_fails(project: Workspace) -> None:
    def fail(_workspace: Workspace, _processes: Processes) -> bool:
        raise OperatorError("1 of 3 images failed; the lock file is as it was")

    step = ImageStep(pending=lambda _environment: ["app/backend"], bring=fail)
    with pytest.raises(OperatorError, match="images failed"):
        bring_up(rollout(project), EVERYTHING, AGREED, with_images=True, image_step=step)
    assert deployed(project) == {"identity", "disks"}


@pytest.mark.parametrize(("targets", "with_images"), [(EVERYTHING, False), (Targets("dev", ("network",)), True)])
def test_skipped_or_for_single_stacks_images_are_not_even_looked_at(
    project: Workspace, targets: Targets, with_images: bool
) -> None:
    def unexpected(*_arguments: object) -> Any:
        raise AssertionError("images were looked at")

    assert bring_up(rollout(project), EVERYTHING, AGREED)
    step = ImageStep(pending=unexpected, bring=unexpected)
    assert bring_up(rollout(project, *targets.stacks), targets, AGREED, with_images=with_images, image_step=step)


def test_what_is_pending_is_known_from_list_and_lock_alone(tmp_path: Path) -> None:
    source = write_source(tmp_path / "source")
    with OciRegistry().serving() as registry:
        shop = workshop(tmp_path, pinned(source), registry.name)
        assert image_step.unlocked(shop) == [image.name for image in shop.images]
        shop.lock_path.write_text(
            json.dumps(
                {
                    "format": 1,
                    "images": {
                        image.name: f"{image.repository}:{image.tag}@sha256:{'0' * 64}" for image in shop.images
                    },
                }
            )
        )
        assert image_step.unlocked(shop) == []
        (source / "apps" / "worker" / "file.txt").write_text("edited\n")
        edited = workshop(tmp_path, pinned(source), registry.name, source_folder=source)
        assert image_step.unlocked(edited) == ["app/worker"]
        assert registry.requests == []
    assert VERSION in shop.images[0].tag


def test_without_the_source_a_deployment_says_how_to_do_without_images(tmp_path: Path) -> None:
    absent = workshop(tmp_path, pinned(tmp_path / "absent"), "127.0.0.1:1")
    with pytest.raises(OperatorError, match="cannot be fetched") as caught:
        image_step.pending("dev", lambda _environment: absent)
    assert "--skip-images" in caught.value.fix
