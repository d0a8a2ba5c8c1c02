"""`llmctl support`: what was planted in every place that it reads is not in the archive, and what helps is."""

import base64
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.support import commands as support
from scripts.cluster.api import ClusterApi
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import load_settings
from tests.support.cli.operated_environment import Operated, deploy_once, operate
from tests.support.cluster.fake_api import FakeCluster, fake_api, workload

pytestmark = pytest.mark.programs
SECRET = "planted-Zx9!Kq2wLr7"
OTHERS = ("planted-tom@example.com", "20.13.1.7", "sk-plantedPLANTED123")
"""A person, a public address, and a key that no Secret of the cluster holds."""
LITERAL = "planted-in-a-variable"
VARIABLES = [{"name": "X", "value": SECRET}, {"name": "SMTP_PASSWORD", "value": LITERAL}]
KINDS = (
    "nodes",
    "deployments,statefulsets,daemonsets,replicasets,jobs,cronjobs",
    "services,ingresses,endpointslices",
    "namespaces",
)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), patch)


@pytest.fixture
def operated(deployed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operated:
    found = operate(deployed, tmp_path / "dev", monkeypatch)
    monkeypatch.chdir(tmp_path)
    planted = f"failed with {SECRET} for {' '.join(OTHERS)}"
    tools = found.tools
    for kind in KINDS:
        tools.items(kind)
    tools.items("secrets", {"data": {"password": base64.b64encode(SECRET.encode()).decode(), "binary": "/w=="}})
    tools.items(
        "pods",
        {
            "metadata": {"name": "p", "managedFields": [1], "annotations": {"a": planted}},
            "spec": {"containers": [{"env": VARIABLES, "args": [f"--token={SECRET}x"]}]},
        },
    )
    tools.items("events", {"metadata": {}, "message": planted, "reason": "BackOff", "type": "Warning"})
    tools.items("namespaces", {"metadata": {"name": "chat"}})
    log = found.folder / "logs" / "dev" / "platform.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"Plan: 1 to add\n{planted}\n", "utf-8")
    state = found.folder / "state" / "dev" / "platform.tfstate"
    content = json.loads(state.read_text("utf-8"))
    content["resources"][0]["instances"][0]["attributes"]["input"] = {"value": planted, "type": "string"}
    state.write_text(json.dumps(content), "utf-8")
    return found


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ClusterApi]:
    cluster = FakeCluster({"pods": []})
    cluster.add("deployments", workload("Deployment", "chat", "web"))
    (tmp_path / "api").mkdir()
    with fake_api(cluster, tmp_path / "api") as found:
        (pod,) = cluster.listed("pods")
        said = f"2026-11-30T12:00:00Z failed with {SECRET} for {' '.join(OTHERS)}\n"
        cluster.logs[pod["metadata"]["name"], pod["status"]["containerStatuses"][0]["name"]] = said.encode()
        yield found


def run(operated: Operated, *words: str, api: ClusterApi | None = None) -> Result:
    tools = operated.command_tools
    if api:
        tools = replace(tools, cluster_of=lambda _: api)
    return CliRunner().invoke(support.app, words, obj=tools)


def unpacked(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        found = {}
        for member in archive.getmembers():
            file = archive.extractfile(member)
            assert file
            found[member.name.partition("/")[2]] = file.read().decode()
        return found


def test_planted_secrets_people_and_addresses_are_in_no_file(
    operated: Operated, api: ClusterApi, tmp_path: Path
) -> None:
    result = run(operated, "dev", "--output", str(tmp_path / "bug.tar.gz"), api=api)
    assert result.exit_code == 0, result.output
    files = unpacked(tmp_path / "bug.tar.gz")
    settings = load_settings("dev")
    for name, text in files.items():
        for planted in (SECRET, LITERAL, *OTHERS, settings.domain, str(settings.azure.subscription_id)):
            assert planted not in text, f"{planted} is in {name}"
    assert "BackOff" in files["cluster/events.txt"]
    assert re.search(r"failed with \(sensitive\) for person-\d ip-1 \(sensitive\)\n", files["runs/platform.log"])
    assert "failed with (sensitive) for person-" in files["logs/chat.txt"]
    assert "terraform_data.it" in files["states/platform.json"]
    assert "managedFields" not in files["cluster/pods.json"]
    expected = {"about.txt", "tools.json", "environment.json", "pins/charts.yaml", "logs/chat.txt"}
    assert expected <= set(files)
    assert "volumes.json" in files["not-collected.txt"]


def test_archive_never_holds_secrets_or_config_maps_as_objects(operated: Operated, tmp_path: Path) -> None:
    run(operated, "dev", "--lines", "0", "--output", str(tmp_path / "bug.tar.gz"))
    asked = [call[4] for call in operated.tools.calls if call[3:4] == ["get"]]
    assert "secrets" in asked
    assert not any("configmaps" in kinds for kinds in asked)
    assert not any("secrets" in name for name in unpacked(tmp_path / "bug.tar.gz"))


def test_cluster_that_cannot_be_reached_leaves_the_rest(operated: Operated, tmp_path: Path) -> None:
    (operated.tools.folder / "kubeconfig.json").unlink()
    result = run(operated, "dev", "--json", "--output", str(tmp_path / "bug.tar.gz"))
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert list(told["missing"]) == ["cluster"]
    assert {"about.txt", "states/platform.json", "not-collected.txt"} <= set(told["files"])


@pytest.mark.parametrize("words", [("--since", "long"), ("--output", "there.tar.gz")])
def test_wrong_word_is_refused_before_anything_is_asked(
    operated: Operated, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "there.tar.gz").touch()
    error = run(operated, "dev", *words).exception
    assert isinstance(error, OperatorError)
    assert error.code == ExitCode.USAGE
    assert operated.tools.calls == []
