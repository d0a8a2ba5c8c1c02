"""One thing that happens: the environment reset before it, compared after it."""

import time
from collections.abc import Callable

from .base import Finding
from .differences import differences
from .kept import Kept
from .recovery import Recovery
from .stage import WHOLE, Stage


def watched(stage: Stage, happened: str, play: Callable[[], Recovery], *stacks: str, moment: str = WHOLE) -> Finding:
    """Go back to a moment of the stage, play, and return what became of it, looking at `stacks`, or all.

    Whatever the play raises is a problem of the finding, so that the other findings are still made.
    """
    stage.reset(moment)
    before, began = Kept.of(stage.folder), time.monotonic()
    try:
        recovery, problem = play(), ""
        problem = differences(stage, *stacks, set_aside=recovery.set_aside) or "; ".join(recovery.unexplained)
    except Exception as error:  # noqa: BLE001 - a drill that breaks is a finding like any other
        recovery, problem = Recovery(), f"{type(error).__name__}: {error}"
    finally:
        stage.faults()
    lost, lost_bytes = before.lost(Kept.of(stage.folder))
    return Finding(
        happened=happened,
        runs=recovery.runs,
        taken_over=len(recovery.taken_over),
        problem=problem,
        lost=tuple(lost),
        lost_bytes=lost_bytes,
        seconds=time.monotonic() - began,
    )
