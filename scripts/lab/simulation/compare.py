"""Plays several policies and settings on the same trace."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from stacks.settings import Settings
from stacks.settings.models import ModelSettings

from .assumptions import Assumptions
from .outcome import Outcome
from .policies import Policy
from .run import horizon_s, simulate
from .scenario import scenario, varied
from .traffic import Request


@dataclass(frozen=True)
class Case:
    """One way to run the model, and what came of it."""

    policy: Policy
    idle_minutes: int
    max_replicas: int
    pools: int
    """How many of the model's pools may be used."""
    outcome: Outcome


def compare(
    requests: Sequence[Request],
    settings: Settings,
    model: ModelSettings,
    assumptions: Assumptions,
    *,
    policies: Sequence[Policy],
    idle_minutes: Sequence[int] = (),
    max_replicas: Sequence[int] = (),
    pools: Sequence[int] = (),
    seed: int = 0,
    until_s: float | None = None,
) -> list[Case]:
    """Return a case for every policy with every idle time and every replica limit, by default the model's own.

    Policies that never go to zero on their own do not differ by idle time and are played once for each limit.
    """
    end_s = until_s if until_s is not None else horizon_s(requests)
    cases = []
    for policy, most, used in product(policies, max_replicas or [model.max_replicas], pools or [len(model.pool)]):
        shorter = model.pool[:used]
        for idle in idle_minutes if idle_minutes and waits_before_zero(policy) else [model.idle_minutes]:
            played = scenario(*varied(settings, model, idle_minutes=idle, max_replicas=most, pool=shorter), assumptions)
            outcome = simulate(requests, played, assumptions, policy, seed=seed, until_s=end_s)
            cases.append(Case(policy, idle, most, len(shorter), outcome))
    return cases


def waits_before_zero(policy: Policy) -> bool:
    """Tell whether a policy goes to zero after idle time."""
    return policy in {Policy.SCALE_TO_ZERO, Policy.SCHEDULED}
