"""A Helm run killed in the middle, with the real Helm and the real API server, and the way out of it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cli.state.releases import unlock
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.releases import pending_releases
from scripts.core.consent import Consent
from scripts.lab.kube.api import Object
from stacks.settings import load_settings
from tests.support.cluster.helm_client import Helm, HelmError
from tests.support.cluster.real_cluster import Running, helm, running

pytestmark = pytest.mark.cluster

NAMESPACE = "pending"
CHART = "apiVersion: v2\nname: held\nversion: 1.0.0\n"
# A Job whose pod no node takes: Helm waits for the hook until it is killed.
HOOK = """\
{{- if .Values.held }}
apiVersion: batch/v1
kind: Job
metadata:
  name: held
  annotations: {helm.sh/hook: "pre-install,pre-upgrade,pre-rollback", helm.sh/hook-delete-policy: before-hook-creation}
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nowhere: "true"}
      containers: [{name: main, image: "example.com/none:1"}]
{{- end }}
"""
CONTENT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: content}
data: {value: {{ .Values.value | quote }}}
"""


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("kube"), load_settings("dev")) as found:
        found.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        yield found


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "held"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(CHART)
    (folder / "values.yaml").write_text("held: false\nvalue: ''\n")
    (folder / "templates" / "hook.yaml").write_text(HOOK)
    (folder / "templates" / "content.yaml").write_text(CONTENT)
    return folder


def _content(alive: Running) -> str:
    item: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "content", "namespace": NAMESPACE}}
    return str(alive.api.get(item)["data"]["value"])


def _killed(client: Helm, kubectl: Kubectl, name: str, verb: str, *arguments: str) -> None:
    """Start Helm, and kill it once its record of the new revision is there."""
    command = [client.program, verb, name, *arguments, "--namespace", NAMESPACE, "--timeout", "10m"]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not any(release.name == name for release in pending_releases(kubectl)):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_release_left_pending_goes_on_from_its_last_deployed_revision(
    alive: Running, chart: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(alive.kubeconfig))
    context = subprocess.run(
        ["kubectl", "config", "current-context"], capture_output=True, text=True, check=True
    ).stdout.strip()
    client, kubectl = helm(alive, tmp_path), Kubectl(context)
    client.run("install", "upgraded", str(chart), "--namespace", NAMESPACE, "--set", "value=first")

    _killed(client, kubectl, "upgraded", "upgrade", str(chart), "--set", "held=true,value=second")
    with pytest.raises(HelmError, match="another operation"):
        client.run("upgrade", "upgraded", str(chart), "--namespace", NAMESPACE, "--set", "value=third")
    assert unlock(kubectl, Consent("dev", yes=True), "", dry_run=False) == [
        {"release": "pending/upgraded", "status": "pending-upgrade", "revision": 2, "kept": 1}
    ]
    assert client.revisions() == {"pending/upgraded": 1}
    assert _content(alive) == "first"
    client.run("upgrade", "upgraded", str(chart), "--namespace", NAMESPACE, "--set", "value=third")
    assert _content(alive) == "third"

    client.run("upgrade", "upgraded", str(chart), "--namespace", NAMESPACE, "--set", "held=false,value=fourth")
    client.run("uninstall", "upgraded", "--namespace", NAMESPACE)

    _killed(client, kubectl, "installed", "install", str(chart), "--set", "held=true,value=first")
    with pytest.raises(HelmError, match="still in use"):
        client.run("install", "installed", str(chart), "--namespace", NAMESPACE, "--set", "value=second")
    (found,) = unlock(kubectl, Consent("dev", yes=True), "pending/installed", dry_run=False)
    assert (found["status"], found["kept"]) == ("pending-install", None)
    client.run("install", "installed", str(chart), "--namespace", NAMESPACE, "--set", "value=second")
    assert _content(alive) == "second"
    assert pending_releases(kubectl) == []
