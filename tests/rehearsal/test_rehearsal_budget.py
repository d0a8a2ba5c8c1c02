"""A budget with the real Terraform: it begins in the month of the deployment, and no later plan looks at that again."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from main import build_app
from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.rollout import Rollout
from stacks.settings import load_settings
from stacks.settings.budget import BudgetSettings

pytestmark = pytest.mark.rehearsal


def with_budget(amount: int | None, folder: Path, *, fresh: bool = True) -> Rollout:
    """Return a planned run of the registry's stack with a budget of this amount."""
    budget = BudgetSettings(monthly_amount=amount, email_addresses=("it@example.com",))
    settings = load_settings("dev").model_copy(update={"budget": budget})
    rehearsal = Rehearsal(settings, folder, fresh=fresh)
    shutil.rmtree(rehearsal.workspace.output, ignore_errors=True)
    rehearsal.workspace.output.mkdir(parents=True)
    build_app(settings, rehearsal.workspace.output).synth()
    run = rehearsal.rollout("acr")
    run.plan()
    return run


def changes(run: Rollout) -> str:
    assert run.failures == {}
    return str(run.plans["acr"].changes)


def test_a_budget_starts_once_changes_in_place_and_goes_with_its_setting(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    run = with_budget(500, tmp_path)
    assert run.apply(["acr"], any_loss=False)
    months = {f"{moment:%Y-%m}-01T00:00:00Z" for moment in (before, datetime.now(UTC))}
    (budget,) = Cloud(tmp_path).objects("azurerm_consumption_budget_subscription")
    (period,) = budget.state["time_period"]
    assert period["start_date"] in months
    assert changes(with_budget(500, tmp_path, fresh=False)) == "no changes"
    more = with_budget(600, tmp_path, fresh=False)
    assert changes(more) == "1 to update"
    assert more.apply(["acr"], any_loss=False)
    gone = with_budget(None, tmp_path, fresh=False)
    assert gone.apply(["acr"], any_loss=True)
    assert not Cloud(tmp_path).objects("azurerm_consumption_budget_subscription")
