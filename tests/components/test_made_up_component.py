"""A component that is nothing but a folder is deployed, imported, allowed, reached, given its secret and documented."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.common.traffic import Peer
from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.platform.components.overview import PAGE, overview
from stacks.platform.components.registry import by_need, components
from stacks.settings import load_settings
from tests.support.kubernetes.cilium import Outside, Pod, Rules
from tests.support.stacks.synthesis import Synthesized, synthesize

NAME = "made_up_board"
EXAMPLE = (Path(__file__).parents[2] / "docs" / "contributing.md").read_text("utf-8")


def example(module: str, *changes: tuple[str, str]) -> str:
    """Return a module of the page's example, with `changes`: it has neither a setting nor a chart here."""
    section = EXAMPLE.partition("## Add a component\n")[2].partition("\n## ")[0]
    text = textwrap.dedent(section.partition(f"`{module}`")[2].partition("```python\n")[2].partition("   ```")[0])
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


HERE = """
from stacks.platform.common.accounts import WorkloadAccount
from stacks.platform.common.catalogue import Image

IMAGES = {"board/server": Image(repository="registry.example.com/board", tag="1.2.3")}
ACCOUNTS = (WorkloadAccount("board", "drawing-board"),)
"""
COMPONENT = HERE + example(
    "component.py",
    ("lambda settings: settings.board.enabled", "lambda _: True"),
    ('charts=("board",)', 'charts=("valkey",), images=IMAGES, login_accounts=ACCOUNTS'),
)
RESOURCES = example("resources.py", ("computed_values=values", 'chart_of="valkey", computed_values=values'))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with the component; nothing else knows of it."""
    place = tmp_path_factory.mktemp("further") / NAME
    place.mkdir()
    (place / "__init__.py").write_text('"""A board to draw on."""\n')
    (place / "component.py").write_text(COMPONENT)
    (place / "resources.py").write_text(RESOURCES)
    yield place.parent
    for module in [module for module in sys.modules if module.partition(".")[0] == NAME]:
        del sys.modules[module]


@pytest.fixture(scope="module")
def chosen(folder: Path) -> EnabledComponents:
    return enabled_components(load_settings("dev"), extra_paths=[folder])


@pytest.fixture(scope="module")
def synthesized(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(load_settings("dev"), tmp_path_factory.mktemp("synthesized"), extra_components=[folder])


def _release(synthesized: Synthesized, name: str) -> dict[str, Any]:
    found: dict[str, Any] = synthesized.resources("platform", "helm_release")[name]
    return found


def test_it_is_deployed_after_what_it_needs(synthesized: Synthesized) -> None:
    release = _release(synthesized, "board")
    assert json.loads(release["values"][-1])["image"] == "registry.example.com/board:1.2.3"
    assert "helm_release.platform-secrets" in release["depends_on"]
    assert "kubernetes_network_policy_v1.board-deny-all" in release["depends_on"]


def test_its_image_is_among_those_to_import(chosen: EnabledComponents) -> None:
    assert str(chosen.images()["board/server"]) == "registry.example.com/board:1.2.3"


def test_its_namespace_is_bounded_and_denies_all_that_it_does_not_name(synthesized: Synthesized) -> None:
    namespaces = synthesized.resources("platform", "kubernetes_namespace_v1")
    labels = namespaces["board-namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "board-quota" in synthesized.resources("platform", "kubernetes_resource_quota_v1")
    assert "board" in synthesized.stacks["platform"]["output"]["namespaces"]["value"]
    rules = Rules(synthesized.resources("platform", "kubernetes_network_policy_v1"))
    board = Pod("board", {"app.kubernetes.io/instance": "board"})
    nginx = Pod("ingress", {"app.kubernetes.io/name": "nginx-ingress"})
    prometheus = Pod("monitoring", {"app.kubernetes.io/name": "prometheus"})
    chat = Pod("chat", {"app.kubernetes.io/component": "open-webui"})
    assert rules.allow(nginx, board, 6379), "the ingress has to let out what the component lets in"
    assert rules.allow(prometheus, board, 9121)
    assert not rules.allow(chat, board, 6379)
    assert not rules.allow(board, Outside("203.0.113.7"), 443)


def test_its_connections_are_known_with_its_metrics_and_names(chosen: EnabledComponents) -> None:
    found = [
        (one.caller.namespace, one.ports[0].number, one.why)
        for one in chosen.connections()
        for end in (one.caller, one.receiver)
        if isinstance(end, Peer) and end.namespace == "board" and isinstance(one.caller, Peer)
    ]
    assert found == [("ingress", 6379, "people"), ("monitoring", 9121, "metrics of board"), ("board", 53, "names")]


def test_its_host_is_served_and_logins_may_return_to_it(synthesized: Synthesized) -> None:
    host = "board.llm-dev.example.com"
    (rule,) = synthesized.resources("platform", "kubernetes_ingress_v1")["board-ingress"]["spec"]["rule"]
    assert rule["host"] == host
    assert host in synthesized.stacks["platform"]["output"]["dns_records"]["value"]
    (application,) = synthesized.resources("identity", "azuread_application").values()
    assert f"https://{host}/login/callback" in application["web"]["redirect_uris"]
    credentials = synthesized.resources("aks", "azuread_application_federated_identity_credential")
    assert credentials["login-drawing-board"]["subject"] == "system:serviceaccount:board:drawing-board"


def test_its_secret_is_copied_out_of_the_vault(synthesized: Synthesized) -> None:
    text = _release(synthesized, "platform-secrets")["values"][-1]
    assert '"board":{"board-secrets":{"redis-password":"board-password"}}' in text
    assert '"board-password"' in text.partition('"userSecrets":')[2].partition("]")[0]
    assert "kubernetes_namespace_v1.board-namespace" in _release(synthesized, "platform-secrets")["depends_on"]


def test_its_metrics_are_collected(synthesized: Synthesized) -> None:
    monitors = json.loads(_release(synthesized, "monitors")["values"][-1])
    assert monitors["targets"]["board"]["namespace"] == "board"


def test_it_stands_on_the_page_of_components(folder: Path) -> None:
    row = f"| `{NAME}` | a board to draw on | `secrets`, `certificates` | `board.<domain>` | [`board.md`](board.md) |"
    assert row in overview(components([folder])).splitlines()


def test_nothing_of_it_is_there_without_its_folder(chosen: EnabledComponents) -> None:
    plain = enabled_components(load_settings("dev"))
    assert NAME in chosen
    assert NAME not in plain
    assert [one.name for one in chosen if one.name != NAME] == [one.name for one in plain]


def test_a_need_that_nothing_meets_is_told_by_name(tmp_path: Path) -> None:
    place = tmp_path / "made_up_lonely"
    place.mkdir()
    (place / "__init__.py").touch()
    (place / "component.py").write_text(COMPONENT.replace('needs=("secrets", "certificates")', 'needs=("telepathy",)'))
    with pytest.raises(ValueError, match="component made_up_lonely needs telepathy, which there is not"):
        components([tmp_path])


def test_each_component_comes_after_those_that_it_needs() -> None:
    names = [component.name for component in by_need(components())]
    assert sorted(names) == sorted({component.name for component in components()})
    for component in components():
        assert all(names.index(need) < names.index(component.name) for need in component.needs), component.name


def test_descriptions_are_read_without_starting_node() -> None:
    program = (
        "import sys; from stacks.platform.components.enabled import enabled_components; "
        "from stacks.settings import load_settings; found = enabled_components(load_settings('dev')); "
        "found.namespaces(), found.external_secrets(), found.images(), found.targets(), found.redirect_uris(); "
        "print(sorted({'cdktf', 'constructs', 'jsii'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def test_the_page_of_components_is_current() -> None:
    assert PAGE.read_text("utf-8") == overview(components()), "run: python -m stacks.platform.components.overview"
