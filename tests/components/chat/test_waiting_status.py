"""The line above an answer that has not begun: when it comes, and that it hides no other line."""

import asyncio
import importlib.util
from types import ModuleType
from typing import Any

import pytest

from stacks.platform.common.catalogue import HELM

LEFT = {"type": "status", "data": {"description": "Left the network: answered by gpt-4.1", "done": True}}
MESSAGE = {"message_id": "m"}


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the function's source as Open WebUI does; its line comes at once."""
    monkeypatch.setenv("WAITING_STATUS_SECONDS", "0")
    spec = importlib.util.spec_from_file_location("waiting_status", HELM / "open-webui" / "waiting_status.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines(function: ModuleType, *, waits: bool, part: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of one message in their order, as the page is sent them."""

    async def chat() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        shown = asyncio.Event()

        async def emit(event: dict[str, Any]) -> None:
            # As over Redis: others go on meanwhile.
            await asyncio.sleep(0)
            sent.append(event["data"])
            shown.set()

        found = function.Filter()
        await found.inlet({"model": "qwen3-8b"}, emit, MESSAGE)
        if waits:
            await shown.wait()
        given = await found.stream(part, MESSAGE)
        if event := given.get("event"):
            await emit(event)
        await found.stream({"choices": [{"delta": {"content": "It"}}]}, MESSAGE)
        return sent

    return asyncio.run(chat())


def test_it_is_hidden_once_the_answer_begins(function: ModuleType) -> None:
    waiting, *_, hidden = lines(function, waits=True, part={"choices": []})
    assert "qwen3-8b has not begun to answer" in waiting["description"]
    assert hidden["hidden"] is True


def test_the_mark_of_an_answer_that_left_the_network_is_the_last_line_however_long_somebody_waited(
    function: ModuleType,
) -> None:
    """The page shows a message's last line alone, and nothing where that one is hidden."""
    found = lines(function, waits=True, part={"choices": [], "event": LEFT})
    assert found[-2]["hidden"] is True
    assert found[-1] == LEFT["data"]


def test_nothing_is_left_behind(function: ModuleType) -> None:
    async def chat() -> int:
        async def emit(event: dict[str, Any]) -> None:
            del event

        found = function.Filter()
        task = asyncio.ensure_future(found.inlet({"model": "m"}, emit, MESSAGE))
        await task
        await asyncio.sleep(0)
        return len(found._watching)

    assert asyncio.run(chat()) == 0
