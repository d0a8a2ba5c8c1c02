"""Drills that need the whole environment, one form of each; `llmctl drill all` plays all of them.

One small environment is deployed for all: what a drill changes is taken back before the next one.
"""

import pytest

from scripts.cli.develop.drills.catalogue import drill
from scripts.cli.develop.drills.lost import delete_cluster
from scripts.cli.develop.drills.way_out import adopt
from scripts.core.consent import Consent
from scripts.core.errors import OperatorError
from scripts.core.targets import Targets
from scripts.core.tiers import DISPOSABLE
from scripts.deployment.bring_up import bring_up
from scripts.deployment.taking_down import take_down
from scripts.lab.drills.base import Finding, Size
from scripts.lab.drills.differences import differences
from scripts.lab.drills.recovery import recover
from scripts.lab.drills.stage import WHOLE, Stage
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.prepare import Job
from stacks.settings import parse_settings

pytestmark = pytest.mark.rehearsal

BACKS_UP = "11111111-2222-3333-4444-555555555555"
TEXT = f"""\
name: dev
azure:
  subscription_id: 00000000-5eed-4000-8000-000000000001
  region: westeurope
domain: llm-dev.example.com
ingress: {{acme_email: platform@example.com}}
chat: {{enabled: false}}
gateway: {{enabled: false}}
monitoring: {{enabled: false}}
backups: {{scheduled: true, pipeline_object_id: {BACKS_UP}}}
cluster: {{gpu_pools: {{t4: {{vm_size: Standard_NC4as_T4_v3, priority: spot}}}}}}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("whole")
    found = Stage(Rehearsal(parse_settings(TEXT, "dev.yaml", "dev"), folder), adopt=adopt, text=TEXT)
    found.build()
    return found


def played(stage: Stage, name: str, size: Size) -> list[Finding]:
    """Play a drill; return what it found. Fails where something did not survive."""
    found = drill(name)
    assert found
    findings = list(found.play(stage, size))
    assert [finding for finding in findings if not finding.survived] == []
    return findings


NETWORK = BACK = 5
"""Seed by which the second of two forms is chosen."""
PLAYED: tuple[tuple[str, tuple[str, ...], Size, str], ...] = (
    ("group-gone", DISPOSABLE, Size(forms=1, seed=NETWORK), "the group llm-dev-network, and all that was in it"),
    ("restore", ("database",), Size(forms=1, seed=BACK), "PostgreSQL, and back"),
    ("restore", ("disks", "platform"), Size(forms=1, seed=BACK), "the disk redis, and back"),
    ("disk-full", ("disks", "platform"), Size(forms=1), "the disk clickhouse"),
    ("vault-away", ("database",), Size(forms=1), "database, as it stands: azurerm_key_vault_secret"),
    ("spot-gone", ("aks",), Size(), "aks, from nothing: azurerm_kubernetes_cluster_node_pool"),
    ("zone-gone", ("aks",), Size(), "aks, from nothing: azurerm_kubernetes_cluster_node_pool"),
    ("certificate-limits", ("aks", "platform"), Size(forms=1), "the cluster, 1 times"),
)
"""Drill, stacks that take part, and which of its forms is played."""


@pytest.mark.parametrize(("name", "stacks", "size", "form"), PLAYED, ids=[f"{it[0]}-{it[1][0]}" for it in PLAYED])
def test_everything_survives(stage: Stage, name: str, stacks: tuple[str, ...], size: Size, form: str) -> None:
    (finding,) = played(stage.only(*stacks), name, size)
    assert finding.happened == form


def test_a_new_cluster_serves_what_outlived_the_old_one_and_lets_backups_work(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    def given() -> list[tuple[str, int]]:
        found = stage.cloud().objects("azurerm_role_assignment")
        return [(it.state["scope"], it.generation) for it in found if it.state["principal_id"] == BACKS_UP]

    stage.reset(WHOLE)
    ((cluster, first),) = given()
    assert cluster.endswith("/managedClusters/llm-dev-aks")
    played(stage.only(*DISPOSABLE), "cluster-gone", Size())
    assert "platform is planned once aks has made a new one" in capsys.readouterr().err
    assert given() == [(cluster, first + 1)]


def test_a_namespace_that_was_deleted_by_hand_is_made_again(stage: Stage) -> None:
    stage.reset(WHOLE)
    cloud = stage.cloud()
    (opik,) = (found for found in cloud.objects("kubernetes_namespace_v1") if found.id == "opik")
    inside = [found.key for found in cloud.within(opik.scope) if '"opik"' in str(found.state).replace("'", '"')]
    cloud.delete(*inside)
    assert len(inside) > 5
    assert recover(stage, "platform").runs == 1
    assert differences(stage, "platform") == ""


def test_an_environment_whose_cluster_is_gone_can_be_destroyed(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.reset(WHOLE)
    cloud, rehearsal = stage.cloud(), stage.rehearsal
    durable = {found.key: found.generation for found in cloud.objects() if found.stack not in DISPOSABLE}
    delete_cluster(cloud)
    alone = Job("deploy", Targets("dev", ("platform",)), rehearsal.workspace)
    with stage.rollout(alone) as run, pytest.raises(OperatorError, match="planning failed: platform"):
        bring_up(run, alone.targets, Consent("dev", yes=True))

    job = Job("destroy", Targets("dev", DISPOSABLE), rehearsal.workspace, destroy=True)
    with stage.rollout(job) as run, pytest.raises(OperatorError, match="nothing was destroyed"):
        take_down(run, job.targets, "prod")
    assert rehearsal.instances("platform") != {}
    capsys.readouterr()
    with stage.rollout(job) as run:
        assert take_down(run, job.targets, "dev")
    assert "objects of platform went with it" in capsys.readouterr().err
    assert {stack: rehearsal.instances(stack) for stack in DISPOSABLE} == {stack: {} for stack in DISPOSABLE}
    assert {found.key: found.generation for found in cloud.objects()} == durable
