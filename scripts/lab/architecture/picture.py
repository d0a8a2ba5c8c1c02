"""Draws a description as one SVG: stacks with rails for what they read of each other, components below.

Layout follows from the description: durable stacks are columns, disposable ones rows; components stand in columns by
how far they are from the ingress, and those that nobody calls stand in a row of their own.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from stacks.common.base import Tier

from .description import ComponentPart, Description, StackPart

_WIDTH = 1200
_MARGIN = 24
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
class _Box:
    """A place in the picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.top + self.height / 2

    @property
    def centre(self) -> float:
        return self.left + self.width / 2


class _Canvas:
    """Collects the elements of one SVG."""

    def __init__(self) -> None:
        self.root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
        self.title = ElementTree.SubElement(self.root, "title")
        ElementTree.SubElement(self.root, "style").text = _STYLE
        self.page = self._add("rect", x=0, y=0, style="fill: var(--page)")

    def _add(self, tag: str, **attributes: object) -> ElementTree.Element:
        named = {key.replace("_", "-"): _number(value) for key, value in attributes.items()}
        return ElementTree.SubElement(self.root, tag, named)

    def box(self, box: _Box, kind: str) -> None:
        self._add("rect", x=box.left, y=box.top, width=box.width, height=box.height, rx=6, **{"class": kind})

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        self._add("text", x=x, y=y, text_anchor=anchor, **{"class": kind}).text = text

    def lines(self, x: float, y: float, lines: Iterable[str], kind: str, step: float = 16) -> float:
        for line in lines:
            self.text(x, y, line, kind)
            y += step
        return y

    def path(self, drawn: str, kind: str) -> None:
        self._add("path", d=drawn, **{"class": kind})

    def dot(self, x: float, y: float, kind: str) -> None:
        self._add("circle", cx=x, cy=y, r=5, **{"class": kind})

    def head(self, x: float, y: float, direction: str) -> None:
        """Draw the head of an arrow that ends at a point."""
        ends = {"down": ((-5, -8), (5, -8)), "right": ((-8, -5), (-8, 5)), "left": ((8, -5), (8, 5))}[direction]
        points = [(x, y), *((x + across, y + along) for across, along in ends)]
        self._add("polygon", points=" ".join(f"{_number(a)},{_number(b)}" for a, b in points), **{"class": "arrow"})

    def finish(self, height: float, title: str) -> str:
        self.title.text = title
        self.root.set("viewBox", f"0 0 {_WIDTH} {_number(height)}")
        self.page.set("width", str(_WIDTH))
        self.page.set("height", _number(height))
        ElementTree.indent(self.root)
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def draw(description: Description) -> str:
    """Return the picture as the text of an SVG file, which adapts to light and dark pages."""
    canvas = _Canvas()
    bottom = _stacks(canvas, description.stacks)
    bottom = _cluster(canvas, description.components, top=bottom + 28)
    return canvas.finish(bottom + _MARGIN, "The stacks of an environment and the components in its cluster")


_LABEL = 192
"""Width of the column that holds the disposable stacks."""
_HEAD = 148
_ROW = 138


def _stacks(canvas: _Canvas, stacks: Sequence[StackPart]) -> float:
    durable = [stack for stack in stacks if stack.tier is Tier.DURABLE]
    rows = [stack for stack in stacks if stack.tier is Tier.DISPOSABLE]
    producers = [*durable, *rows[:-1]]
    column = (_WIDTH - 2 * _MARGIN - _LABEL) / len(producers)
    lefts = {stack.name: _MARGIN + _LABEL + index * column for index, stack in enumerate(producers)}
    head = 74.0
    canvas.text(_MARGIN, 30, "One environment file becomes these stacks", "title")
    canvas.text(_MARGIN, 50, "Lines: outputs that a stack reads from the state of another one.", "quiet")
    canvas.text(_MARGIN, head + 20, "Durable tier", "title")
    canvas.lines(_MARGIN, head + 42, ("holds data and names;", "refuses to be deleted"), "quiet")
    canvas.text(_MARGIN, head + _HEAD - 22, "Disposable tier", "title")
    canvas.text(_MARGIN, head + _HEAD, "can be created again", "quiet")
    for stack in durable:
        _stack_box(canvas, stack, _Box(lefts[stack.name], head, column - 14, _HEAD))
    top = head + _HEAD + 22
    tops = {stack.name: top + index * _ROW for index, stack in enumerate(rows)}
    last_row = {
        producer.name: max((tops[row.name] for row in rows if producer.name in row.reads), default=0.0)
        for producer in producers
    }
    for producer in producers:
        rail = lefts[producer.name] + 14
        start = head + _HEAD if producer in durable else tops[producer.name] + 92
        if last_row[producer.name]:
            canvas.path(f"M{_number(rail)} {_number(start)} V{_number(last_row[producer.name] + 16)}", _rail(producer))
    for row in rows:
        _row(
            canvas,
            row,
            tops[row.name],
            column=column,
            lefts=lefts,
            producers={stack.name: stack for stack in producers},
        )
    return top + len(rows) * _ROW


def _rail(stack: StackPart) -> str:
    return f"rail {stack.tier}-line"


def _stack_box(canvas: _Canvas, stack: StackPart, box: _Box) -> None:
    canvas.box(box, stack.tier)
    canvas.text(box.left + 10, box.top + 22, stack.name, "title")
    canvas.lines(box.left + 10, box.top + 42, _wrapped(stack.owns, box.width - 16), "quiet", 16)


def _row(
    canvas: _Canvas,
    row: StackPart,
    top: float,
    *,
    column: float,
    lefts: Mapping[str, float],
    producers: Mapping[str, StackPart],
) -> None:
    box = _Box(_MARGIN, top, _LABEL - 16, _ROW - 14)
    _stack_box(canvas, row, box)
    if row.name in lefts:
        rail = lefts[row.name] + 14
        canvas.path(f"M{_number(box.right)} {_number(top + 92)} H{_number(rail)}", _rail(row))
    for name in sorted(row.reads, key=lefts.__getitem__):
        x = lefts[name] + 14
        canvas.dot(x, top + 16, f"{producers[name].tier}-dot")
        outputs = row.reads[name]
        shown = outputs if len(outputs) <= 4 else (*outputs[:3], f"and {len(outputs) - 3} more")
        canvas.lines(x + 12, top + 20, (_shortened(it, column - 40) for it in shown), "small", 15)


def _wrapped(text: str, width: float) -> list[str]:
    return textwrap.wrap(text, width=int(width / 6.9))


def _shortened(text: str, width: float) -> str:
    most = int(width / 6.3)
    return text if len(text) <= most else text[: most - 1] + "…"


_COMPONENT = (222.0, 116.0)
_STEP = 146.0
"""From one row of components to the next."""


def _cluster(canvas: _Canvas, components: Sequence[ComponentPart], top: float) -> float:
    connected = {part.name for part in components if part.calls} | {it for part in components for it in part.calls}
    called = [part for part in components if part.name in connected]
    beside = [part for part in components if part.name not in connected]
    places = _places(called)
    far = [
        (part.name, callee) for part in called for callee in part.calls if places[callee][0] > places[part.name][0] + 1
    ]
    inner = top + 72 + 16 * len(far)
    boxes = _boxes(places, inner)
    beside_top = max(box.bottom for box in boxes.values()) + 40
    bottom = beside_top + 98
    canvas.box(_Box(_MARGIN, top, _WIDTH - 2 * _MARGIN, bottom - top), "cluster")
    canvas.text(_MARGIN + 14, top + 26, "The cluster: components of the stack platform", "title")
    canvas.text(
        _MARGIN + 14,
        top + 46,
        "Arrows: allowed traffic, with the receiving pod's port. All other traffic is denied.",
        "quiet",
    )
    for part in called:
        for callee, ports in part.calls.items():
            label = ", ".join(map(str, ports))
            if (part.name, callee) in far:
                lane = far.index((part.name, callee))
                _call_over(canvas, boxes[part.name], boxes[callee], label, lane=lane, y=inner - 14 - 16 * lane)
            else:
                both_ways = part.name in next(other.calls for other in called if other.name == callee)
                _call(canvas, boxes[part.name], boxes[callee], label, both_ways=both_ways)
    for part in called:
        _component_box(canvas, part, boxes[part.name])
    _beside(canvas, beside, beside_top)
    return bottom


def _boxes(places: Mapping[str, tuple[int, int]], top: float) -> dict[str, _Box]:
    width, height = _COMPONENT
    columns = 1 + max(column for column, _ in places.values())
    step = (_WIDTH - 2 * _MARGIN - 28 - width) / max(columns - 1, 1)
    return {
        name: _Box(_MARGIN + 14 + column * step, top + row * _STEP, width, height)
        for name, (column, row) in places.items()
    }


def _beside(canvas: _Canvas, parts: Sequence[ComponentPart], top: float) -> None:
    canvas.text(_MARGIN + 14, top, "Components that serve the others", "quiet")
    share = (_WIDTH - 2 * _MARGIN - 28 + 12) / max(len(parts), 1)
    for index, part in enumerate(parts):
        box = _Box(_MARGIN + 14 + index * share, top + 10, share - 12, 72)
        canvas.box(box, "box")
        canvas.text(box.left + 10, box.top + 21, _title(part), "title")
        canvas.lines(box.left + 10, box.top + 40, _wrapped(part.summary, box.width - 16)[:2], "quiet", 16)


def _places(parts: Sequence[ComponentPart]) -> dict[str, tuple[int, int]]:
    """Return column and row: the column is the longest way from whoever nobody calls; calls back do not count."""
    by_name = {part.name: part for part in parts}
    forward = _without_calls_back(by_name)
    columns: dict[str, int] = {}

    def visit(name: str, column: int) -> None:
        columns[name] = max(columns.get(name, 0), column)
        for callee in forward[name]:
            visit(callee, column + 1)

    for start in _starts(by_name):
        visit(start, 0)
    taken: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for part in sorted(parts, key=lambda it: (columns[it.name], not it.calls)):
        column = columns[part.name]
        places[part.name] = (column, taken.get(column, 0))
        taken[column] = taken.get(column, 0) + 1
    return places


def _starts(parts: Mapping[str, ComponentPart]) -> list[str]:
    called = {callee for part in parts.values() for callee in part.calls}
    return [name for name in parts if name not in called] or list(parts)[:1]


def _without_calls_back(parts: Mapping[str, ComponentPart]) -> dict[str, list[str]]:
    forward: dict[str, list[str]] = {}

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in forward:
            return
        forward[name] = [callee for callee in parts[name].calls if callee not in way]
        for callee in forward[name]:
            visit(callee, (*way, callee))

    for start in _starts(parts):
        visit(start, (start,))
    return forward


def _title(part: ComponentPart) -> str:
    return part.name.replace("_", " ")


def _component_box(canvas: _Canvas, part: ComponentPart, box: _Box) -> None:
    canvas.box(box, "box")
    canvas.text(box.left + 10, box.top + 22, _title(part), "title")
    canvas.lines(box.left + 10, box.top + 42, _wrapped(part.summary, box.width - 16)[:3], "quiet", 16)
    if part.hosts:
        canvas.text(box.left + 10, box.bottom - 10, " ".join(f"{host}.<domain>" for host in part.hosts), "small")
    if part.uses_database:
        canvas.text(box.right - 10, box.bottom - 10, "PostgreSQL", "small", "end")


def _call(canvas: _Canvas, source: _Box, target: _Box, label: str, *, both_ways: bool) -> None:
    """Draw a call to the next column, or back to the one before."""
    back = target.left < source.left
    shift = (12 if back else -12) if both_ways else 0
    start, end = source.middle + shift, target.middle + shift
    first, last = (source.left, target.right) if back else (source.right, target.left)
    sign = -1 if back else 1
    bend = (first + last) / 2
    canvas.path(
        f"M{_number(first)} {_number(start)} C{_number(bend)} {_number(start)} {_number(bend)} {_number(end)}"
        f" {_number(last - 7 * sign)} {_number(end)}",
        "call",
    )
    canvas.head(last, end, "left" if back else "right")
    if back:
        canvas.text(first - 14, start + 16, label, "small", "end")
    else:
        canvas.text(last - 14, end + (16 if end > start else -7), label, "small", "end")


def _call_over(canvas: _Canvas, source: _Box, target: _Box, label: str, *, lane: int, y: float) -> None:
    """Draw a call that passes over the columns between."""
    x = source.right - 24 - 18 * lane
    end = target.left + 40
    canvas.path(f"M{_number(x)} {_number(source.top)} V{_number(y)} H{_number(end)} V{_number(target.top - 7)}", "call")
    canvas.head(end, target.top, "down")
    canvas.text(end + 8, target.top - 6, label, "small")
