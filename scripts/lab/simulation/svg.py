"""Line charts as SVG: same figures, same file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10
from xml.sax.saxutils import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette, which colour-blind people tell apart."""
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 42, 48


@dataclass(frozen=True)
class Axis:
    """One axis: its range, where its ticks are, and what they are called."""

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1; what is outside goes to the end."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass
class Chart:
    """A plot area with two axes, to which lines and points are added."""

    title: str
    x: Axis
    y: Axis
    width: int = 760
    height: int = 300
    _marks: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str]] = field(default_factory=list)

    def line(self, points: Sequence[tuple[float, float]], name: str, *, dots: Sequence[str] = ()) -> None:
        """Add a line with its own colour; `dots` are texts for its points, which are then shown as dots."""
        colour = COLOURS[len(self._legend) % len(COLOURS)]
        self._legend.append((name, colour))
        places = [self._place(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        self._marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        for (x, y), text in zip(places, dots, strict=False):
            self._marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')
            self._marks.append(_text(x + 6, y - 6, text, size=11, colour=colour))

    def area(self, points: Sequence[tuple[float, float]], name: str) -> None:
        """Add a filled curve that stands on the horizontal axis."""
        colour = COLOURS[len(self._legend) % len(COLOURS)]
        self._legend.append((name, colour))
        base = [(points[-1][0], self.y.low), (points[0][0], self.y.low)]
        path = " ".join("{:.1f},{:.1f}".format(*self._place(*point)) for point in [*points, *base])
        self._marks.append(f'<polygon points="{path}" fill="{colour}" fill-opacity="0.55"/>')

    def svg(self, offset: int = 0) -> str:
        """Return the chart as a group, moved down by `offset`."""
        right, bottom = self.width - RIGHT, self.height - BOTTOM
        parts = [f'<g transform="translate(0,{offset})">', _text(LEFT, 18, self.title, size=14, weight="bold")]
        for value, text in self.x.ticks:
            x, _ = self._place(value, self.y.low)
            parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#e4e4e4"/>')
            parts.append(_text(x, bottom + 16, text, anchor="middle"))
        for value, text in self.y.ticks:
            _, y = self._place(self.x.low, value)
            parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#e4e4e4"/>')
            parts.append(_text(LEFT - 8, y + 4, text, anchor="end"))
        parts.append(_text((LEFT + right) / 2, self.height - 12, self.x.title, anchor="middle"))
        middle = (TOP + bottom) / 2
        turned = f' transform="rotate(-90 16 {middle:.1f})"'
        parts.append(_text(16, middle, self.y.title, anchor="middle", extra=turned))
        parts += self._marks
        at = float(LEFT)
        for name, colour in self._legend:
            parts.append(f'<rect x="{at:.1f}" y="26" width="12" height="4" fill="{colour}"/>')
            parts.append(_text(at + 16, 32, name))
            at += 34 + 6.6 * len(name)
        return "\n".join([*parts, "</g>"])

    def _place(self, x: float, y: float) -> tuple[float, float]:
        width, height = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        return LEFT + self.x.share(x) * width, TOP + (1 - self.y.share(y)) * height


def document(charts: Sequence[Chart]) -> str:
    """Return the charts, one below the other, as an SVG file."""
    width, height = max(chart.width for chart in charts), sum(chart.height for chart in charts)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    offset = 0
    for chart in charts:
        lines.append(chart.svg(offset))
        offset += chart.height
    return "\n".join([*lines, "</svg>", ""])


def _text(
    x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", colour: str = "#333333",
    weight: str = "normal", extra: str = "",
) -> str:  # fmt: skip
    look = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}{extra}>{escape(text)}</text>'
