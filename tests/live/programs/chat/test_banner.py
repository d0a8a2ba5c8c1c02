"""The banner of the real chat, which keeps its configuration in the memory of each pod."""

import pytest

from scripts.applications.chat.banner import Banner
from tests.live.programs.chat_stage import ChatStage
from tests.support.login.entra_provider import new_person

pytestmark = pytest.mark.live


def banner(chat: ChatStage) -> Banner:
    return Banner(lambda: [chat.accounts(pod) for pod in range(len(chat.pods))])


def test_people_see_it_in_every_pod_and_no_longer_once_it_is_removed(chat: ChatStage) -> None:
    person = chat.logged_in(new_person("Wilma", roles=["user"]))
    ours, pods = banner(chat), len(chat.pods)

    def seen() -> list[list[str]]:
        found = []
        for account in ours.pods():
            (shown,) = account.call({"method": "GET", "path": "/api/v1/configs/banners"})
            found.append([each["content"] for each in shown])
        return found

    before = seen()
    assert ours.show("Back at six") == pods
    try:
        assert seen() == [["Back at six", *others] for others in before]
        shown = person.api("GET", "/api/v1/configs/banners").json()
        assert shown[0]["content"] == "Back at six"
        ours.show("Back at seven")
        assert seen() == [["Back at seven", *others] for others in before]
    finally:
        assert ours.remove() == pods
    assert seen() == before
