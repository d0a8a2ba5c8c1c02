"""What people read in the chat's page beside answers: that one left the network, and that their budget is spent."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from stacks.platform.components.llm_gateway import address
from stacks.settings.llm_gateway import PersonLimits
from tests.live.programs.chat.test_browser import PATIENCE_MS, asks, page_of
from tests.live.programs.chat_stage import ChatStage
from tests.live.programs.cloud_stage import OTHER, Cloud, running_cloud, with_cloud
from tests.live.programs.stage import ADDRESSES
from tests.support.chat.browser import Browser
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for

pytestmark = pytest.mark.live
CONTACT = "it-help@example.com"


@pytest.fixture(scope="module")
def cloud(chat: ChatStage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Put a pod with models outside and limits of people in the place of the chat's LLM gateway."""
    stage = chat.stage
    # An answer of the model outside costs 0.0025 USD here.
    limits = PersonLimits(budget_usd=0.002, days=30, contact=CONTACT)
    settings = with_cloud(stage.settings)
    # Not the one on Azure: Entra's host is here that of the people's login.
    shown = [model.model_copy(update={"chat": model.name == OTHER}) for model in settings.cloud_models]
    own = settings.gateway.model_copy(update={"spend_per_person": True, "person_limits": limits})
    settings = settings.model_copy(update={"gateway": own, "cloud_models": tuple(shown)})
    stage.gateway.stop()
    try:
        ip = ADDRESSES[address.SERVICE]
        with running_cloud(stage, settings, tmp_path_factory.mktemp("marks"), ip, before_chat=True) as found:
            yield found
    finally:
        stage.gateway.start()


def test_a_line_above_the_answer_says_that_it_left_the_network_and_the_next_one_that_the_budget_is_spent(
    chat: ChatStage, cloud: Cloud
) -> None:
    left = f"Left the network: answered by {OTHER}, processed in data-zone-eu"
    with page_of(chat, "Nora", OTHER) as page:
        asks(page, "What leaves?")
        expect(page.get_by_text(left).first).to_be_visible(timeout=PATIENCE_MS)
        answer = page.locator(".chat-assistant").last
        expect(answer).to_contain_text(" ".join(cloud.services.words), timeout=PATIENCE_MS)
        assert chat.entra.person
        browser = chat.logged_in(chat.entra.person)
        wait_for(lambda: "used up" in said(browser), PATIENCE_S, lambda: cloud.proxy.log[-3000:])
        asks(page, "And now?")
        sentence = re.compile(
            r"Your budget for the chat is used up: 0\.\d+ of 0\.002 USD\. It begins again on \d{4}-\d\d-\d\d at"
            rf" 00:00 UTC; {CONTACT} can raise it\."
        )
        expect(page.get_by_text(sentence).first).to_be_visible(timeout=PATIENCE_MS)
        text = page.locator("body").inner_text()
    assert "End User" not in text
    assert "ExceededBudget" not in text


def said(browser: Browser) -> str:
    """Return what the chat answers somebody."""
    return "".join(browser.chat(OTHER, "And now?")[1])
