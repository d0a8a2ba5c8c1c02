"""Each process of the chat is killed and started again in turn: whoever is logged in stays so, and goes on."""

import httpx
import pytest

from tests.live.programs.chat_stage import ChatStage
from tests.support.chat.browser import Browser
from tests.support.login.entra_provider import new_person
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import Program, wait_for

pytestmark = pytest.mark.live
MODEL = "llama3.1-8b"


@pytest.fixture(scope="module")
def member(chat: ChatStage) -> Browser:
    return chat.logged_in(new_person("Rosa", roles=["user"]))


def answered(chat: ChatStage, browser: Browser, pod: int) -> bool:
    browser.goes_to(chat.address(pod))
    try:
        status, parts = browser.chat(MODEL, "Still there?")
    except httpx.HTTPError:
        return False
    return (status, "".join(parts).split()) == (200, chat.stage.engines.words)


def answers_again(chat: ChatStage, browser: Browser, part: str) -> None:
    for pod in (0, 1):
        wait_for(
            lambda pod=pod: answered(chat, browser, pod),  # type: ignore[misc]
            PATIENCE_S,
            lambda pod=pod: f"no answers after {part} was killed:\n{chat.pods[pod].log[-3000:]}",  # type: ignore[misc]
        )


def test_other_pod_goes_on_with_the_session_of_one_that_was_killed(chat: ChatStage, member: Browser) -> None:
    chat.pods[0].kill()
    try:
        assert answered(chat, member, 1)
    finally:
        chat.pods[0].start()
    answers_again(chat, member, "a pod")


@pytest.mark.parametrize("part", ["redis", "door", "sidecar", "gateway", "database"])
def test_chat_answers_again_after_a_process_was_killed(chat: ChatStage, member: Browser, part: str) -> None:
    programs: dict[str, Program] = {
        "redis": chat.redis,
        "door": chat.door,
        "sidecar": chat.sidecar,
        "gateway": chat.stage.gateway,
        "database": chat.stage.database.program,
    }
    assert answered(chat, member, 0)
    programs[part].kill()
    if part == "sidecar":
        assert answered(chat, member, 0), "whoever is logged in needs no proof of the pod's identity"
    if part == "database":
        chat.stage.database.start_again()
    else:
        programs[part].start()
    answers_again(chat, member, part)
    assert chat.logged_in(new_person(f"After-{part}", roles=["user"])).token


def test_sockets_of_both_pods_hear_each_other_after_their_redis_was_killed(chat: ChatStage, member: Browser) -> None:
    chat.redis.kill()
    chat.redis.start()

    def heard() -> bool:
        try:
            _, said = member.ask_by_socket(MODEL, "Heard?", asked=chat.address(0), told=chat.address(1))
        except (AssertionError, ValueError, httpx.HTTPError):
            return False
        return " ".join(chat.stage.engines.words) in said

    wait_for(heard, PATIENCE_S, lambda: chat.pods[1].log[-3000:])
