"""What the picture is drawn with: boxes, texts, lines and arrows of one SVG, for light and dark pages."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

WIDTH = 1200
MARGIN = 24
_STYLE = """
  svg { --page: #ffffff; --text: #1f2328; --quiet: #59636e; --line: #8c959f; --box: #ffffff;
        --durable: #dafbe1; --durable-line: #1a7f37; --disposable: #ddf4ff; --disposable-line: #0969da;
        --cluster: #f6f8fa; }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --text: #e6edf3; --quiet: #9198a1; --line: #6e7681; --box: #161b22;
          --durable: #12261e; --durable-line: #3fb950; --disposable: #121d2f; --disposable-line: #4493f8;
          --cluster: #10151d; }
  }
  text { font: 14px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; fill: var(--text); }
  .title { font-size: 16px; font-weight: 600; }
  .quiet { fill: var(--quiet); font-size: 13px; }
  .small { fill: var(--quiet); font-size: 12px; }
  .durable { fill: var(--durable); stroke: var(--durable-line); }
  .disposable { fill: var(--disposable); stroke: var(--disposable-line); }
  .durable-line { stroke: var(--durable-line); } .disposable-line { stroke: var(--disposable-line); }
  .durable-dot { fill: var(--durable-line); } .disposable-dot { fill: var(--disposable-line); }
  .box { fill: var(--box); stroke: var(--line); } .cluster { fill: var(--cluster); stroke: var(--disposable-line); }
  .call { fill: none; stroke: var(--text); stroke-width: 1.5; }
  .arrow { fill: var(--text); }
  .rail { stroke-width: 2; fill: none; }
"""


@dataclass(frozen=True, slots=True)
class Box:
    """A place in the picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height

    @property
    def middle(self) -> float:
        """Half way between top and bottom."""
        return self.top + self.height / 2


class Canvas:
    """Collects the elements of one SVG."""

    def __init__(self) -> None:
        self.root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
        self.title = ElementTree.SubElement(self.root, "title")
        ElementTree.SubElement(self.root, "style").text = _STYLE
        self.page = self._add("rect", x=0, y=0, style="fill: var(--page)")

    def _add(self, tag: str, **attributes: object) -> ElementTree.Element:
        named = {key.replace("_", "-"): number(value) for key, value in attributes.items()}
        return ElementTree.SubElement(self.root, tag, named)

    def box(self, box: Box, kind: str) -> None:
        """Draw a rectangle of a class of the style."""
        self._add("rect", x=box.left, y=box.top, width=box.width, height=box.height, rx=6, **{"class": kind})

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """Write one line that starts at a point, or ends or has its middle there."""
        self._add("text", x=x, y=y, text_anchor=anchor, **{"class": kind}).text = text

    def lines(self, x: float, y: float, lines: Iterable[str], kind: str, step: float = 16) -> float:
        """Write lines below each other; return where the next one would stand."""
        for line in lines:
            self.text(x, y, line, kind)
            y += step
        return y

    def path(self, drawn: str, kind: str) -> None:
        """Draw a line in SVG's own notation."""
        self._add("path", d=drawn, **{"class": kind})

    def dot(self, x: float, y: float, kind: str) -> None:
        """Mark a point."""
        self._add("circle", cx=x, cy=y, r=5, **{"class": kind})

    def head(self, x: float, y: float, direction: str) -> None:
        """Draw the head of an arrow that ends at a point."""
        ends = {"down": ((-5, -8), (5, -8)), "right": ((-8, -5), (-8, 5)), "left": ((8, -5), (8, 5))}[direction]
        points = [(x, y), *((x + across, y + along) for across, along in ends)]
        self._add("polygon", points=" ".join(f"{number(a)},{number(b)}" for a, b in points), **{"class": "arrow"})

    def finish(self, height: float, title: str) -> str:
        """Return the file's text, now that the height is known."""
        self.title.text = title
        self.root.set("viewBox", f"0 0 {WIDTH} {number(height)}")
        self.page.set("width", str(WIDTH))
        self.page.set("height", number(height))
        ElementTree.indent(self.root)
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"


def number(value: object) -> str:
    """Return a coordinate without a needless fraction."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def wrapped(text: str, width: float) -> list[str]:
    """Return a text in lines that fit a width."""
    return textwrap.wrap(text, width=int(width / 6.9))
