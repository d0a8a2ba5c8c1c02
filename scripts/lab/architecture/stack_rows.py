"""The upper half of the picture: the stacks, and what they read of each other."""

from collections.abc import Mapping, Sequence

from stacks.common.base import Tier

from .canvas import MARGIN, WIDTH, Box, Canvas, number, wrapped
from .description import StackPart

_LABEL = 192
"""Width of the column that holds the disposable stacks."""
_HEAD = 148
_ROW = 138


def draw_stacks(canvas: Canvas, stacks: Sequence[StackPart]) -> float:
    """Draw durable stacks as columns and disposable ones as rows, with rails for outputs; return where it ends."""
    durable = [stack for stack in stacks if stack.tier is Tier.DURABLE]
    rows = [stack for stack in stacks if stack.tier is Tier.DISPOSABLE]
    producers = [*durable, *rows[:-1]]
    column = (WIDTH - 2 * MARGIN - _LABEL) / len(producers)
    lefts = {stack.name: MARGIN + _LABEL + index * column for index, stack in enumerate(producers)}
    head = 74.0
    canvas.text(MARGIN, 30, "One environment file becomes these stacks", "title")
    canvas.text(MARGIN, 50, "Lines: outputs that a stack reads from the state of another one.", "quiet")
    canvas.text(MARGIN, head + 20, "Durable tier", "title")
    canvas.lines(MARGIN, head + 42, ("holds data and names;", "refuses to be deleted"), "quiet")
    canvas.text(MARGIN, head + _HEAD - 22, "Disposable tier", "title")
    canvas.text(MARGIN, head + _HEAD, "can be created again", "quiet")
    for stack in durable:
        _stack_box(canvas, stack, Box(lefts[stack.name], head, column - 14, _HEAD))
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
            canvas.path(f"M{number(rail)} {number(start)} V{number(last_row[producer.name] + 16)}", _rail(producer))
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


def _stack_box(canvas: Canvas, stack: StackPart, box: Box) -> None:
    canvas.box(box, stack.tier)
    canvas.text(box.left + 10, box.top + 22, stack.name, "title")
    canvas.lines(box.left + 10, box.top + 42, wrapped(stack.owns, box.width - 16), "quiet", 16)


def _row(
    canvas: Canvas,
    row: StackPart,
    top: float,
    *,
    column: float,
    lefts: Mapping[str, float],
    producers: Mapping[str, StackPart],
) -> None:
    box = Box(MARGIN, top, _LABEL - 16, _ROW - 14)
    _stack_box(canvas, row, box)
    if row.name in lefts:
        rail = lefts[row.name] + 14
        canvas.path(f"M{number(box.right)} {number(top + 92)} H{number(rail)}", _rail(row))
    for name in sorted(row.reads, key=lefts.__getitem__):
        x = lefts[name] + 14
        canvas.dot(x, top + 16, f"{producers[name].tier}-dot")
        outputs = row.reads[name]
        shown = outputs if len(outputs) <= 4 else (*outputs[:3], f"and {len(outputs) - 3} more")
        canvas.lines(x + 12, top + 20, (_shortened(it, column - 40) for it in shown), "small", 15)


def _shortened(text: str, width: float) -> str:
    most = int(width / 6.3)
    return text if len(text) <= most else text[: most - 1] + "…"
