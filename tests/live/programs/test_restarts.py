"""Each process is killed and started again in turn, and many people ask at once: nothing has to be done by hand."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stacks.kubernetes.gateway import address, secrets
from tests.live.programs.stage import GATEWAY_URL, Stage
from tests.support.gateway_pods import ask
from tests.support.programs import Program, wait_for

pytestmark = pytest.mark.live
MODEL = "llama3.1-8b"
PEOPLE = 50
LASTS_S = 30.0
"""Bounded: the programs share two processors with the engines that they are tried with."""


def answers(stage: Stage) -> bool:
    key = stage.secret(address.NAMESPACE, secrets.SECRET, secrets.CHAT_KEY)
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Still there?"}]}
    try:
        return ask(f"{GATEWAY_URL}/v1/chat/completions", body, key=key)[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize("part", ["limits", "front", "metrics", "gateway", "database"])
def test_calls_are_answered_again_after_a_process_was_killed(stage: Stage, part: str) -> None:
    assert answers(stage)
    program: Program = stage.database.program if part == "database" else getattr(stage, part)
    program.kill()
    if part in {"limits", "metrics"}:
        assert answers(stage), f"without {part} no call is answered"
    program.start()
    wait_for(lambda: answers(stage), 120, lambda: f"no answers after {part} was killed:\n{stage.gateway.log[-3000:]}")


def test_known_key_works_while_the_database_is_away(stage: Stage) -> None:
    assert answers(stage)
    stage.database.program.kill()
    try:
        assert answers(stage)
    finally:
        stage.database.program.start()
    wait_for(lambda: answers(stage), 120, lambda: stage.gateway.log[-3000:])


def test_fifty_people_at_once_meet_no_error_and_no_more_connections_than_planned(stage: Stage) -> None:
    wait_for(lambda: stage.database.recovered() and answers(stage), 60, lambda: stage.gateway.log[-3000:])
    key = stage.secret(address.NAMESPACE, secrets.SECRET, secrets.CHAT_KEY)
    body = {"model": MODEL, "messages": [{"role": "user", "content": "All at once?"}], "stream": True}
    until = time.monotonic() + LASTS_S
    connections = 0

    def person(number: int) -> list[int]:
        statuses = []
        while time.monotonic() < until:
            status, _, content = ask(f"{GATEWAY_URL}/v1/chat/completions", body | {"user": f"{number}"}, key=key)
            statuses.append(status if b"[DONE]" in content else -status)
        return statuses

    with ThreadPoolExecutor(PEOPLE) as pool:
        running = [pool.submit(person, number) for number in range(PEOPLE)]
        while time.monotonic() < until:
            connections = max(connections, stage.database.connections().get("litellm", 0))
            time.sleep(1)
        statuses = [status for one in running for status in one.result()]
    assert len(statuses) >= PEOPLE
    assert set(statuses) == {200}, {status: statuses.count(status) for status in set(statuses)}
    assert 0 < connections <= stage.settings.gateway.database_pool_size
