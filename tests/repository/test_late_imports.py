"""An import inside a function says why it is not at the top: what it costs, or what may be missing.

That each of them bears ruff's mark (`PLC0415`) is ruff's to see; here the mark has its reason.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MARKED = re.compile(r"^\s+(?:import|from) .*# noqa: [A-Z0-9, ]*PLC0415(?P<said>.*)$")


def unexplained(text: str) -> Iterator[int]:
    """Yield the lines of late imports without a reason: one serves all that follow in the same block."""
    lines = text.splitlines()
    explained_at = -1
    for number, line in enumerate(lines):
        if (found := _MARKED.match(line)) is None:
            continue
        indent = len(line) - len(line.lstrip())
        between = [other for other in lines[explained_at + 1 : number] if other.strip()]
        follows = explained_at >= 0 and all(_goes_on(other, indent) for other in between)
        if found["said"].strip(" -") or lines[number - 1].lstrip().startswith("#") or follows:
            explained_at = number
        else:
            yield number + 1


def _goes_on(line: str, indent: int) -> bool:
    """Return whether a line between two imports belongs to one: another import, its names, or its end."""
    return len(line) - len(line.lstrip()) > indent or bool(re.match(r"\s*(?:\)$|import |from )", line))


def test_a_late_import_has_its_reason_beside_it() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {
        f"{name}:{line}"
        for name in tracked.split()
        if not name.startswith("tests/")
        for line in unexplained((ROOT / name).read_text("utf-8"))
    }
    assert found == set(), "move it to the top, or write what it costs behind the mark"


def test_what_counts_as_a_reason() -> None:
    source = """def a():
    import one  # noqa: PLC0415 - slow
    from two import (  # noqa: PLC0415
        three,
    )

    import four  # noqa: F401, PLC0415
    one.run()
    import five  # noqa: PLC0415


def b():
    # Of the image alone.
    import six  # type: ignore[x]  # noqa: PLC0415
    import seven  # noqa: PLC0415


def c():
    import eight  # noqa: PLC0415
"""
    assert list(unexplained(source)) == [9, 19]
