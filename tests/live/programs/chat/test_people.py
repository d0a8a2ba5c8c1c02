"""Many people ask at once, through the ingress to the engines and back.

Everybody asks again as soon as the last answer is there, which nobody does who reads: on two processors that the
programs share, these and not the people decide how many questions a second that makes. PEOPLE and PEOPLE_SECONDS in
the environment try other numbers.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.live.programs.chat_stage import ChatStage
from tests.support.chat.browser import Browser
from tests.support.login.entra_provider import new_person
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for

pytestmark = pytest.mark.live
MODEL = "llama3.1-8b"
PEOPLE = int(os.environ.get("PEOPLE", "50"))
LASTS_S = float(os.environ.get("PEOPLE_SECONDS", "15"))
CONNECTIONS = {"open_webui": 2 * 41, "litellm": 10}
"""Most that the rule on connections counts for two pods of the chat and one of the gateway (docs/reference/chat.md)."""


def test_fifty_people_at_once_meet_no_error_and_no_more_connections_than_planned(
    chat: ChatStage, capsys: pytest.CaptureFixture[str]
) -> None:
    database = chat.stage.database
    wait_for(database.recovered, PATIENCE_S, lambda: database.log[-3000:])
    people = [chat.logged_in(new_person(f"Person{number}", roles=["user"])) for number in range(PEOPLE)]
    for number, person in enumerate(people):
        person.goes_to(chat.address(number % 2))
    seen = dict.fromkeys(CONNECTIONS, 0)
    began = time.monotonic()
    until = began + LASTS_S

    def asks(person: Browser) -> list[str]:
        outcomes = []
        while time.monotonic() < until:
            try:
                status, parts = person.chat(MODEL, "All at once?")
                whole = (status, "".join(parts).split()) == (200, chat.stage.engines.words)
                outcomes.append("answered" if whole else f"{status} {''.join(parts)[:200]}")
            except httpx.HTTPError as error:
                outcomes.append(repr(error))
        return outcomes

    with ThreadPoolExecutor(PEOPLE) as pool:
        running = [pool.submit(asks, person) for person in people]
        while not all(one.done() for one in running):
            for name, count in database.connections().items():
                seen[name] = max(seen.get(name, 0), count)
            time.sleep(1)
        outcomes = [outcome for one in running for outcome in one.result()]
    with capsys.disabled():
        took = time.monotonic() - began
        print(f"\n{PEOPLE} people: {len(outcomes)} answers in {took:.0f} s, connections at most {seen}")
    assert len(outcomes) >= PEOPLE
    assert set(outcomes) == {"answered"}, {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
    assert all(0 < seen[name] <= most for name, most in CONNECTIONS.items()), seen
