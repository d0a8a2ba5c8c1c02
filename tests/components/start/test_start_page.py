"""What the start page says: the same that the components' descriptions and the settings say."""

import re
from html.parser import HTMLParser

import pytest

from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.platform.components.start.examples import examples
from stacks.platform.components.start.page import files, page
from stacks.settings import Settings, load_settings
from tests.support.llm_gateway.cloud_settings import cloud_settings
from tests.support.start.page import private, public

CONFIG_MAP_BYTES = 1024 * 1024
"""Most that Kubernetes takes (https://kubernetes.io/docs/concepts/configuration/configmap/)."""


class Elements(HTMLParser):
    """Every element with its attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def _with(settings: Settings, section: str, **changes: object) -> EnabledComponents:
    changed = getattr(settings, section).model_copy(update=changes)
    return enabled_components(settings.model_copy(update={section: changed}))


@pytest.fixture(scope="module")
def components() -> EnabledComponents:
    return enabled_components(public())


def test_a_public_environment_has_it_by_setting_and_a_private_one_unless_switched_off() -> None:
    assert "start" not in enabled_components(load_settings("dev"))
    assert "start" not in enabled_components(load_settings("prod"))
    assert "start" in enabled_components(public())
    assert "start" in enabled_components(private())
    assert "start" not in _with(private(), "start_page", enabled=False)


def test_every_host_is_named_with_a_link_where_it_has_pages(components: EnabledComponents) -> None:
    found = Elements(page(components))
    links = {element["href"] for tag, element in found.found if tag == "a" and str(element["href"]).startswith("http")}
    domain = "llm-dev.example.com"
    assert links == {f"https://{label}.{domain}" for label in ("chat", "opik", "grafana")}
    assert f"https://api.{domain}/v1" in found.text
    assert "start.llm-dev" not in found.text


def test_a_service_that_is_off_is_not_there() -> None:
    text = page(_with(public(), "opik", enabled=False))
    assert "opik" not in text.lower()
    assert "grafana." in text


@pytest.mark.parametrize(
    ("name", "cells"),
    [("llama3.1-8b", ["chat", "8,192", "yes", "2"]), ("phi3.5", ["chat", "8,192", "no", "2"])],
)
def test_a_model_is_shown_with_context_tools_and_price(
    components: EnabledComponents, name: str, cells: list[str]
) -> None:
    row = page(components).partition(f"<code>{name}</code>")[2].partition("</tr>")[0]
    assert re.findall(r"<td>(.*?)</td>", row) == cells


def test_a_model_outside_the_network_and_a_fall_back_say_so_where_everybody_may_use_them() -> None:
    text = page(enabled_components(cloud_settings()))
    row = text.partition("<code>gpt-4.1</code>")[2].partition("</tr>")[0]
    assert "outside the network, processed in swedencentral" in row
    assert re.findall(r"<td>(.*?)</td>", row) == ["chat", "128,000", "yes", "2 in, 8 out"]
    own = text.partition("<code>qwen3-8b</code>")[2].partition("</tr>")[0]
    assert "where it fails, gpt-4.1 outside the network answers who may use it" in own
    assert "mistral-large" not in text


def test_there_is_an_example_for_every_client(components: EnabledComponents) -> None:
    assert [example.title for example, _ in examples(components)] == [
        "A key, and the address of the API",
        "curl",
        "OpenAI SDK, Python",
        "OpenAI SDK, JavaScript",
        "VS Code with Continue",
        "Claude Code",
        "OpenCode",
        "Opik SDK",
        "OpenTelemetry",
    ]
    shown = Elements(page(components)).texts
    assert all(text in shown for _, text in examples(components))


def test_nothing_is_offered_that_the_environment_lacks() -> None:
    assert examples(_with(public(), "gateway", enabled=False)) == []
    assert {example.file for example, _ in examples(_with(public(), "opik", enabled=False))}.isdisjoint(
        {"opik.py", "otel.py"}
    )
    assert "Settings, Account, API keys" in page(enabled_components(public()))
    assert "Settings, Account, API keys" not in page(_with(public(), "chat", personal_keys=False))


def test_the_ca_is_offered_where_clients_have_to_install_it() -> None:
    assert 'href="/ca.crt"' in page(enabled_components(private()))
    assert "/ca.crt" not in page(enabled_components(public()))


@pytest.mark.parametrize("settings", [public(), private()], ids=["public", "private"])
def test_a_strict_policy_lets_everything_of_it_through(settings: Settings) -> None:
    """No text of it is a script or a style, and nothing comes from another host."""
    for tag, element in Elements(page(enabled_components(settings))).found:
        assert tag != "style"
        assert not {name for name in element if name == "style" or name.startswith("on")}, (tag, element)
        for name in ("src", "action"):
            assert str(element.get(name, "/")).startswith("/"), (tag, element)
        if tag == "link":
            assert str(element["href"]).startswith("/")


def test_its_files_fit_into_a_config_map(components: EnabledComponents) -> None:
    assert sum(len(name) + len(text.encode()) for name, text in files(components).items()) < CONFIG_MAP_BYTES
