"""An amount of money a month, as a range."""

from dataclasses import dataclass

HOURS = 730
"""Hours that Azure's price lists count as a month."""


@dataclass(frozen=True)
class Cost:
    """US dollars a month; a range, because pools and servers scale."""

    low: float = 0.0
    high: float = 0.0
    known: bool = True
    """False where something costs or saves, but no price is known."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.low + other.low, self.high + other.high, self.known and other.known)

    def __sub__(self, other: "Cost") -> "Cost":
        """Return the difference of two ranges, lowest to lowest and highest to highest."""
        return Cost(self.low - other.low, self.high - other.high, self.known and other.known)

    def __str__(self) -> str:
        if round(self.low) == round(self.high):
            return f"{self.low:+,.0f} USD a month"
        return f"{self.low:+,.0f} to {self.high:+,.0f} USD a month"


UNKNOWN = Cost(known=False)
