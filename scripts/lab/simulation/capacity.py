"""When Azure has no spot capacity, and how long the cluster autoscaler takes to go to the next pool for it."""

from random import Random

from .scenario import PoolTerms

HOUR_S = 3600.0


class Capacity:
    """Gaps of one pool in which Azure gives it no node: at random, of random length, none for regular nodes."""

    def __init__(self, pool: PoolTerms, seed: str) -> None:
        self._gaps_per_hour = pool.gaps_per_hour
        self._gap_s = pool.gap_hours * HOUR_S
        self._random = Random(f"{seed} capacity")  # noqa: S311 - a simulation has to be repeatable
        self._begins_s = self._ends_s = 0.0
        self._gap_after(0.0)

    def at(self, now_s: float) -> bool:
        """Tell whether a node can be had; moments are asked for in their order."""
        while self._ends_s <= now_s:
            self._gap_after(self._ends_s)
        return now_s < self._begins_s

    def _gap_after(self, moment_s: float) -> None:
        if not self._gaps_per_hour:
            self._begins_s = self._ends_s = float("inf")
            return
        self._begins_s = moment_s + self._random.expovariate(self._gaps_per_hour / HOUR_S)
        self._ends_s = self._begins_s + self._random.expovariate(1 / self._gap_s)


class Attempts:
    """What the cluster autoscaler knows of a pool that gave no node: it waits, then leaves it alone for a while."""

    def __init__(self, give_up_s: float, back_off_s: float) -> None:
        self._give_up_s, self._back_off_s = give_up_s, back_off_s
        self.waits_until_s = float("-inf")
        self.blocked_until_s = float("-inf")

    def failed(self, now_s: float) -> None:
        """Note that Azure has none, which it does not say."""
        self.waits_until_s = now_s + self._give_up_s
        self.blocked_until_s = self.waits_until_s + self._back_off_s
