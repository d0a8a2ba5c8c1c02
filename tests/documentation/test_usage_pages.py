"""Each way to use the platform has a page, and what the page promises is proved by tests that exist."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings
from tests.support.stacks.synthesis import STACKS, Synthesized, synthesize

ROOT = Path(__file__).parents[2]
PAGES = {
    "how-to/deploy.md": "cdktf deploy network aks platform",
    "how-to/remote-runs.md": "HCP Terraform",
    "how-to/diff.md": "cdktf diff platform",
    "how-to/snapshots.md": "--snapshot-update",
    "how-to/pull-requests.md": "llmctl diff",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_its_command_and_only_tests_that_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    assert PAGES[page] in text
    defined = {
        name for file in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert set(re.findall(r"`(test_\w+)`", text)) <= defined
    for file in re.findall(r"`(tests/[\w./]+\.(?:py|yaml))`", text):
        assert (ROOT / file).exists(), file


def test_the_page_for_users_names_every_host_and_only_routes_of_the_api() -> None:
    text = (ROOT / "docs" / "how-to" / "use.md").read_text()
    routes = (ROOT / "docs" / "reference" / "routes.md").read_text()
    api = routes.partition("## api.<domain>")[2].partition("\n## ")[0]
    allowed = {path for row in api.splitlines() if "with a key" in row for path in re.findall(r"`(/v1/[\w/]+)`", row)}
    assert len(allowed) >= 7
    assert set(re.findall(r"`(/v1/[\w/]+)`", text)) <= allowed
    hosts = {host.url("<domain>").split("/v1")[0] for host in enabled_components(load_settings("dev")).hosts()}
    assert {f"https://{name}.<domain>" for name in ("chat", "api", "opik", "grafana")} == hosts
    assert all(host in text for host in hosts)


def test_the_path_of_a_question_is_drawn_with_every_hop() -> None:
    text = (ROOT / "docs" / "how-to" / "use.md").read_text()
    drawn = text.partition("```mermaid")[2].partition("```")[0]
    hops = ["person", "program", "ingress", "Open WebUI", "LLM gateway", "serving-front", "interceptor", "vLLM", "Opik"]
    assert [hop for hop in hops if hop not in drawn] == []


@pytest.mark.slow
def test_a_changed_setting_shows_in_the_snapshots_of_the_stacks_that_it_reaches(
    environment: Callable[[str], Synthesized], tmp_path: Path
) -> None:
    settings = load_settings("dev")
    disks = settings.disks.model_copy(update={"clickhouse_gib": settings.disks.clickhouse_gib * 2})
    changed = synthesize(settings.model_copy(update={"disks": disks}), tmp_path)
    before = environment("dev").stacks
    differing = {stack for stack in STACKS if _shown(changed.stacks[stack]) != _shown(before[stack])}
    # The disk, and the volume on it.
    assert differing == {"disks", "platform"}
    assert _shown(changed.stacks["disks"]).count(f'"disk_size_gb": {disks.clickhouse_gib}') == 1


def _shown(stack: object) -> str:
    return json.dumps(stack, sort_keys=True)
