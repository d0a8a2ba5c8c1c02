"""A real browser before the chat: the login's redirects, web sockets through the ingress, an answer that appears."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from scripts.applications.chat.banner import Banner
from tests.live.programs.chat_stage import ChatStage
from tests.support.login.entra_provider import LOGIN, new_person

pytestmark = pytest.mark.live
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS, DIALOG_MS = 300_000, 5_000
PICTURES = "LLMCTL_PICTURES"
"""Variable that names a folder for pictures of pages, as those of docs/images."""


def asks(page: Page, prompt: str) -> None:
    page.locator("#chat-input").wait_for(timeout=PATIENCE_MS)
    for name in ("Okay, Let's Go!", "Close"):
        # The first one closes the dialog that the second belongs to, once its answer was saved: it may be gone by then.
        with suppress(PlaywrightTimeoutError):
            page.get_by_role("button", name=name).first.click(timeout=DIALOG_MS)
    page.locator("#chat-input").click()
    page.keyboard.type(prompt)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("model", ["phi3.5", "llama3.1-8b"])
def test_answer_appears_in_the_browser(chat: ChatStage, model: str) -> None:
    """Models without tools answer too: the chat sends them none of its own (R5)."""
    chat.entra.person = new_person(f"Bea-{model.replace('.', '')}", roles=["user"])
    # Updates of its own and the like are looked up nowhere: what is asked for is what the pages ask for.
    names = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {chat.host}, EXCLUDE {LOGIN}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, names])
        try:
            page = browser.new_context(ignore_https_errors=True).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"https://{chat.host}/?models={model}")
            asks(page, "Does it work in a browser?")
            answer = page.locator(".chat-assistant").last
            expect(answer).to_contain_text(" ".join(chat.stage.engines.words), timeout=PATIENCE_MS)
        finally:
            page.screenshot(path=str(chat.parts.folder / f"browser-{model}.png"))
            browser.close()
    asked = [one for one in chat.stage.engines.asked if "in a browser" in str(one.body.get("messages"))]
    assert asked
    if model == "phi3.5":
        assert not any(one.body.get("tools") for one in asked)


def test_the_banner_of_a_deployment_is_seen_over_the_chat(chat: ChatStage) -> None:
    """With LLMCTL_PICTURES=docs/images this makes the picture of the documentation, docs/images/chat.png."""
    banner = Banner(lambda: [chat.accounts(pod) for pod in range(len(chat.pods))])
    chat.entra.person = new_person("Cleo", roles=["user"])
    names = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {chat.host}, EXCLUDE {LOGIN}"
    banner.show("The chat is being updated; answers may break off until 18:00.")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, names])
            try:
                page = browser.new_context(ignore_https_errors=True, viewport={"width": 1200, "height": 720}).new_page()
                page.set_default_timeout(PATIENCE_MS)
                page.goto(f"https://{chat.host}/?models=llama3.1-8b")
                # On the page of a new chat; a chat that has begun shows none.
                expect(page.get_by_text("The chat is being updated").first).to_be_visible(timeout=PATIENCE_MS)
                asks(page, "What is a span?")
                answer = page.locator(".chat-assistant").last
                expect(answer).to_contain_text(" ".join(chat.stage.engines.words), timeout=PATIENCE_MS)
                folder = os.environ.get(PICTURES) or str(chat.parts.folder)
                page.screenshot(path=f"{folder}/chat.png")
            finally:
                browser.close()
    finally:
        banner.remove()


@contextmanager
def page_of(chat: ChatStage, name: str, model: str) -> Iterator[Page]:
    """Yield the page of a new chat of somebody who has just logged in."""
    chat.entra.person = new_person(name, roles=["user"])
    names = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {chat.host}, EXCLUDE {LOGIN}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, names])
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        try:
            page.goto(f"https://{chat.host}/?models={model}")
            yield page
        finally:
            page.screenshot(path=str(chat.parts.folder / f"browser-{name}.png"))
            browser.close()


def test_a_line_tells_that_the_model_starts_until_it_answers(chat: ChatStage) -> None:
    line = "llama3.1-8b has not begun to answer"
    chat.stage.engines.started.clear()
    try:
        with page_of(chat, "Dora", "llama3.1-8b") as page:
            asks(page, "Who is there?")
            expect(page.get_by_text(line).first).to_be_visible(timeout=PATIENCE_MS)
            chat.stage.engines.started.set()
            answer = page.locator(".chat-assistant").last
            expect(answer).to_contain_text(" ".join(chat.stage.engines.words), timeout=PATIENCE_MS)
            expect(page.get_by_text(line)).to_have_count(0, timeout=PATIENCE_MS)
    finally:
        chat.stage.engines.started.set()


def test_a_model_that_does_not_start_says_why_in_place_of_the_line(chat: ChatStage) -> None:
    line = "llama3.1-8b has not begun to answer"
    chat.stage.engines.started.clear()
    try:
        with page_of(chat, "Emil", "llama3.1-8b") as page:
            asks(page, "Will it start?")
            expect(page.get_by_text(line).first).to_be_visible(timeout=PATIENCE_MS)
            # What the interceptor answers after the longest wait.
            chat.stage.engines.status = 504
            chat.stage.engines.started.set()
            expect(page.get_by_text("the model is still starting, or no GPU is to be had").first).to_be_visible(
                timeout=PATIENCE_MS
            )
            expect(page.get_by_text(line)).to_have_count(0, timeout=PATIENCE_MS)
    finally:
        chat.stage.engines.status = 200
        chat.stage.engines.started.set()
