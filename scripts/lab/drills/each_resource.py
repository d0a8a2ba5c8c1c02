"""Every resource in turn refused, throttled, slow, or made with its answer lost."""

from collections.abc import Callable, Iterator

from .base import Finding, Size
from .killed import QUICK
from .stage import Recovery, Stage
from .watched import watched

_EVERY = {"resource": "*", "on": "create", "times": 1, "each": True}


def each_resource(**fault: object) -> Callable[[Stage, Size], Iterator[Finding]]:
    """Return what lets every resource of a stack meet the error once, when it is made."""

    def play(stage: Stage, size: Size) -> Iterator[Finding]:
        for stack in stage.stacks:
            if not size.everything and stack not in QUICK:
                continue

            def deployed(stack: str = stack) -> Recovery:
                stage.faults({**_EVERY, **fault, "stack": stack})
                # The faults stay: each strikes once, and those of later resources come with later runs.
                return stage.recover(stack)

            yield watched(stage, f"{stack}: each of {stage.writes[stack]}", deployed, stack, moment=f"before {stack}")

    return play


failing = each_resource(effect="fail")
throttled = each_resource(effect="throttle", seconds=0.2)
slow = each_resource(effect="wait", seconds=1)
answer_lost = each_resource(effect="lose-answer")
