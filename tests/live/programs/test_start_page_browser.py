"""The start page in a real Chromium: as people see it on a desk and on a phone, in light and in dark.

Needs `scripts/lab/install-live browser start-page`. With LLMCTL_PICTURES=docs/images it makes the pictures of the
documentation, docs/images/start-page*.png.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.start.page import page as html
from stacks.settings import Settings
from tests.support.ingress.nginx import free_port
from tests.support.start.installed import checks_folder
from tests.support.start.page import page_server, private, public
from tests.support.web_servers import QuietHandler, authority, port_of, served

pytestmark = pytest.mark.live

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PATIENCE_MS = 300_000
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
ENVIRONMENTS = {"public": public, "private": private}


class Answering(QuietHandler):
    """A service that answers, and one at `/api/health` that does not."""

    def do_GET(self) -> None:
        self.answer(500 if self.path == "/api/health" else 200, b"")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority(tmp_path_factory.mktemp("authority"), "internal")[0]


@pytest.fixture(scope="module")
def address(environment: str, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("page"), free_port()
    settings: Settings = ENVIRONMENTS[environment]()
    with served(Answering) as services:
        health = dict.fromkeys(("chat", "api", "opik", "grafana"), port_of(services))
        program = page_server(settings, folder, port, health=health, authority=root.read_text("utf-8"))
        program.start()
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            program.stop()


def _opened(browser: Browser, address: str, *, phone: bool, dark: bool) -> tuple[Page, list[str]]:
    """Return the page once it knows the health of the services, and what the browser complained about."""
    context = browser.new_context(
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        device_scale_factor=2 if phone else 1,
        color_scheme="dark" if dark else "light",
        bypass_csp=False,
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    expect(page.locator('[data-health="/health/grafana"]')).to_have_text("does not answer", timeout=PATIENCE_MS)
    expect(page.locator('[data-health="/health/chat"]')).to_have_text("answers", timeout=PATIENCE_MS)
    return page, [one for one in complaints if "503" not in one]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_everybody_can_read_and_use_it(
    browser: Browser, environment: str, address: str, tmp_path: Path, *, phone: bool, dark: bool
) -> None:
    page, complaints = _opened(browser, address, phone=phone, dark=dark)
    try:
        # All of it is judged, also what is folded away.
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        page.evaluate((checks_folder() / "node_modules/axe-core/axe.min.js").read_text("utf-8"))
        found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})")
        assert [(it["id"], [node["html"] for node in it["nodes"]]) for it in found["violations"]] == []
        # Wide tables and lines of code scroll by themselves; the page does not.
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        assert complaints == []
        page.evaluate("document.querySelectorAll('details').forEach((one, at) => { one.open = at < 2 })")
        kind = ("-phone" if phone else "") + ("-dark" if dark else "")
        place = os.environ.get("LLMCTL_PICTURES") if environment == "private" and phone == dark else None
        page.screenshot(path=f"{place or tmp_path}/start-page{kind}.png", full_page=not phone)
    finally:
        page.context.close()


def test_an_example_is_copied_as_it_stands_there(browser: Browser, address: str) -> None:
    page, _ = _opened(browser, address, phone=False, dark=False)
    try:
        page.get_by_text("curl", exact=True).click()
        page.get_by_role("button", name="Copy: curl").click()
        expect(page.get_by_role("button", name="Copy: curl")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == page.locator("#example-curl-sh").text_content()
    finally:
        page.context.close()


def test_the_fingerprint_is_that_of_the_certificate_which_openssl_reads(
    browser: Browser, environment: str, address: str, root: Path
) -> None:
    page, _ = _opened(browser, address, phone=False, dark=False)
    try:
        shown = page.locator("[data-fingerprint]")
        if environment == "public":
            assert shown.count() == 0
            return
        command = ["openssl", "x509", "-in", str(root), "-noout", "-fingerprint", "-sha256"]
        read = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]
        expect(shown).to_have_text(read, timeout=PATIENCE_MS)
    finally:
        page.context.close()


def test_its_html_is_valid(environment: str, tmp_path: Path) -> None:
    """The W3C's checker of HTML finds nothing, not even to warn of."""
    file = tmp_path / "index.html"
    file.write_text(html(enabled_components(ENVIRONMENTS[environment]())), "utf-8")
    jar = checks_folder() / "node_modules/vnu-jar/build/dist/vnu.jar"
    done = subprocess.run(["java", "-jar", str(jar), "--format", "json", str(file)], capture_output=True, check=False)
    assert json.loads(done.stderr)["messages"] == []
