"""In which column and row each component stands, from who calls whom."""

from collections.abc import Mapping, Sequence

from .description import ComponentPart


def places_of(parts: Sequence[ComponentPart]) -> dict[str, tuple[int, int]]:
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
