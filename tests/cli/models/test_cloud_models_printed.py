"""What the commands print of models outside the network: list, fit, cost and the check of the file."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli import app as cli
from scripts.cli.cost.commands import Sources
from scripts.core.environment_check import verdict_of
from scripts.core.notes.cloud import cloud_notes
from scripts.core.workspace import Workspace
from stacks.settings import Settings
from tests.support.cli.environment_folder import use_environments
from tests.support.llm_gateway.cloud_settings import FILE, cloud_settings
from tests.support.stacks.synthesis import folder_of, synthesized_once

LISTED = (
    "gpt-4.1: azure-openai gpt-4.1 outside the network, at acme-sweden.openai.azure.com, processed in swedencentral,"
    " 2 USD for a million tokens of prompts and 8 of answers"
    " mistral-large: openai-compatible mistral-large-latest outside the network, at models.acme.io, processed in"
    " data-zone-eu, 2 USD for a million tokens of prompts and 6 of answers"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synthesized_stacks: Path) -> Callable[..., Result]:
    """Return what types a command about an environment with cloud models, without a network."""
    use_environments(tmp_path, monkeypatch)
    (tmp_path / "dev.yaml").write_text(FILE.read_text("utf-8"))

    def write(settings: Settings, workspace: Workspace) -> None:
        synthesized_once(settings, synthesized_stacks)
        shutil.copytree(folder_of(settings, synthesized_stacks), workspace.output)

    def typed(*words: str) -> Result:
        result = CliRunner().invoke(cli.app, words, obj=Sources(write_stacks=write) if words[0] == "cost" else None)
        assert result.exit_code == 0, result.output
        return result

    return typed


def test_list_has_where_each_is_and_what_it_costs(run: Callable[..., Result]) -> None:
    printed = " ".join(run("models", "list", "dev").stdout.split())
    assert printed.endswith(LISTED)
    own, azure, other = json.loads(run("models", "list", "dev", "--json").stdout)
    assert own["name"] == "qwen3-8b"
    assert (azure["endpoint"], azure["processed_in"], azure["chat"]) == (
        "https://acme-sweden.openai.azure.com",
        "swedencentral",
        True,
    )
    assert (other["name"], other["secret"]) == ("mistral-large", "mistral-key")


def test_fit_says_that_they_need_no_gpu(run: Callable[..., Result]) -> None:
    assert run("models", "fit", "dev").stdout.splitlines()[-2:] == [
        "outside the network, on no GPU: gpt-4.1 2 USD for a million tokens of prompts and 8 of answers",
        "outside the network, on no GPU: mistral-large 2 USD for a million tokens of prompts and 6 of answers",
    ]


def test_cost_names_beside_the_bill_what_is_charged_by_tokens(run: Callable[..., Result]) -> None:
    said = " ".join(run("cost", "dev", "--offline").stderr.split())
    assert (
        "Not in it, billed by tokens outside: gpt-4.1 2 USD for a million tokens of prompts and 8 of answers,"
        " mistral-large 2 USD for a million tokens of prompts and 6 of answers." in said
    )
    assert "billed by tokens" not in run("cost", "dev", "--offline", "--json").output


def test_the_check_of_the_file_tells_where_prompts_may_go(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text(FILE.read_text("utf-8"))
    found = verdict_of("dev", tmp_path, None)
    assert found.errors == ()
    assert set(cloud_notes(cloud_settings().models, cloud_settings().cloud_models)) <= set(found.notes)
