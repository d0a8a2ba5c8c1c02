"""A deployment takes back nothing that others have deployed: refused with what is deployed, and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.bootstrap.terraform import Terraform
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import Targets
from scripts.core.workspace import Workspace
from scripts.deployment.bring_up import bring_up
from scripts.deployment.going_back import GoingBack
from scripts.deployment.losses import allowed_losses
from scripts.review.plan import read_plan
from scripts.terraform.rollout import Rollout

OWN = "llmdevacr.azurecr.io"
ENABLED = {"opik.enabled": "true"}


class Planned(Rollout):
    """A run whose plans are there already; nothing is applied."""

    def plan(self) -> None:
        """Leave the plans as they are."""

    def apply(self, names: Any, *, any_loss: bool) -> bool:  # noqa: ARG002
        """Act as if all went well."""
        return True


def run_of(folder: Path, **outputs: dict[str, Any]) -> Rollout:
    """Return a run whose plans change these outputs, `(before, after)` by stack and name."""
    workspace = Workspace("dev", folder)
    manifest: dict[str, Any] = {"version": "0.21.0", "stacks": {}}
    for name in outputs:
        stack = workspace.output / "stacks" / name
        stack.mkdir(parents=True, exist_ok=True)
        (stack / "cdk.tf.json").write_text("{}")
        manifest["stacks"][name] = {
            "synthesizedStackPath": f"stacks/{name}/cdk.tf.json",
            "workingDirectory": f"stacks/{name}",
            "dependencies": [],
        }
    (workspace.output / "manifest.json").write_text(json.dumps(manifest))
    run = Planned(workspace, workspace.stacks(), Terraform("terraform", "1.16.6"), Processes())
    for name, changed in outputs.items():
        changes = {
            key: {"actions": ["update"], "before": before, "after": after} for key, (before, after) in changed.items()
        }
        run.plans[name] = read_plan({"output_changes": changes})
    return run


def older_opik(folder: Path) -> Rollout:
    digest = f"sha256:{'a' * 64}"
    images = [{"opik/backend": f"{OWN}/opik/backend:{version}-0@{digest}"} for version in ("2.1.30", "2.1.23")]
    return run_of(
        folder,
        disks={"one_way": ({"opik.version": "2.1.30", **ENABLED}, {"opik.version": "2.1.23", **ENABLED})},
        platform={"images": tuple(images)},
    )


def deploy(run: Rollout, back: GoingBack) -> bool:
    return bring_up(run, Targets("dev"), Consent("dev", yes=True, allow_destroy=True), back=back)


def cannot(*_arguments: object) -> None:
    raise OperatorError("Opik 2.1.23 cannot work with the schema as it is now", "restore all five disks")


def test_an_older_opik_whose_databases_cannot_live_with_it_is_refused_whatever_was_agreed_to(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        deploy(older_opik(tmp_path), GoingBack(require_older_opik=cannot))
    assert caught.value.code is ExitCode.REFUSED
    assert caught.value.message.startswith("Opik 2.1.30 is deployed, this checkout asks for 2.1.23: Opik 2.1.23 cannot")
    assert caught.value.fix == (
        "to stay: git pull, or write opik.version: 2.1.30 into environments/dev.yaml; restore all five disks"
    )


def test_an_older_opik_that_its_databases_can_live_with_is_deployed_with_its_images(tmp_path: Path) -> None:
    asked: list[tuple[object, ...]] = []
    run = older_opik(tmp_path)
    assert deploy(run, GoingBack(require_older_opik=lambda *words: asked.append(words[:2])))
    assert asked == [("dev", "2.1.23")]
    (image,) = run.plans["platform"].back
    assert run.may_go_back("platform", image)


def test_a_command_that_has_asked_the_databases_itself_asks_nobody_again(tmp_path: Path) -> None:
    back = GoingBack(checked=("opik.version", "images.opik/"), require_older_opik=cannot)
    assert deploy(older_opik(tmp_path), back)


def test_a_restore_that_is_aborted_goes_back_to_the_disk_before(tmp_path: Path) -> None:
    generations = ({"disks.generations.mysql": "2"}, {"disks.generations.mysql": "1"})
    with pytest.raises(OperatorError, match=r"disks\.generations\.mysql: cannot go back from 2"):
        deploy(run_of(tmp_path, disks={"one_way": generations}), GoingBack())
    assert deploy(run_of(tmp_path, disks={"one_way": generations}), GoingBack(checked=("disks.generations.",)))


def test_no_option_agrees_to_a_smaller_disk(tmp_path: Path) -> None:
    run = run_of(tmp_path, disks={"one_way": ({"disks.redis_gib": "32"}, {"disks.redis_gib": "16"})})
    with pytest.raises(OperatorError, match=r"disks\.redis_gib: cannot shrink from 32"):
        deploy(run, GoingBack())


def test_a_loss_that_the_file_names_is_agreed_to(tmp_path: Path) -> None:
    losses = tmp_path / "losses"
    losses.mkdir()
    (losses / "dev.yaml").write_text(
        "- {stack: database, address: versions.litellm, reason: never started, until: 2999-01-01}\n"
    )
    run = run_of(tmp_path, database={"one_way": ({"versions.litellm": "v1.101.0"}, {"versions.litellm": "v1.100.0"})})
    with pytest.raises(OperatorError, match=r"versions\.litellm"):
        deploy(run, GoingBack())
    agreeing = GoingBack(allowances=lambda name: allowed_losses(name, (), folder=losses))
    assert deploy(run, agreeing)


def test_what_is_only_planned_later_is_held_against_the_same_rule(tmp_path: Path) -> None:
    run = run_of(tmp_path, disks={}, platform={})
    assert deploy(run, GoingBack())
    late = read_plan(
        {
            "output_changes": {
                "one_way": {
                    "actions": ["update"],
                    "before": {"monitoring.prometheus_disk_gib": "64"},
                    "after": {"monitoring.prometheus_disk_gib": "32"},
                }
            }
        }
    )
    assert [run.may_go_back("platform", change) for change in late.back] == [False]
