"""Keeps the platform's own function in Open WebUI's database: the line that says that a model has not begun to answer.

model_tools.py runs it. Environment: WAITING_STATUS_SECONDS, 0 to switch it off.
"""

import os
from pathlib import Path

from open_webui.models.functions import FunctionForm, FunctionMeta, Functions

NAME = "platform_waiting_status"
SOURCE = Path(__file__).with_name("waiting_status.py")


async def write_functions() -> None:
    """Make the record agree with the file and the environment, for all chats. Raises what the database raises."""
    on = os.environ.get("WAITING_STATUS_SECONDS", "0") != "0"
    record = await Functions.get_function_by_id(NAME)
    if record is None and not on:
        return
    content = SOURCE.read_text("utf-8")
    if record is None:
        meta = FunctionMeta(description="Shows that an engine is starting. The platform's own, written at every start.")
        form = FunctionForm(id=NAME, name="Waiting for a model", content=content, meta=meta)
        await Functions.insert_new_function("platform", "filter", form)
    desired = {"content": content, "is_active": on, "is_global": True}
    if record is None or any(getattr(record, key) != value for key, value in desired.items()):
        await Functions.update_function_by_id(NAME, desired, user_id="platform")
        print(f"write_functions: {NAME} is {'on' if on else 'off'}", flush=True)
