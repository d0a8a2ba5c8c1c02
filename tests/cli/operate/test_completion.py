"""Completion knows environments, components, parts, models, databases and pods, and never fails or waits long."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.cli.completing import complete_database, complete_model, complete_part, complete_pod
from scripts.cluster.parts import complete_word
from scripts.cluster.remembered import remember, remembered
from tests.support.cluster.fake_api import FakeCluster, fake_api, workload

ROOT = Path(__file__).parents[3]


def context(noun: str = "logs", **params: str) -> Any:
    return SimpleNamespace(params=params, parent=SimpleNamespace(info_name=noun))


def test_words_parts_models_and_databases_are_those_of_the_environment() -> None:
    assert complete_word("o") == ["ollama", "opik"]
    assert complete_part(context(component="opik", environment="dev"), "m") == ["mysql", "minio"]
    assert complete_part(context("webui", environment="dev"), "") == ["redis", "open-webui"]
    assert "phi3.5" in complete_model(context(environment="dev"), "p")
    assert complete_database(context(environment="dev"), "") == ["open_webui", "litellm"]


@pytest.mark.parametrize("environment", ["nowhere", "", "../dev"])
def test_what_is_not_there_completes_to_nothing(environment: str) -> None:
    assert complete_model(context(environment=environment or "nowhere"), "") == []
    assert complete_part(context(component="kitchen", environment="dev"), "") == []
    assert complete_pod(context(component="chat", environment="nowhere"), "") == []


def test_a_context_is_remembered_for_each_environment(tmp_path: Path) -> None:
    assert remembered("dev", tmp_path) == ""
    remember("dev", "llm-dev-aks", tmp_path)
    remember("prod", "llm-prod-aks", tmp_path)
    assert (remembered("dev", tmp_path), remembered("prod", tmp_path)) == ("llm-dev-aks", "llm-prod-aks")
    remember("dev", "x", Path("/dev/null"))


def test_pods_are_those_of_the_cluster_that_was_reached_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    cluster = FakeCluster()
    cluster.add("deployments", workload("Deployment", "chat", "open-webui", replicas=2))
    with fake_api(cluster, tmp_path):
        asked = context(component="chat", environment="dev")
        assert complete_pod(asked, "open") == []
        remember("dev", "fake")
        assert complete_pod(asked, "open") == ["open-webui-0", "open-webui-1"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("llmctl logs ", "gateway"), ("llmctl off-hours status ", "dev"), ("llmctl stop opi", "opik")],
)
def test_the_shell_gets_them(typed: str, expected: str) -> None:
    variables = {"_LLMCTL_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    program = "import sys; from scripts.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert expected in done.stdout.split()
