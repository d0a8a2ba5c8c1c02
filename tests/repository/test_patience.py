"""No test gives up on a busy machine: limits of seconds are `PATIENCE_S`, or as generous.

A machine that does other work takes ten times as long. What shall not happen may be waited for shortly, and whoever
asks again and again may wait shortly for each answer: both are listed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
ENOUGH_S = 120
WAITS = frozenset({"acquire", "communicate", "join", "result", "wait", "wait_for", "wait_procs"})
"""Functions that take their limit by position."""
SHORT = {
    "cli/models/test_model_commands.py": "lets a thread run that is not finished yet",
    "cluster/test_api.py": "nothing listens there",
    "components/chat/test_chat_drain.py": "has to wait meanwhile",
    "images/test_images_work.py": "must not begin meanwhile",
    "support/ingress/firewall_rules.py": "asks again and again until one limit for all",
    "support/programs/processes.py": "asks again and again until one limit for all",
}
"""Files with a short wait, and why it is none that a busy machine breaks."""


def limits(tree: ast.AST) -> Iterator[tuple[int, float]]:
    """Yield line and seconds of each limit that a number states."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [keyword.value for keyword in node.keywords if keyword.arg in {"timeout", "timeout_s"}]
            given += node.args if name in WAITS else []
        elif isinstance(node, ast.BinOp) and "monotonic" in ast.unparse(node.left):
            given = [node.right]
        else:
            continue
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
                yield value.lineno, value.value


def test_no_limit_is_one_of_seconds() -> None:
    short = {
        (path.relative_to(TESTS).as_posix(), line, seconds)
        for path in TESTS.rglob("*.py")
        for line, seconds in limits(ast.parse(path.read_text("utf-8")))
        if seconds < ENOUGH_S
    }
    assert [limit for limit in sorted(short) if limit[0] not in SHORT] == []
    assert {file for file, *_ in short} == set(SHORT)


def test_every_way_to_state_a_limit_is_found() -> None:
    source = "\n".join(
        (
            "done.wait(5)",
            "process.communicate(timeout=10)",
            "until = time.monotonic() + 20",
            "wait_for(lambda: ready, 30, log)",
            "process.wait(PATIENCE_S)",
        )
    )
    assert list(limits(ast.parse(source))) == [(1, 5), (2, 10), (3, 20), (4, 30)]
