"""What a simulated policy costs and how long its users wait."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from .policies import Policy

SLOW_S = 30
"""A wait that users notice as more than a slow answer."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of the values that at least `share` of them do not exceed (nearest rank); 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


@dataclass(frozen=True)
class Outcome:
    """One policy, played to the end of the trace."""

    policy: Policy
    days: float
    arrivals: int
    waits_s: tuple[float, ...]
    """Waits of the answered requests, in the order of their answers."""
    refused: int
    """Answered 503 at once, since too many were waiting."""
    timed_out: int
    """Answered 503 after the wait limit."""
    interrupted: int
    """Computations cut off by a lost node or a too long drain; their requests were tried again."""
    cold_starts: int
    """Requests that had to start the model from zero replicas."""
    cold_requests: int
    """Requests that came when no replica was ready."""
    node_intervals_s: tuple[tuple[float, float], ...]
    """When each node was there, from its creation to its removal or the end."""
    gpu_hours: float
    cost_usd: float
    busy_share: float
    """Part of the paid capacity that computed answers."""
    later_node_hours: float = 0.0
    """Node hours on later pools than the first."""

    @property
    def served(self) -> int:
        """Answered requests."""
        return len(self.waits_s)

    def wait_s(self, share: float) -> float:
        """Return the wait that `share` of the answered requests did not exceed."""
        return percentile(self.waits_s, share)

    def slow_share(self, limit_s: float) -> float:
        """Return the part of all requests that waited longer than the limit or got no answer."""
        quick = sum(wait <= limit_s for wait in self.waits_s)
        return 1 - quick / self.arrivals if self.arrivals else 0.0

    @property
    def per_week(self) -> float:
        """Factor from the trace's length to a week."""
        return 7 / self.days

    @property
    def usd_per_1000_answers(self) -> float | None:
        """Cost of a thousand answers; None without any."""
        return 1000 * self.cost_usd / self.served if self.served else None

    def plain(self) -> dict[str, Any]:
        """Return the figures for a program."""
        fields = asdict(self)
        del fields["waits_s"], fields["node_intervals_s"]
        return fields | {
            "served": self.served,
            "wait_mean_s": sum(self.waits_s) / self.served if self.served else 0.0,
            **{f"wait_p{round(share * 100)}_s": self.wait_s(share) for share in (0.5, 0.95, 0.99)},
            f"slow_share_{SLOW_S}_s": self.slow_share(SLOW_S),
            "wait_max_s": max(self.waits_s, default=0.0),
            "usd_per_1000_answers": self.usd_per_1000_answers,
        }
