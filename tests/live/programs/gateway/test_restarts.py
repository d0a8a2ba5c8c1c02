"""Each process is killed and started again in turn: nothing has to be done by hand."""

import pytest

from stacks.platform.components.chat.names import GATEWAY_KEY
from stacks.platform.components.llm_gateway import address, secrets
from tests.live.programs.stage import GATEWAY_URL, Stage
from tests.support.llm_gateway.pods import ask
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import Program, wait_for

pytestmark = pytest.mark.live
MODEL = "llama3.1-8b"


def answers(stage: Stage) -> bool:
    key = stage.secret(address.NAMESPACE, secrets.SECRET, GATEWAY_KEY)
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
    if part == "database":
        stage.database.start_again()
    else:
        program.start()
    wait_for(
        lambda: answers(stage), PATIENCE_S, lambda: f"no answers after {part} was killed:\n{stage.gateway.log[-3000:]}"
    )


def test_known_key_works_while_the_database_is_away(stage: Stage) -> None:
    assert answers(stage)
    stage.database.program.kill()
    try:
        assert answers(stage)
    finally:
        stage.database.start_again()
    wait_for(lambda: answers(stage), PATIENCE_S, lambda: stage.gateway.log[-3000:])
