"""The life of an environment with real providers on a real Kubernetes API, as far as PROVIDERS_DIR holds them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.lab.rehearsal.real.packages import PROVIDERS_DIR
from scripts.lab.rehearsal.real.rehearsal import real_rehearsal
from stacks.settings import load_settings

ENVIRONMENT = os.environ.get("REHEARSED_ENVIRONMENT")
pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.skipif(
        not os.environ.get(PROVIDERS_DIR) and not ENVIRONMENT, reason="PROVIDERS_DIR is not set: no real providers here"
    ),
]


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Return the environment, brought up as its user would."""
    folder = tmp_path_factory.mktemp("real")
    cluster = tmp_path_factory.mktemp("cluster") / "cluster"
    settings = load_settings(ENVIRONMENT or "dev")
    with real_rehearsal(settings, folder, fresh=True, cluster_folder=cluster, lasting=False) as found:
        deploy(found)
        yield found


def deploy(rehearsal: Rehearsal) -> None:
    rehearsal.cdktf("deploy", *DURABLE, "--auto-approve")
    rehearsal.cdktf("deploy", *DISPOSABLE, "--auto-approve")


def assert_settled(rehearsal: Rehearsal) -> None:
    """Fail where a plan of any stack would change anything."""
    run = rehearsal.rollout()
    run.plan()
    run.discard_plans()
    assert run.failures == {}
    assert {name: str(plan.changes) for name, plan in run.plans.items()} == dict.fromkeys(STACKS, "no changes")


def test_a_second_plan_of_every_stack_is_empty(rehearsal: Rehearsal) -> None:
    assert_settled(rehearsal)


def test_what_was_destroyed_can_be_deployed_again(rehearsal: Rehearsal) -> None:
    rehearsal.cdktf("destroy", *DISPOSABLE, "--auto-approve")
    assert [stack for stack in STACKS if rehearsal.instances(stack)] == list(DURABLE)
    deploy(rehearsal)
    assert_settled(rehearsal)


def test_the_login_to_the_cluster_is_in_no_state(rehearsal: Rehearsal) -> None:
    credential = (rehearsal.folder / "credential.json").read_text()
    token = credential.split('"token": "')[1].split('"')[0]
    assert len(token) >= 16
    holders = [path for path in Path(rehearsal.folder).rglob("*.tfstate") if token in path.read_text()]
    assert holders == []
