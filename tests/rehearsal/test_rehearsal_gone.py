"""What was deleted outside Terraform below the cluster's feet, with the real Terraform on fake providers."""

from pathlib import Path

import pytest

from scripts.core.consent import Consent
from scripts.core.errors import OperatorError
from scripts.core.targets import Targets
from scripts.core.tiers import DISPOSABLE, STACKS
from scripts.deployment.bring_up import bring_up
from scripts.deployment.taking_down import take_down
from scripts.lab.rehearsal.cloud import Cloud
from scripts.terraform.prepare import Job
from tests.support.cli.environment_folder import use_environments
from tests.support.cli.terminals import Nobody, answering
from tests.support.rehearsal.database_drill import Drill

pytestmark = pytest.mark.rehearsal

CLUSTER = "azurerm_kubernetes_cluster"


def _deploy(drill: Drill, *stacks: str, typed: str = "") -> None:
    """Deploy as with --yes; `typed` is what a person answers where that is not enough."""
    targets = Targets("dev", stacks)
    terminal = answering(typed) if typed else Nobody()
    with drill.rollout(Job("deploy", targets, drill.rehearsal.workspace)) as run:
        assert bring_up(run, targets, Consent("dev", yes=True, terminal=terminal))


def _converged(drill: Drill) -> None:
    run = drill.rehearsal.rollout()
    run.plan()
    assert {name: str(plan.changes) for name, plan in run.plans.items()} == dict.fromkeys(STACKS, "no changes")


def _cluster_gone(cloud: Cloud) -> None:
    (cluster,) = cloud.objects(CLUSTER)
    # What is attached to the cluster has an id of its own that begins with the cluster's.
    attached = [found for found in cloud.objects() if found.id.startswith(cluster.id)]
    inside = [*attached, *cloud.within(cluster.state["fqdn"])]
    cloud.delete(cluster.key, *(found.key for found in inside))


def _group_gone(cloud: Cloud, name: str) -> None:
    (group,) = (found for found in cloud.objects("azurerm_resource_group") if found.state["name"] == name)
    cloud.delete(group.key, *(found.key for found in cloud.below(group.id)))


def test_a_cluster_a_group_or_a_namespace_deleted_by_hand_is_made_again_and_can_be_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_environments(tmp_path / "environments", monkeypatch)
    drill = Drill(tmp_path)
    _deploy(drill)
    cloud = Cloud(drill.rehearsal.folder)
    durable = {found.key: found.generation for found in cloud.objects() if found.stack not in DISPOSABLE}

    _cluster_gone(cloud)
    with pytest.raises(OperatorError, match="planning failed: platform"):
        _deploy(drill, "platform")
    _group_gone(cloud, "llm-dev-aks")
    capsys.readouterr()
    # The identities are gone with the group, so that what they were allowed elsewhere is replaced.
    _deploy(drill, typed="dev")
    assert "platform is planned once aks has made a new one" in capsys.readouterr().err

    (chat,) = (found for found in cloud.objects("kubernetes_namespace_v1") if found.id == "chat")
    inside = [found.key for found in cloud.within(chat.scope) if '"chat"' in str(found.state).replace("'", '"')]
    cloud.delete(*inside)
    assert len(inside) > 5
    _deploy(drill)
    _converged(drill)

    _cluster_gone(cloud)
    job = Job("destroy", Targets("dev", DISPOSABLE), drill.rehearsal.workspace, destroy=True)
    with drill.rollout(job) as run, pytest.raises(OperatorError, match="nothing was destroyed"):
        take_down(run, job.targets, "prod")
    assert drill.rehearsal.instances("platform") != {}
    capsys.readouterr()
    with drill.rollout(job) as run:
        assert take_down(run, job.targets, "dev")
    assert "objects of platform went with it" in capsys.readouterr().err
    assert {stack: drill.rehearsal.instances(stack) for stack in DISPOSABLE} == {stack: {} for stack in DISPOSABLE}
    assert {found.key: found.generation for found in cloud.objects()} == durable
