"""What of an environment is not as configured: in its plans, in its states, in the fake cloud."""

from collections.abc import Collection

from scripts.core.tiers import STACKS
from scripts.review.plan import total

from .stage import Stage


def differences(stage: Stage, *stacks: str, set_aside: Collection[str] = ()) -> str:
    """Return what is not as it should be; empty when a second plan changes nothing and nothing is left behind.

    What is set aside, by its id, may be in no state.
    """
    # Before the plan, which takes the lock and lets go of it.
    if locks := _locks(stage):
        return f"locks are left: {', '.join(locks)}"
    stage.synthesize()
    run = stage.rehearsal.rollout(*(stacks or stage.stacks))
    run.plan()
    run.discard_plans()
    if run.failures:
        return f"planning fails: {', '.join(run.failures)}"
    if not total(run.plans.values()).empty:
        changed = [f"{name}: {plan.changes}" for name, plan in run.plans.items() if not plan.changes.empty]
        return f"a second plan is not empty: {'; '.join(changed)}"
    if left := unmanaged(stage, set_aside):
        return f"in the cloud and in no state: {', '.join(left[:3])}"
    return ""


def unmanaged(stage: Stage, set_aside: Collection[str] = ()) -> list[str]:
    """Return the addresses of what exists in the fake cloud and in no state, less what is set aside."""
    known, aside = _recorded(stage), tuple(set_aside)
    return sorted(
        f"{item.stack}/{item.address}"
        for item in stage.cloud().objects()
        if (item.type, item.id.lower()) not in known and not (aside and item.id.startswith(aside))
    )


def _locks(stage: Stage) -> list[str]:
    """Return the locks that somebody left on a state."""
    return sorted(path.name for path in (stage.folder / "state").rglob(".*.lock.info"))


def _recorded(stage: Stage) -> set[tuple[str, str]]:
    return {
        (address.partition(".")[0], str(values.get("id", "")).lower())
        for stack in STACKS
        for address, values in stage.rehearsal.instances(stack).items()
    }
