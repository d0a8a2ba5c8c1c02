"""The lower half of the picture: the components in the cluster, and the traffic between them."""

from collections.abc import Mapping, Sequence

from .canvas import MARGIN, WIDTH, Box, Canvas, number, wrapped
from .columns import places_of
from .description import ComponentPart

_COMPONENT = (222.0, 116.0)
_STEP = 146.0
"""From one row of components to the next."""


def draw_cluster(canvas: Canvas, components: Sequence[ComponentPart], top: float) -> float:
    """Draw the components in columns from the ingress on, and those that nobody calls below; return where it ends."""
    connected = {part.name for part in components if part.calls} | {it for part in components for it in part.calls}
    called = [part for part in components if part.name in connected]
    beside = [part for part in components if part.name not in connected]
    places = places_of(called)
    far = [
        (part.name, callee) for part in called for callee in part.calls if places[callee][0] > places[part.name][0] + 1
    ]
    inner = top + 72 + 16 * len(far)
    boxes = _boxes(places, inner)
    beside_top = max(box.bottom for box in boxes.values()) + 40
    bottom = beside_top + 98
    canvas.box(Box(MARGIN, top, WIDTH - 2 * MARGIN, bottom - top), "cluster")
    canvas.text(MARGIN + 14, top + 26, "The cluster: components of the stack platform", "title")
    canvas.text(
        MARGIN + 14,
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


def _boxes(places: Mapping[str, tuple[int, int]], top: float) -> dict[str, Box]:
    width, height = _COMPONENT
    columns = 1 + max(column for column, _ in places.values())
    step = (WIDTH - 2 * MARGIN - 28 - width) / max(columns - 1, 1)
    return {
        name: Box(MARGIN + 14 + column * step, top + row * _STEP, width, height)
        for name, (column, row) in places.items()
    }


def _beside(canvas: Canvas, parts: Sequence[ComponentPart], top: float) -> None:
    canvas.text(MARGIN + 14, top, "Components that serve the others", "quiet")
    share = (WIDTH - 2 * MARGIN - 28 + 12) / max(len(parts), 1)
    for index, part in enumerate(parts):
        box = Box(MARGIN + 14 + index * share, top + 10, share - 12, 72)
        canvas.box(box, "box")
        canvas.text(box.left + 10, box.top + 21, _title(part), "title")
        canvas.lines(box.left + 10, box.top + 40, wrapped(part.summary, box.width - 16)[:2], "quiet", 16)


def _title(part: ComponentPart) -> str:
    return part.name.replace("_", " ")


def _component_box(canvas: Canvas, part: ComponentPart, box: Box) -> None:
    canvas.box(box, "box")
    canvas.text(box.left + 10, box.top + 22, _title(part), "title")
    canvas.lines(box.left + 10, box.top + 42, wrapped(part.summary, box.width - 16)[:3], "quiet", 16)
    if part.hosts:
        canvas.text(box.left + 10, box.bottom - 10, " ".join(f"{host}.<domain>" for host in part.hosts), "small")
    if part.uses_database:
        canvas.text(box.right - 10, box.bottom - 10, "PostgreSQL", "small", "end")


def _call(canvas: Canvas, source: Box, target: Box, label: str, *, both_ways: bool) -> None:
    """Draw a call to the next column, or back to the one before."""
    back = target.left < source.left
    shift = (12 if back else -12) if both_ways else 0
    start, end = source.middle + shift, target.middle + shift
    first, last = (source.left, target.right) if back else (source.right, target.left)
    sign = -1 if back else 1
    bend = (first + last) / 2
    canvas.path(
        f"M{number(first)} {number(start)} C{number(bend)} {number(start)} {number(bend)} {number(end)}"
        f" {number(last - 7 * sign)} {number(end)}",
        "call",
    )
    canvas.head(last, end, "left" if back else "right")
    if back:
        canvas.text(first - 14, start + 16, label, "small", "end")
    else:
        canvas.text(last - 14, end + (16 if end > start else -7), label, "small", "end")


def _call_over(canvas: Canvas, source: Box, target: Box, label: str, *, lane: int, y: float) -> None:
    """Draw a call that passes over the columns between."""
    x = source.right - 24 - 18 * lane
    end = target.left + 40
    canvas.path(f"M{number(x)} {number(source.top)} V{number(y)} H{number(end)} V{number(target.top - 7)}", "call")
    canvas.head(end, target.top, "down")
    canvas.text(end + 8, target.top - 6, label, "small")
