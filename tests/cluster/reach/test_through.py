"""One place for every way: kubectl, the Python client and Terraform's providers get there alike, and it is said how."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.cluster.kubectl import Kubectl, connect
from scripts.cluster.reach.choice import Choice
from scripts.cluster.reach.command_invoke import CommandInvoke
from scripts.cluster.reach.jump_host import JumpHost
from scripts.cluster.reach.through import Ways, api_of, kubectl_through, provider_variables
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings.azure import ClusterAccess
from tests.support.cli.fake_tools import API_URL, CONTEXT, Tools, install, kubeconfig

AKS = {"api_url": API_URL, "resource_group_name": "llm-dev-aks", "cluster_name": "llm-dev"}
PROXY = "https://llm-dev-api.tail1234.ts.net"
AUTHORITY = "Y2VydGlmaWNhdGU="


class FakeJumpHost(JumpHost):
    """A connection whose ports are known."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.led_to: list[str] = []

    def port_to(self, url: str) -> int:
        self.led_to.append(url)
        return 41001

    def socks(self) -> int:
        return 41002


class World:
    """The ways, the commands that Azure is asked to run, and what the person reads."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.jump_host = FakeJumpHost("")
        self.asked: list[tuple[str, ...]] = []
        self.answer: dict[str, Any] = {"provisioningState": "Succeeded", "exitCode": 0, "logs": "", "reason": None}
        self.ways = Ways(
            jump_host=lambda _host: self.jump_host,
            proxy_url=lambda name: PROXY if name == "llm-dev-api" else "",
            invoke=lambda *place: replace(CommandInvoke(*place), ask=self._ask),
            own=connect,
            say=self.said.append,
        )

    def _ask(self, *arguments: str) -> dict[str, Any]:
        self.asked.append(arguments)
        return self.answer

    def kubectl(self, way: ClusterAccess) -> Kubectl:
        return kubectl_through(_choice(way), AKS, self.ways)


def _choice(way: ClusterAccess) -> Choice:
    return Choice(way=way, jump_host="ops@bastion", proxy="llm-dev-api", subscription="the-subscription")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    tools: Tools = install(tmp_path / "tools", monkeypatch)
    own = kubeconfig()
    own["clusters"][1]["cluster"]["certificate-authority-data"] = AUTHORITY
    tools.write("kubeconfig.json", own)
    return World()


def _cluster(kubectl: Kubectl) -> Mapping[str, str]:
    assert kubectl.command("get", "pods")[:5] == [
        "kubectl",
        "--kubeconfig",
        kubectl.configuration,
        "--context",
        CONTEXT,
    ]
    file = Path(kubectl.configuration)
    assert file.stat().st_mode & 0o777 == 0o600
    content = json.loads(file.read_text("utf-8"))
    assert [user["name"] for user in content["users"]] == ["me"]
    cluster: dict[str, str] = content["clusters"][0]["cluster"]
    return cluster


def test_the_direct_way_is_the_users_own_configuration_and_says_nothing(world: World) -> None:
    assert world.kubectl(ClusterAccess.DIRECT) == Kubectl(CONTEXT)
    assert provider_variables(_choice(ClusterAccess.DIRECT), world.ways) == {}
    assert world.said == []


def test_a_jump_host_leads_to_the_api_whose_certificate_is_still_checked(world: World) -> None:
    assert _cluster(world.kubectl(ClusterAccess.JUMP_HOST)) == {
        "server": "https://127.0.0.1:41001",
        "tls-server-name": "llm-dev.hcp.westeurope.azmk8s.io",
        "certificate-authority-data": AUTHORITY,
    }
    assert world.jump_host.led_to == [API_URL]
    assert provider_variables(_choice(ClusterAccess.JUMP_HOST), world.ways) == {
        "KUBE_PROXY_URL": "socks5://127.0.0.1:41002"
    }
    assert set(world.said) == {"Kubernetes API: through the jump host ops@bastion, by ssh"}


def test_tailscales_proxy_is_asked_with_the_persons_own_login(world: World) -> None:
    assert _cluster(world.kubectl(ClusterAccess.TAILSCALE)) == {"server": PROXY}
    assert provider_variables(_choice(ClusterAccess.TAILSCALE), world.ways) == {"TF_VAR_cluster_url": PROXY}
    assert set(world.said) == {f"Kubernetes API: through Tailscale, at {PROXY}"}


def test_the_python_client_takes_the_same_way(world: World) -> None:
    for way, host in ((ClusterAccess.TAILSCALE, PROXY), (ClusterAccess.JUMP_HOST, "https://127.0.0.1:41001")):
        client: Any = api_of(world.kubectl(way)).requests
        assert client.client.configuration.host == host


def test_a_short_command_runs_inside_the_cluster(world: World) -> None:
    kubectl = world.kubectl(ClusterAccess.COMMAND_INVOKE)
    world.answer["logs"] = '{"items": [{"metadata": {"name": "chat-0"}}]}'
    assert kubectl.items("pods", "-n", "chat", "-l", "a in (b, c)") == [{"metadata": {"name": "chat-0"}}]
    assert world.asked == [
        (
            *("aks", "command", "invoke", "--subscription", "the-subscription", "--resource-group", "llm-dev-aks"),
            *("--name", "llm-dev", "--command", "kubectl get pods -n chat -l 'a in (b, c)' -o json"),
        )
    ]
    assert world.said == ["Kubernetes API: through az aks command invoke, one short command at a time"]


def test_the_api_is_read_changed_and_refused_inside_the_cluster(world: World) -> None:
    api = api_of(world.kubectl(ClusterAccess.COMMAND_INVOKE))
    world.answer["logs"] = '{"metadata": {}}'
    assert api.get("deployments", "chat", "open-webui") == {"metadata": {}}
    api.patch("deployments", "chat", "open-webui", {"spec": {"replicas": 0}})
    api.patch("pods", "chat", "open-webui-0", {"metadata": {"labels": {"a": "it's"}}})
    api.evict("chat", "open-webui-0")
    pod = "/api/v1/namespaces/chat/pods/open-webui-0"
    evicted = (
        '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "open-webui-0", "namespace": "chat"}}'
    )
    merged = ["--type", "merge", "-p"]
    scaled, labelled = '{"spec": {"replicas": 0}}', '{"metadata": {"labels": {"a": "it\'s"}}}'
    assert [shlex.split(asked[-1]) for asked in world.asked] == [
        ["kubectl", "get", "--raw", "/apis/apps/v1/namespaces/chat/deployments/open-webui"],
        ["kubectl", "patch", "deployments.v1.apps", "open-webui", "-n", "chat", *merged, scaled, "-o", "json"],
        ["kubectl", "patch", "pods", "open-webui-0", "-n", "chat", *merged, labelled, "-o", "json"],
        ["printf", "%s", evicted, "|", "kubectl", "create", "--raw", f"{pod}/eviction", "-f", "-"],
    ]
    world.answer |= {"exitCode": 1, "logs": 'Error from server (NotFound): deployments.apps "gone" not found'}
    assert api.known_items("deployments") == []


def test_a_log_is_handed_over_whole_and_not_followed_inside_the_cluster(world: World) -> None:
    api = api_of(world.kubectl(ClusterAccess.COMMAND_INVOKE))
    world.answer["logs"] = "one line\nand another\n"
    with api.log("chat", "open-webui-0", "open-webui", tailLines=2) as stream:
        assert stream.data == b"one line\nand another\n"
    with pytest.raises(OperatorError, match="a stream does not go through az aks command invoke"):
        api.log("chat", "open-webui-0", "open-webui", follow="true")
    with pytest.raises(OperatorError, match="a stream does not go through"):
        next(api.watch("pods", "chat"))


def test_what_streams_or_reads_data_is_refused_inside_the_cluster_with_the_way_out(world: World) -> None:
    kubectl = world.kubectl(ClusterAccess.COMMAND_INVOKE)
    refused: dict[str, Callable[[], object]] = {
        "`kubectl port-forward`": lambda: kubectl.follow("port-forward", "svc/litellm", ":4000"),
        "`kubectl exec` with this terminal": lambda: kubectl.command("exec", "-it", "chat-0"),
        "`kubectl exec` with data": lambda: kubectl.run("exec", "-i", "chat-0", given="a question"),
        "Terraform": lambda: provider_variables(_choice(ClusterAccess.COMMAND_INVOKE), world.ways),
    }
    for what, begin in refused.items():
        with pytest.raises(OperatorError, match=f"{re.escape(what)}.* does not go through") as refusal:
            begin()
        assert "LLMCTL_CLUSTER_ACCESS=jump-host" in refusal.value.fix
        assert refusal.value.code is ExitCode.REFUSED
    assert world.asked == []


def test_a_command_that_azure_could_not_run_is_told_with_its_reason(world: World) -> None:
    kubectl = world.kubectl(ClusterAccess.COMMAND_INVOKE)
    world.answer |= {"provisioningState": "Failed", "exitCode": None, "reason": "command pod not schedulable"}
    with pytest.raises(OperatorError, match="could not run the command: command pod not schedulable"):
        kubectl.run("get", "pods")


def test_a_login_that_kubectl_refuses_inside_the_cluster_is_explained_as_ever(world: World) -> None:
    world.answer |= {"exitCode": 1, "logs": 'Error from server (Forbidden): pods is forbidden: User "me" cannot list'}
    with pytest.raises(OperatorError, match="pods is forbidden") as refusal:
        world.kubectl(ClusterAccess.COMMAND_INVOKE).run("get", "pods")
    assert "permissions.md" in refusal.value.fix
