"""Says above an answer that its model has not begun: engines start from zero, which takes minutes.

Source of a filter function of Open WebUI 0.12, kept in its database by write_functions.py. Environment:
WAITING_STATUS_SECONDS, after which the line is shown; HOLD_MINUTES, the longest that a request is held; POOLS_IN_ORDER,
for models that run on several kinds of nodes: which, as a JSON object by the model's name.
"""

import asyncio
import json
import os

AGAIN_S = 60
"""How often the line is renewed: each is kept with the message, hidden at the end."""
LONGEST_HIDING_S = 5
"""How long an answer waits for its line to be hidden, where the way to the page is slow."""


class Filter:
    """Watches every chat from the question to the first part of its answer."""

    def __init__(self):
        self._watching = {}

    async def inlet(self, body, __event_emitter__=None, __metadata__=None):
        """Begin to watch; programs, which have no page that shows a line, are left alone."""
        message = (__metadata__ or {}).get("message_id")
        if __event_emitter__ and message:
            answered = asyncio.Event()
            watch = asyncio.create_task(_watch(__event_emitter__, str(body.get("model")), answered))
            self._watching[message] = (answered, watch)
            # This task ends with the answer, with its failure, and when somebody presses stop.
            asyncio.current_task().add_done_callback(lambda _: self._end(message))
        return body

    async def stream(self, event, __metadata__=None):
        """End with the first part, whatever it is.

        Only a message's last line counts, and a hidden one hides those before it: the line is hidden before the part
        goes on, which may bring a line of its own (that the answer left the network).
        """
        if watch := self._end((__metadata__ or {}).get("message_id")):
            await asyncio.wait({watch}, timeout=LONGEST_HIDING_S)
        return event

    def _end(self, message):
        answered, watch = self._watching.pop(message, (None, None))
        if answered:
            answered.set()
        return watch


async def _watch(emit, model, answered):
    """Show how long somebody waits until `answered` is set, then hide it."""
    waited, shown, pause = 0, False, int(os.environ.get("WAITING_STATUS_SECONDS", "10"))
    while not await _within(answered, pause):
        waited += pause
        await emit({"type": "status", "data": {"description": line(model, waited, os.environ), "done": False}})
        shown, pause = True, AGAIN_S
    if shown:
        await emit({"type": "status", "data": {"description": "", "done": True, "hidden": True}})


async def _within(answered, seconds):
    try:
        await asyncio.wait_for(answered.wait(), seconds)
    except TimeoutError:
        return False
    return True


def line(model, waited, environment):
    """Return what is said after `waited` seconds."""
    most = environment.get("HOLD_MINUTES", "15")
    so_far = f"{waited} seconds" if waited < AGAIN_S else f"{waited // 60} min"
    pools = json.loads(environment.get("POOLS_IN_ORDER", "{}")).get(model)
    starting = f"it is starting (waiting for {pools})" if pools else "it is starting"
    return (
        f"{model} has not begun to answer ({so_far}): {starting}, or answers others first. Nothing to do here: the"
        f" answer comes by itself, or after {most} minutes the reason why not."
    )
