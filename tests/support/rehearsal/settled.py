"""An environment whose every stack was deployed once, and whose next plan changes nothing."""

from pathlib import Path

from main import build_app
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.settings import Settings


def deploy_settled(settings: Settings, folder: Path) -> Rehearsal:
    """Deploy every stack; a plan afterwards changes nothing."""
    rehearsal = Rehearsal(settings, folder)
    rehearsal.workspace.output.mkdir(parents=True, exist_ok=True)
    build_app(settings, rehearsal.workspace.output).synth()
    rollout = rehearsal.rollout()
    assert rollout.apply(DURABLE, any_loss=False)
    assert rollout.apply(DISPOSABLE, any_loss=True)
    after = rehearsal.rollout()
    after.plan()
    assert {name: str(plan.changes) for name, plan in after.plans.items()} == dict.fromkeys(STACKS, "no changes")
    return rehearsal
