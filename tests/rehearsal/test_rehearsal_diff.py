"""A pull request's diff and the deployment of what was reviewed, with the real Terraform on fake providers."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.cli.deploy.diff import review_of
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.core.tiers import STACKS
from scripts.deployment.bring_up import bring_up
from scripts.deployment.losses import refuse
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.lab.rehearsal.leaks import secret_values
from scripts.review.guard import named
from scripts.review.markdown import markdown
from scripts.review.report import Review, as_json
from scripts.review.text import print_review
from scripts.terraform import saved_plans
from scripts.terraform.rollout import Rollout
from stacks.settings import load_settings
from tests.support.rehearsal.deployed import deployed_once

pytestmark = pytest.mark.rehearsal

POOL = "azurerm_kubernetes_cluster_node_pool"


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory, deployed_environments: Path) -> Rehearsal:
    """Return the environment, deployed; every test leaves it standing."""
    found = Rehearsal(load_settings("dev"), tmp_path_factory.mktemp("rehearsal"))
    found.cdktf("synth")
    deployed_once(found, deployed_environments)
    return found


@contextmanager
def changed(rehearsal: Rehearsal, stack: str, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Within, the stack's configuration is another one."""
    path = rehearsal.workspace.output / "stacks" / stack / "cdk.tf.json"
    before = path.read_text()
    content = json.loads(before)
    change(content["resource"])
    path.write_text(json.dumps(content, indent=2))
    try:
        yield
    finally:
        path.write_text(before)


def more_replicas(resources: dict[str, Any]) -> None:
    """Set a value of a release, in the layer that comes last."""
    release = resources["helm_release"]["cert-manager"]
    release["values"].append("cainjector:\n  replicaCount: 7\n")


def planned(run: Rollout) -> Review:
    run.read_unchanged = True
    run.plan()
    assert run.failures == {}
    return review_of(run, [], load_settings("dev"))


def forms(found: Review) -> list[str]:
    console = Console(width=300, record=True)
    print_review(found, console)
    return [console.export_text(), markdown(found), json.dumps(as_json(found))]


def test_cdktf_diff_and_llmctl_diff_agree(rehearsal: Rehearsal) -> None:
    shown = rehearsal.cdktf("diff", "platform")
    assert "Refreshing state" in shown
    assert "Terraform will perform" not in shown
    run = rehearsal.rollout()
    found = planned(run)
    run.discard_plans()
    assert list(found.plans) == list(STACKS)
    assert not found.pending


def test_a_pull_request_shows_values_losses_and_no_secret(rehearsal: Rehearsal) -> None:
    def no_gpus(resources: dict[str, Any]) -> None:
        gone = next(key for key, pool in resources[POOL].items() if pool.get("gpu_driver"))
        del resources[POOL][gone]

    with changed(rehearsal, "platform", more_replicas), changed(rehearsal, "aks", no_gpus):
        run = rehearsal.rollout()
        found = planned(run)
        run.discard_plans()
    (refusal,) = found.refusals
    assert (refusal.stack, refusal.kind) == ("aks", "destroy")
    with pytest.raises(OperatorError, match="models run on this pool") as refused:
        refuse("dev", found.refusals)
    assert refused.value.code == ExitCode.REFUSED
    refuse("dev", review_of(run, [named(f"aks/{refusal.address}")], load_settings("dev")).refusals)
    text, comment, answer = forms(found)
    assert text.index(refusal.address) < text.index("helm_release.cert-manager")
    for shown in (text, comment):
        assert re.search(r"\n *\+ +replicaCount: 7\n", shown)
    assert json.loads(answer)["stacks"]["platform"]["update"] == 1
    secrets = secret_values(rehearsal.folder)
    assert secrets
    assert [shown for shown in (text, comment, answer) if any(secret in shown for secret in secrets)] == []


def test_reviewed_plans_are_applied_as_reviewed(rehearsal: Rehearsal, tmp_path: Path) -> None:
    kept = tmp_path / "plans"
    with changed(rehearsal, "platform", more_replicas):
        run = rehearsal.rollout()
        planned(run)
        saved_plans.save(run, kept)
        run.discard_plans()
        again = rehearsal.rollout()
        saved_plans.restore(kept, again)
        assert bring_up(again, Targets("dev"), Consent("dev", yes=True))
        assert {name for name, report in again.reports.items() if not report.changes.empty} == {"platform"}
        values = rehearsal.instances("platform")["helm_release.cert-manager"]["values"]
        assert "replicaCount: 7" in values[-1]
    with pytest.raises(OperatorError, match="platform: the configuration is another one"):
        saved_plans.restore(kept, rehearsal.rollout())
    assert bring_up(rehearsal.rollout(), Targets("dev"), Consent("dev", yes=True))
