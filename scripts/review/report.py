"""All plans of one environment together, checked for losses that nobody has agreed to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from scripts.cost.amount import Cost
from scripts.cost.charges import Charge
from scripts.cost.prices import Prices, listed

from .changes import ResourceChange
from .guard import Allowance, Refusal, check_losses
from .plan import Plan

MARKS = {"create": "+", "update": "~", "replace": "!", "destroy": "-", "forget": "-", "move": ">", "back": "!"}
"""Sign of each kind of change."""


@dataclass(frozen=True)
class Review:
    """What a deployment of one environment would do."""

    environment: str
    plans: Mapping[str, Plan]
    """Plans by stack, in deploy order."""
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Stacks that can only be planned once others are deployed, and which."""
    failed: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    """Losses that nobody has agreed to."""
    unused: tuple[Allowance, ...] = ()
    """Allowances that these plans do not need."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Stacks that were planned from their state alone, and why."""
    prices: Prices = field(default_factory=listed)
    later: tuple[Charge, ...] = ()
    """What Azure bills of the stacks that can only be planned once others are deployed."""

    @property
    def pending(self) -> bool:
        """Whether anything would change."""
        return bool(self.waiting) or any(not plan.changes.empty for plan in self.plans.values())

    @property
    def losses(self) -> list[tuple[str, ResourceChange]]:
        """What is given up, with its stack."""
        return [(stack, change) for stack, change in self.changes() if change.kind.loses]

    @property
    def cost(self) -> Cost:
        """What is added to the monthly bill, stacks that wait included, as far as prices are known."""
        return sum((cost for _, cost in self._costs() if cost.known), Cost())

    @property
    def priced(self) -> bool:
        """Whether any change has a known price."""
        return any(cost.known for _, cost in self._costs())

    @property
    def unpriced(self) -> list[str]:
        """Addresses of changes, and things, that cost or save something nobody knows here."""
        return list(dict.fromkeys(what for what, cost in self._costs() if not cost.known))

    def _costs(self) -> Iterator[tuple[str, Cost]]:
        for _, change in self.changes():
            if change.billed:
                yield change.address, change.billed.cost(self.prices)
        for charge in self.later:
            yield charge.what, self.prices.cost(charge)

    def refusal_of(self, stack: str, change: ResourceChange) -> Refusal | None:
        """Return why this change is refused, None when it is not."""
        return next((found for found in self.refusals if (found.stack, found.address) == (stack, change.address)), None)

    def changes(self) -> Iterator[tuple[str, ResourceChange]]:
        """Yield every change with its stack."""
        for stack, plan in self.plans.items():
            for change in plan.resources:
                yield stack, change


def review(
    environment: str,
    plans: Mapping[str, Plan],
    waiting: Mapping[str, tuple[str, ...]],
    failed: Iterable[str],
    allowances: Iterable[Allowance],
    *,
    unread: Mapping[str, str] | None = None,
    prices: Prices | None = None,
    later: Iterable[Charge] = (),
) -> Review:
    """Return the plans of an environment, with the losses that nobody has agreed to.

    Costs are at `prices`, those of the dated list where none are given, with those of `later`, which no plan has yet.
    """
    refusals, unused = check_losses({stack: plan.resources for stack, plan in plans.items()}, allowances)
    return Review(
        environment,
        plans,
        waiting,
        tuple(failed),
        tuple(refusals),
        tuple(unused),
        unread or {},
        prices or listed(),
        tuple(later),
    )


def unread_lines(found: Review) -> list[str]:
    """Return what to say about stacks that were planned from their state alone."""
    return [
        f"{stack} was compared with its state only, because {why}: changes made outside Terraform are not shown."
        for stack, why in found.unread.items()
    ]


def cost_lines(found: Review) -> list[str]:
    """Return what to say about the price of the changes; nothing when there is nothing to say."""
    lines = []
    if found.priced:
        with_later = f", with {', '.join(found.waiting)}" if found.later else ""
        asked = f"; `llmctl cost {found.environment}` shows each resource"
        lines.append(f"Cost{with_later}: {found.cost}, by {found.prices}{asked}.")
    if found.unpriced:
        lines.append(f"No price known here for: {', '.join(found.unpriced)}.")
    return lines


def as_json(found: Review) -> dict[str, Any]:
    """Return the review for a program to read."""
    return {
        "environment": found.environment,
        "pending": found.pending,
        "stacks": {name: _plan_as_json(plan) for name, plan in found.plans.items()},
        "not_plannable_yet": list(found.waiting),
        "failed": list(found.failed),
        "not_refreshed": dict(found.unread),
        "refused": [asdict(refusal) for refusal in found.refusals],
        "unused_allowances": [str(allowance) for allowance in found.unused],
        "cost_usd_per_month": {
            "low": round(found.cost.low, 2) if found.priced else None,
            "high": round(found.cost.high, 2) if found.priced else None,
            "source": str(found.prices) if found.priced else None,
            "unpriced": found.unpriced,
        },
    }


def _plan_as_json(plan: Plan) -> dict[str, Any]:
    return {
        **asdict(plan.changes),
        "lost": list(plan.lost),
        "resources": [
            {
                "address": change.address,
                "action": change.kind.value,
                "because": list(change.because),
                "moved_from": change.moved_from or None,
                "changed_outside_terraform": change.outside,
                "attributes": [asdict(difference) for difference in change.differences],
                "values": list(change.values),
            }
            for change in plan.resources
        ],
    }
