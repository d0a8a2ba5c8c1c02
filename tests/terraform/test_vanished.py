"""What was deleted by hand in a stack that holds data is never made again without somebody saying so."""

from pathlib import Path
from typing import Any

import pytest

from scripts.bootstrap.terraform import Terraform
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import Targets
from scripts.deployment.bring_up import bring_up
from scripts.review.changes import resource_changes
from scripts.review.guard import check_losses
from scripts.review.masking import Masks
from scripts.review.plan import read_plan
from scripts.terraform import summary
from scripts.terraform.rollout import Rollout
from tests.support.cli.terminals import answering
from tests.support.cli.terraform_projects import write_project

VAULT = "/subscriptions/0/resourceGroups/llm-dev-database/providers/Microsoft.KeyVault/vaults/llm-dev-abcde"
SECRET = "azurerm_key_vault_secret.database-chat-password_secret"
DISK = "azurerm_managed_disk.mysql"


def document(*vanished: str, created: tuple[str, ...] = (), there: bool = True) -> dict[str, Any]:
    """Return a plan in which these were deleted by hand, and these are new."""

    def item(address: str, actions: list[str], before: Any, after: Any) -> dict[str, Any]:
        change = {"actions": actions, "before": before, "after": after, "after_unknown": {}}
        return {"address": address, "type": address.split(".", maxsplit=1)[0], "mode": "managed", "change": change}

    old = {"name": "database-chat-password", "key_vault_id": VAULT}
    return {
        "resource_drift": [item(address, ["delete"], old, None) for address in vanished],
        "resource_changes": [item(address, ["create"], None, old) for address in (*vanished, *created)],
        "prior_state": {"values": {"root_module": {"resources": [{"address": "a.b"}] if there else []}}},
    }


class Planned(Rollout):
    """A run whose plans are given."""

    def plan(self) -> None:
        """Leave the plans as they are."""

    def apply(self, names: Any, *, any_loss: bool) -> bool:  # noqa: ARG002
        """Note what would be applied."""
        self.applied = [*getattr(self, "applied", []), *names]
        return True


def run(folder: Path, **plans: dict[str, Any]) -> Planned:
    workspace = write_project(folder)
    stacks = {name: stack for name, stack in workspace.stacks().items() if name in plans}
    planned = Planned(workspace, stacks, Terraform("terraform", "1.15.0"), Processes())
    planned.plans = {name: read_plan(found) for name, found in plans.items()}
    return planned


def test_yes_does_not_agree_to_a_new_secret_in_place_of_one_that_vanished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = run(tmp_path, disks=document(SECRET))
    with pytest.raises(OperatorError) as refusal:
        bring_up(planned, Targets("dev", ("disks",)), Consent("dev", yes=True))
    assert refusal.value.code == ExitCode.REFUSED
    assert not hasattr(planned, "applied")
    said = " ".join(capsys.readouterr().err.split())
    assert f"disks {SECRET} (vanished, would be made anew)" in said
    assert "az keyvault secret recover --name database-chat-password --vault-name llm-dev-abcde" in said


def test_what_is_no_secret_is_brought_back_from_its_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary.print_plans(run(tmp_path, disks=document(DISK)))
    said = capsys.readouterr().err
    assert "az keyvault" not in said
    assert "docs/how-to/restore-postgresql.md" in said


def test_the_name_of_the_environment_agrees_to_it(tmp_path: Path) -> None:
    planned = run(tmp_path, disks=document(SECRET))
    assert bring_up(planned, Targets("dev", ("disks",)), Consent("dev", terminal=answering("dev")))
    assert planned.applied == ["disks"]


def test_a_disposable_stack_makes_anew_what_vanished_without_asking(tmp_path: Path) -> None:
    planned = run(tmp_path, network=document("azurerm_public_ip.it"))
    assert bring_up(planned, Targets("dev", ("network",)), Consent("dev", yes=True))


def test_what_is_new_in_a_stack_that_holds_data_is_named_and_agreed_to_like_any_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = run(tmp_path, disks=document(created=(SECRET,)))
    assert bring_up(planned, Targets("dev", ("disks",)), Consent("dev", yes=True))
    assert f"creates disks {SECRET}" in " ".join(capsys.readouterr().err.split())


def test_a_first_deployment_lists_no_creations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary.print_plans(run(tmp_path, disks=document(created=(SECRET,), there=False)))
    assert "creates" not in capsys.readouterr().err


def test_a_review_refuses_what_vanished_like_any_durable_loss() -> None:
    changes = resource_changes(document(SECRET), Masks())
    (refused,), _ = check_losses({"database": changes}, [])
    assert (refused.stack, refused.address, refused.kind) == ("database", SECRET, "create")
    assert check_losses({"network": changes}, []) == ([], [])


def test_no_secret_is_recovered_only_to_be_written_over() -> None:
    """The provider recovers, then sets (key_vault_secret_resource.go:186-216); without, Azure refuses plain cdktf."""
    snapshots = Path(__file__).parents[1] / "snapshots"
    found = [
        path for path in snapshots.rglob("*.tf.json") if '"recover_soft_deleted_secrets": true' in path.read_text()
    ]
    assert found == []
    assert '"recover_soft_deleted_secrets": false' in (snapshots / "dev-nginx" / "database.tf.json").read_text()
