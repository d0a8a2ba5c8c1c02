"""`llmctl state adopt` with the real Terraform on fake providers: every state in turn lost, and made again."""

import os
from pathlib import Path

import pytest

from scripts.cli.state.adopting import adopt
from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.core.errors import OperatorError
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.lookups import found_in
from stacks.settings import parse_settings
from tests.support.cli.environment_folder import use_environments
from tests.support.rehearsal.database_drill import FILE, Drill

pytestmark = pytest.mark.rehearsal

LOST = tuple(os.environ.get("LOST", "identity database").split())
"""Stacks whose state is lost; LOST='identity disks acr database address network aks platform' loses each in turn."""


def test_each_lost_state_is_imported_and_nothing_is_left_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_environments(tmp_path / "environments", monkeypatch)
    drill = Drill(tmp_path)
    drill.synthesize()
    first = drill.rehearsal.rollout()
    needed = STACKS if set(LOST) & set(DISPOSABLE) else LOST
    assert first.apply([name for name in needed if name in DURABLE], any_loss=False)
    assert first.apply([name for name in needed if name in DISPOSABLE], any_loss=False)
    cloud, settings = Cloud(drill.rehearsal.folder), parse_settings(FILE, "dev.yaml", "dev")
    tools, yes = Tools(rollout=drill.rollout), Consent("dev", yes=True)
    for stack in LOST:
        before, outputs = drill.rehearsal.instances(stack), drill.rehearsal.outputs(stack)
        journal = len(cloud.journal())
        drill.rehearsal.state_file(stack).unlink()

        shown = adopt(settings.name, settings.azure, stack, tools, yes, dry_run=True, find=found_in(cloud))
        assert drill.rehearsal.instances(stack) == {}
        # What the dry run has imported is kept in the copy.
        found = adopt(settings.name, settings.azure, stack, tools, yes, dry_run=False, find=found_in(cloud))
        assert found.imported == shown.imported
        assert found.imported.keys() == before.keys()
        assert shown.left == {} == found.left
        assert str(shown.plan.changes) == "no changes"
        assert drill.rehearsal.instances(stack).keys() == before.keys()
        assert drill.rehearsal.outputs(stack) == outputs
        assert len(cloud.journal()) == journal
        # What needs no change is imported together.
        log = (drill.rehearsal.workspace.logs / f"{stack}.log").read_text("utf-8")
        assert log.count("== terraform import") < len(before) / 2
    run = drill.rehearsal.rollout(*needed)
    run.plan()
    assert {name: str(plan.changes) for name, plan in run.plans.items()} == dict.fromkeys(needed, "no changes")


def test_what_does_not_exist_is_named_and_left_to_a_deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_environments(tmp_path / "environments", monkeypatch)
    drill = Drill(tmp_path)
    drill.synthesize()
    assert drill.rehearsal.rollout("address").apply(["address"], any_loss=False)
    cloud, settings = Cloud(drill.rehearsal.folder), parse_settings(FILE, "dev.yaml", "dev")
    tools = Tools(rollout=drill.rollout)
    (gone,) = (it for it in cloud.objects("azurerm_public_ip") if it.id.endswith("outbound"))
    cloud.delete(gone.key)
    count = len(drill.rehearsal.instances("address"))
    drill.rehearsal.state_file("address").unlink()
    with pytest.raises(OperatorError, match="nobody is there to confirm"):
        adopt(settings.name, settings.azure, "address", tools, Consent("dev"), dry_run=False, find=found_in(cloud))
    assert drill.rehearsal.instances("address") == {}
    found = adopt(
        settings.name, settings.azure, "address", tools, Consent("dev", yes=True), dry_run=False, find=found_in(cloud)
    )
    (left,) = found.left
    assert left.startswith("azurerm_public_ip.outbound")
    assert "does not exist" in found.left[left] or "Cannot import" in found.left[left]
    assert len(drill.rehearsal.instances("address")) == count - 1
    with pytest.raises(OperatorError, match="reads a state that is not there"):
        adopt(
            settings.name,
            settings.azure,
            "network",
            tools,
            Consent("dev", yes=True),
            dry_run=True,
            find=found_in(cloud),
        )
