"""Every resource in turn refused, throttled, slow, or made with its answer lost."""

from collections.abc import Iterator

from .base import Finding, Play, Size
from .recovery import Recovery, recover
from .stage import Stage
from .watched import watched

_EVERY = {"resource": "*", "on": "create", "times": 1, "each": True}


def each_resource(*, waits: bool = False, **fault: object) -> Play:
    """Return what lets every resource of a stack meet the error once, when it is made.

    `waits` says that nothing fails: the first deployment has to end well, only later.
    """

    def play(stage: Stage, size: Size) -> Iterator[Finding]:
        for stack in size.of(stage):

            def deployed(stack: str = stack) -> Recovery:
                stage.faults({**_EVERY, **fault, "stack": stack})
                # The faults stay: each strikes once, and those of later resources come with later runs.
                recovery = recover(stage, stack)
                if (met := stage.cloud().faults_met()) < stage.told_apart[stack]:
                    recovery.unexplained.append(f"only {met} of {stage.told_apart[stack]} resources met it")
                if (recovery.runs == 1) is not waits:
                    recovery.unexplained.append("a deployment failed" if waits else "nothing failed")
                return recovery

            yield watched(stage, f"{stack}: each of {stage.writes[stack]}", deployed, stack, moment=f"before {stack}")

    return play


failing = each_resource(effect="fail")
throttled = each_resource(waits=True, effect="throttle", seconds=0.2)
slow = each_resource(waits=True, effect="wait", seconds=1)
answer_lost = each_resource(effect="lose-answer")
