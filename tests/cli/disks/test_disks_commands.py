"""Data disks: grown with the store stopped and started again, bound again, and let go by nodes that are gone."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.disks import commands as disks
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.volumes import wait_until_detached
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.fake_tools import CONTEXT
from tests.support.cli.operated_environment import OUTPUTS, Operated, deploy_once, operate
from tests.support.cli.terminals import answering

pytestmark = pytest.mark.programs

BREAKS = {"lifecycle": {"postcondition": [{"condition": "${self.output == timestamp()}", "error_message": "no"}]}}


def clickhouse(replicas: int, **annotations: str) -> dict[str, Any]:
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "chi-opik-clickhouse-cluster-0-0", "namespace": "opik", "annotations": annotations},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "clickhouse"}}},
    }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), monkeypatch)


@pytest.fixture
def operated(deployed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operated:
    found = operate(deployed, tmp_path / "checkout", monkeypatch)
    monkeypatch.setitem(OUTPUTS["disks"], "sizes_gib", {"clickhouse": 128, "mysql": 32})
    found.tools.write("get-statefulset.json", clickhouse(1, **{"platform/replicas-before": "1"}))
    found.tools.items("volumeattachments.storage.k8s.io")
    return found


def run(operated: Operated, *words: str, terminal: Terminal | None = None) -> Result:
    tools = operated.command_tools
    if terminal:
        tools = type(tools)(**{**vars(tools), "terminal": terminal})
    return CliRunner().invoke(disks.app, words, obj=tools)


def refused(operated: Operated, *words: str, terminal: Terminal | None = None) -> OperatorError:
    result = run(operated, *words, terminal=terminal)
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def actions(operated: Operated) -> list[str]:
    return [" ".join(call[3:5]) for call in operated.tools.calls if call[0] == "kubectl" and call[1] == "--context"]


def patches(operated: Operated) -> list[Any]:
    return [json.loads(call[-1]) for call in operated.tools.calls if "patch" in call]


def test_a_disk_grows_with_its_store_stopped_and_started_again(operated: Operated) -> None:
    result = run(operated, "grow", "clickhouse", "200", "dev", "--yes")
    assert result.exit_code == ExitCode.OK, result.output
    assert "clickhouse_gib: 200" in operated.text
    assert "clickhouse_gib: 200" in operated.deployed("platform")
    stop, start = patches(operated)
    assert stop == {"metadata": {"annotations": {"platform/replicas-before": "1"}}, "spec": {"replicas": 0}}
    assert start == {"metadata": {"annotations": {"platform/replicas-before": None}}}
    assert [action for action in actions(operated) if not action.startswith("get")] == [
        "patch statefulset/chi-opik-clickhouse-cluster-0-0",
        "wait pod",
        "patch statefulset/chi-opik-clickhouse-cluster-0-0",
        "rollout status",
    ]


def test_a_store_that_was_down_when_this_machine_was_switched_off_gets_its_pods_back(operated: Operated) -> None:
    operated.tools.write("get-statefulset.json", clickhouse(0, **{"platform/replicas-before": "2"}))
    assert run(operated, "grow", "clickhouse", "200", "dev", "--yes").exit_code == ExitCode.OK
    (start,) = patches(operated)
    assert start == {"metadata": {"annotations": {"platform/replicas-before": None}}, "spec": {"replicas": 2}}


def test_a_deployment_that_fails_leaves_the_store_running_and_the_file_asking(operated: Operated) -> None:
    operated.broken = BREAKS
    error = refused(operated, "grow", "clickhouse", "200", "dev", "--yes")
    assert "its store is started again" in error.message
    assert patches(operated)[-1]["metadata"] == {"annotations": {"platform/replicas-before": None}}
    assert "clickhouse_gib: 200" in operated.text


def test_without_consent_nothing_is_stopped_and_the_file_is_as_it_was(operated: Operated) -> None:
    operated.tools.write("get-statefulset.json", clickhouse(1))
    before = operated.text
    terminal = answering("n")
    assert refused(operated, "grow", "clickhouse", "200", "dev", terminal=terminal).code == ExitCode.REFUSED
    assert patches(operated) == []
    assert operated.text == before


def test_a_disk_that_a_node_still_has_is_waited_for(operated: Operated) -> None:
    attachment = {"spec": {"nodeName": "aks-1", "source": {"persistentVolumeName": "llm-dev-clickhouse"}}}
    operated.tools.items("volumeattachments.storage.k8s.io", attachment)
    clock = iter([0.0, 100.0, 901.0])
    with pytest.raises(OperatorError, match="llm-dev-clickhouse is still attached to aks-1") as caught:
        wait_until_detached(Kubectl(CONTEXT), "llm-dev-clickhouse", clock=clock.__next__, pause=lambda _seconds: None)
    assert "free-node" in caught.value.fix


def test_a_smaller_disk_is_refused_before_anything_is_asked(operated: Operated) -> None:
    before = operated.text
    error = refused(operated, "grow", "clickhouse", "100", "dev", "--yes")
    assert "clickhouse has 128 GiB, and disks never shrink" in error.message
    assert (error.code, operated.text, actions(operated)) == (ExitCode.REFUSED, before, [])


def volume(name: str, phase: str, policy: str = "Retain") -> dict[str, Any]:
    claim = {"namespace": "opik", "name": f"{name}-claim", "uid": "1", "resourceVersion": "2"}
    return {
        "metadata": {"name": name, "resourceVersion": "7"},
        "spec": {"claimRef": claim, "persistentVolumeReclaimPolicy": policy},
        "status": {"phase": phase},
    }


def test_only_released_volumes_that_are_kept_are_freed(operated: Operated) -> None:
    volumes = [volume("kept", "Released"), volume("used", "Bound"), volume("going", "Released", "Delete")]
    operated.tools.items("persistentvolumes", *volumes)
    operated.tools.write("get-persistentvolume.json", volumes[0])
    result = run(operated, "rebind", "dev", "--yes")
    assert result.exit_code == ExitCode.OK, result.output
    (freed,) = patches(operated)
    assert freed == {
        "metadata": {"resourceVersion": "7"},
        "spec": {"claimRef": {"uid": None, "resourceVersion": None}},
    }
    assert "patch persistentvolume" in actions(operated)


def test_nobody_who_agrees_frees_no_volume(operated: Operated) -> None:
    operated.tools.items("persistentvolumes", volume("kept", "Released"))
    assert refused(operated, "rebind", "dev").code == ExitCode.REFUSED
    assert patches(operated) == []


def test_what_was_stopped_for_a_disk_is_started_again(operated: Operated) -> None:
    stopped = clickhouse(0, **{"platform/replicas-before": "1"})
    operated.tools.items("deployments,statefulsets", stopped, clickhouse(1))
    operated.tools.write("get-statefulset.json", stopped)
    result = run(operated, "resume", "dev")
    assert result.exit_code == ExitCode.OK, result.output
    assert [patch["spec"]["replicas"] for patch in patches(operated)] == [1]


def node(ready: str) -> dict[str, Any]:
    return {"metadata": {"name": "aks-1"}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def test_a_node_that_answers_is_not_taken_out_of_service(operated: Operated) -> None:
    operated.tools.items("nodes", node("True"))
    error = refused(operated, "free-node", "aks-1", "dev", "--confirm", "aks-1")
    assert "aks-1 answers" in error.message
    assert "kubectl drain aks-1" in error.fix
    assert "there is no node aks-2" in refused(operated, "free-node", "aks-2", "dev").message
    assert not any(action.startswith("taint") for action in actions(operated))


def test_a_dead_node_is_taken_out_of_service_by_name_and_comes_back(operated: Operated) -> None:
    operated.tools.items("nodes", node("Unknown"))
    daemon = {"metadata": {"name": "agent", "namespace": "a", "ownerReferences": [{"kind": "DaemonSet"}]}}
    operated.tools.items("pods", daemon, {"metadata": {"name": "opik-mysql-0", "namespace": "opik"}})
    assert refused(operated, "free-node", "aks-1", "dev").code == ExitCode.REFUSED
    assert refused(operated, "free-node", "aks-1", "dev", "--confirm", "dev").code == ExitCode.REFUSED
    result = run(operated, "free-node", "aks-1", "dev", "--confirm", "aks-1")
    assert result.exit_code == ExitCode.OK, result.output
    assert "opik/opik-mysql-0" in result.stderr
    assert "agent" not in result.stderr
    assert run(operated, "free-node", "aks-1", "dev", "--back").exit_code == ExitCode.OK
    taints = [call[-1] if call[-1] != "--overwrite" else call[-2] for call in operated.tools.calls if "taint" in call]
    taint = "node.kubernetes.io/out-of-service"
    assert taints == [f"{taint}=nodeshutdown:NoExecute", f"{taint}-"]
