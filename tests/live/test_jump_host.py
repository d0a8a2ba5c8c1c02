"""A Kubernetes API behind a jump host: a real sshd, the machine's own ssh, a real API server and kubectl."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.reach.choice import Choice
from scripts.cluster.reach.jump_host import JumpHost
from scripts.cluster.reach.through import Ways, api_of, kubectl_through, provider_variables
from scripts.core.errors import OperatorError
from scripts.core.http import get
from scripts.core.workspace import ROOT
from scripts.lab.kube.processes import free_ports
from stacks.settings import load_settings
from stacks.settings.azure import ClusterAccess
from tests.support.cluster.helm_client import Helm
from tests.support.cluster.real_cluster import Running, running
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import DEBIAN, Program, in_debian, wait_for
from tests.support.web_servers import QuietHandler, port_of, served

pytestmark = pytest.mark.live

NAMESPACE = "reached"
HOST = "nobody@127.0.0.1"
"""sshd without root lets its own user in, and nobody else."""
NOBODY = 65534
CONFIGURATION = """ListenAddress 127.0.0.1
Port {port}
HostKey /mnt/host
AuthorizedKeysFile /mnt/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
LogLevel DEBUG1
"""


class Application(QuietHandler):
    """What a pod serves."""

    def do_GET(self) -> None:
        self.answer(200, b"the pod answers")


def _simulated(application: int) -> list[dict[str, object]]:
    forward = {"target": {"address": "127.0.0.1", "port": application}}
    does: dict[str, dict[str, object]] = {
        "ClusterExec": {"execs": [{"local": {}}]},
        "ClusterPortForward": {"forwards": [forward]},
    }
    return [
        {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": NAMESPACE},
            "spec": {"selector": {"matchNamespaces": [NAMESPACE]}, **spec},
        }
        for kind, spec in does.items()
    ]


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("kube")
    with (
        served(Application) as address,
        running(folder, load_settings("dev"), simulated=_simulated(port_of(address))) as found,
    ):
        found.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        pod = {"containers": [{"name": "c", "image": "none"}]}
        meta = {"name": "chat", "namespace": NAMESPACE, "labels": {"app": "chat"}}
        found.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod})
        service = {"selector": {"app": "chat"}, "ports": [{"port": 80, "targetPort": 8080}]}
        found.api.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service})
        yield found


@dataclass(frozen=True)
class Bastion:
    """The SSH server, and how its one user logs in."""

    server: Program
    options: tuple[str, ...]


@pytest.fixture(scope="module")
def bastion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bastion]:
    assert (DEBIAN / "usr/sbin/sshd").exists(), "scripts/lab/install-live debian"
    ours, theirs = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    (port,) = free_ports(1)
    for key in (ours / "key", theirs / "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    theirs.chmod(0o755)
    os.chown(theirs / "host", NOBODY, NOBODY)
    (theirs / "authorized").write_text((ours / "key.pub").read_text())
    (theirs / "authorized").chmod(0o644)
    (theirs / "sshd_config").write_text(CONFIGURATION.format(port=port))
    (theirs / "sshd_config").chmod(0o644)
    (ours / "known").write_text(f"[127.0.0.1]:{port} {(theirs / 'host.pub').read_text()}")
    command = in_debian(theirs, "nobody", "/usr/sbin/sshd", "-D", "-e", "-f", "/mnt/sshd_config")
    options = (
        *("-F", "/dev/null", "-p", str(port), "-i", str(ours / "key"), "-o", "BatchMode=yes"),
        *("-o", f"UserKnownHostsFile={ours / 'known'}", "-o", "StrictHostKeyChecking=yes"),
    )
    with Program("sshd", command, theirs, os.environ, "127.0.0.1", port).running() as server:
        yield Bastion(server, options)


@pytest.fixture
def ways(bastion: Bastion, alive: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ways]:
    monkeypatch.setenv("KUBECONFIG", str(alive.kubeconfig))
    connection = JumpHost(HOST, bastion.options)
    try:
        yield Ways(jump_host=lambda _host: connection, say=lambda _line: None)
    finally:
        connection.close()


CHOICE = Choice(way=ClusterAccess.JUMP_HOST, jump_host=HOST)


@pytest.fixture
def kubectl(alive: Running, ways: Ways) -> Kubectl:
    outputs = {"api_url": alive.api.url, "resource_group_name": "", "cluster_name": ""}
    found = kubectl_through(CHOICE, outputs, ways)
    api = api_of(found)
    wait_for(
        lambda: api.get("pods", NAMESPACE, "chat")["status"].get("phase") == "Running", PATIENCE_S, lambda: "no pod"
    )
    return found


def test_all_that_a_person_does_goes_through_the_jump_host(kubectl: Kubectl, alive: Running, bastion: Bastion) -> None:
    port = alive.api.url.rpartition(":")[2]
    before = bastion.server.log.count(f"to 127.0.0.1 port {port}")
    assert [pod["metadata"]["name"] for pod in kubectl.items("pods", "-n", NAMESPACE)] == ["chat"]
    inside = ("exec", "-i", "-n", NAMESPACE, "chat", "--", "sh", "-c", 'read -r line; echo "$line, answered"')
    assert kubectl.run(*inside, given="a question\n") == "a question, answered\n"
    with kubectl.forwarded(NAMESPACE, "chat", 80) as url:
        assert get(url).body == b"the pod answers"
    kind, found = next(api_of(kubectl).watch("pods", NAMESPACE))
    assert (kind, found["metadata"]["name"]) == ("ADDED", "chat")
    assert bastion.server.log.count(f"to 127.0.0.1 port {port}") >= before + 4


def test_nothing_is_reached_once_the_connection_has_ended(bastion: Bastion) -> None:
    connection = JumpHost(HOST, bastion.options)
    port = connection.socks()
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_host_that_lets_nobody_in_is_told_in_sshs_own_words(bastion: Bastion) -> None:
    with pytest.raises(OperatorError, match=r"the jump host stranger@127\.0\.0\.1 cannot be used: .*Permission denied"):
        JumpHost("stranger@127.0.0.1", bastion.options)


def test_terraforms_providers_get_a_proxy_that_looks_names_up_at_the_jump_host(
    alive: Running, ways: Ways, bastion: Bastion
) -> None:
    proxy = provider_variables(CHOICE, ways)["KUBE_PROXY_URL"]
    port = alive.api.url.rpartition(":")[2]
    asked = ["curl", "--silent", "--show-error", "--insecure", "--output", os.devnull, "--write-out", "%{http_code}"]
    # As Go's own client does with a proxy of this kind: the name goes to the other end.
    done = subprocess.run(
        [*asked, "--proxy", proxy.replace("socks5:", "socks5h:"), f"https://localhost:{port}/version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("200", "")
    assert f"to localhost port {port}" in bastion.server.log


def test_a_release_and_an_object_come_into_the_cluster_by_the_client_that_the_providers_are_made_of(
    alive: Running, ways: Ways, bastion: Bastion, tmp_path: Path
) -> None:
    """Both providers put KUBE_PROXY_URL where a kubeconfig has `proxy-url` (client-go's `clientcmd`), as here."""
    port = alive.api.url.rpartition(":")[2]
    config = YAML(typ="safe").load(alive.kubeconfig)
    (cluster,) = (entry["cluster"] for entry in config["clusters"])
    proxy = provider_variables(CHOICE, ways)["KUBE_PROXY_URL"]
    cluster |= {"server": f"https://localhost:{port}", "proxy-url": proxy, "tls-server-name": "127.0.0.1"}
    place = tmp_path / "config"
    place.write_text(json.dumps(config))
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: small, version: 1.0.0}")
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "by-helm"}, "data": {"a": "b"}}
    (chart / "templates" / "item.yaml").write_text(json.dumps(item))
    before = bastion.server.log.count(f"to localhost port {port}")
    program = shutil.which("helm")
    assert program, "helm is not on PATH: .ci/run builds it"
    release = {"name": "small", "namespace": NAMESPACE, "values": []}
    Helm(program, place, tmp_path).apply("install", release, str(chart), timeout_s=PATIENCE_S)
    given = ["kubectl", "--kubeconfig", str(place), "--namespace", NAMESPACE]
    subprocess.run([*given, "create", "configmap", "by-kubectl"], check=True, capture_output=True)
    found = {item["metadata"]["name"] for item in alive.api.list("v1", "ConfigMap", NAMESPACE)}
    assert {"by-helm", "by-kubectl"} <= found
    assert bastion.server.log.count(f"to localhost port {port}") >= before + 2
    ways.jump_host(HOST).close()
    refused = subprocess.run([*given, "get", "pods"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "was refused" in refused.stderr


HOLDING = """
import sys
from scripts.cluster.reach.jump_host import JumpHost
connection = JumpHost(sys.argv[1], sys.argv[2:])
print(connection.socks(), flush=True)
sys.stdin.read()
"""


def _open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_the_connection_survives_ctrl_c_and_ends_with_the_program_however_that_ends(bastion: Bastion) -> None:
    """Terraform ends gracefully through it, and a program that is killed leaves no way into the network behind."""
    program = [sys.executable, "-c", HOLDING, HOST, *bastion.options]
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *program]
    with subprocess.Popen(
        ignoring, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        os.killpg(process.pid, signal.SIGINT)
        assert _open(port)
        process.kill()
    wait_for(lambda: not _open(port), PATIENCE_S, lambda: "the way stays open")
