"""Who may connect to whom, by Cilium's own policy engine: what is documented, nothing else; each mistake shows."""

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli.develop import policy
from scripts.gates.network import cilium, objects, page, pods, third_party
from scripts.gates.network.check import Cluster, cluster, matrix_of
from scripts.gates.network.matrix import Matrix
from stacks.platform.common.connections import Connection, Place, calls
from stacks.platform.common.traffic import Peer
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings, parse_settings
from tests.support.gates.network_mistakes import MISTAKES
from tests.support.kubernetes.cilium import Outside, Pod, Rules
from tests.support.kubernetes.own_charts import example
from tests.support.stacks.synthesis import synthesize

GO, HELM = shutil.which("go"), shutil.which("helm")
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(HELM is None, reason="helm is not on PATH; the CI set brings it"),
    pytest.mark.skipif(GO is None and not cilium.where().is_file(), reason="go is not on PATH"),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the synthesized `platform` stacks of dev and prod."""
    found = {}
    for name in ("dev", "prod"):
        folder = tmp_path_factory.mktemp(name)
        synthesize(load_settings(name), folder)
        found[name] = folder / "stacks" / "platform"
    return found


@pytest.fixture(scope="module")
def dev(folders: dict[str, Path]) -> Cluster:
    """Return the cluster of dev; third-party charts as they are written down."""
    return cluster(load_settings("dev"), folders["dev"])


def _open(matrix: Matrix, caller: str, receiver: str) -> set[tuple[int, str]]:
    return {
        (edge.port.number, edge.port.protocol)
        for edge in matrix.edges
        if (edge.caller, edge.receiver) == (caller, receiver)
    }


@pytest.mark.parametrize("name", ["dev", "prod"])
@pytest.mark.parametrize("charts", [None, pods.charts_folder()], ids=["written-down", "rendered"])
def test_every_documented_connection_is_open_and_no_other(
    folders: dict[str, Path], name: str, charts: Path | None
) -> None:
    matrix = matrix_of(cluster(load_settings(name), folders[name], charts))
    assert matrix.findings == ()
    assert len(matrix.edges) > 5000


def test_behind_a_proxy_nobody_but_callers_of_the_kubernetes_api_reaches_the_internet(tmp_path: Path) -> None:
    dev, behind = load_settings("dev"), example("egress_proxy")
    settings = dev.model_copy(update={"network": behind.network, "trust": behind.trust})
    synthesize(settings, tmp_path)
    matrix = matrix_of(cluster(settings, tmp_path / "stacks" / "platform"))
    assert matrix.findings == ()
    assert _open(matrix, "chat/open-webui", Place.EGRESS_PROXY) == {(3128, "TCP")}
    assert _open(matrix, "chat/open-webui", Place.INTERNET) == set()
    assert _open(matrix, "opik/oauth2-proxy", Place.INTERNET) == set()


@pytest.mark.skipif(pods.charts_folder() is None, reason="neither CHARTS_DIR nor PULL_CHARTS is set")
def test_what_is_written_down_of_third_party_pods_is_what_their_charts_bring(folders: dict[str, Path]) -> None:
    charts = pods.charts_folder()
    assert charts is not None
    assert third_party.facts(map(objects.read, folders.values()), charts) == third_party.read_facts(), (
        "CHARTS_DIR=FOLDER llmctl policy network --write"
    )


CLOSED = {
    "node's identity": ("chat/open-webui", Place.METADATA.value),
    "wire server": ("cert-manager/cert-manager", Place.WIRE_SERVER.value),
    "vault, to the chat": ("chat/open-webui", Place.KEY_VAULT.value, 443),
    "registry, to the chat": ("chat/open-webui", Place.REGISTRY.value, 443),
    "weights, to engines": ("serving/ollama-t4", Place.STORAGE.value),
    "internet, to engines": ("serving/vllm-qwen2-5-7b", Place.INTERNET.value),
    "internet, to GPU pods": ("gpu/dcgm-exporter", Place.INTERNET.value),
    "Kubernetes API, to the serving proxy": ("serving/serving-front", Place.KUBERNETES_API.value),
    "chat, past the ingress": (Place.INTERNET.value, "chat/open-webui"),
    "database of traces, to the chat": ("chat/open-webui", "opik/clickhouse"),
    "webhook, to other pods": ("chat/open-webui", "cert-manager/cert-manager-webhook"),
    "controller beside the webhook": ("kube-system/konnectivity-agent", "cert-manager/cert-manager"),
    "pod that nobody planned": ("opik/unknown-pod", "opik/opik-mysql"),
    "namespace that nobody bounds": ("default/unknown-pod", "gateway/litellm"),
}


@pytest.mark.parametrize("what", CLOSED)
def test_what_must_not_be_reached_is_closed(dev: Cluster, what: str) -> None:
    caller, receiver, *port = CLOSED[what]
    ends = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in dev.pods} | {*map(str, Place)}
    assert {caller, receiver} <= ends
    found = {number for number, _ in _open(_matrix(dev), str(caller), str(receiver))}
    assert found & set(port) == set() if port else found == set()


_MATRICES: dict[int, Matrix] = {}


def _matrix(found: Cluster) -> Matrix:
    """Return the unchanged cluster's matrix, evaluated once."""
    if id(found) not in _MATRICES:
        _MATRICES[id(found)] = matrix_of(found)
    return _MATRICES[id(found)]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(dev: Cluster, mistake: str) -> None:
    change, expected = MISTAKES[mistake]
    changed = replace(
        dev,
        pods=copy.deepcopy(dev.pods),
        policies=copy.deepcopy(dev.policies),
        webhooks=copy.deepcopy(dev.webhooks),
    )
    change(changed)
    assert [line for line in matrix_of(changed).findings if expected in line], mistake


def test_a_connection_that_nobody_tells_of_is_told(dev: Cluster) -> None:
    told = tuple(one for one in dev.connections if one.why != "sessions shared by all replicas")
    assert len(told) == len(dev.connections) - 1
    assert matrix_of(replace(dev, connections=told)).findings == (
        "open but not documented: chat/open-webui → chat/chat-redis: 6379",
    )


def test_a_connection_of_nobody_is_told(dev: Cluster) -> None:
    ghost: Connection = calls(Peer(namespace="chat", pods={"app": "ghost"}), Place.INTERNET, 443, why="haunting")
    assert matrix_of(replace(dev, connections=(*dev.connections, ghost))).findings == (
        "no pod is chat: ghost, which chat: ghost → internet (haunting) names",
    )


def test_the_quick_evaluator_of_the_fast_tests_decides_as_ciliums(dev: Cluster, folders: dict[str, Path]) -> None:
    stack = objects.read(folders["dev"])
    rules = Rules(dict(stack.resources["kubernetes_network_policy_v1"]))
    ends: dict[str, Pod | Outside] = {
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": Pod(
            pod["metadata"]["namespace"], pod["metadata"]["labels"]
        )
        for pod in dev.pods
    }
    ends |= {end.name: Outside(end.address) for end in dev.outside if end.address and not end.entity}
    matrix = _matrix(dev)
    for port, protocol in ((443, "TCP"), (53, "UDP"), (4000, "TCP"), (6379, "TCP"), (9090, "TCP"), (10250, "TCP")):
        opened = {(edge.caller, edge.receiver) for edge in matrix.edges if edge.port == cilium.OpenPort(port, protocol)}
        for name, caller in ends.items():
            if isinstance(caller, Outside):
                continue
            mistaken = [
                other
                for other, end in ends.items()
                if rules.allow(caller, end, port, protocol) != ((name, other) in opened)
            ]
            assert mistaken == [], f"{name}, port {port}"


def test_the_page_of_connections_is_current() -> None:
    text = page.PAGE.read_text("utf-8")
    assert page.page(text) == text, "run: llmctl policy network --write"


def test_the_command_shows_the_matrix_and_filters_it() -> None:
    shown = CliRunner().invoke(policy.app, ["network", "dev", "--from", "chat", "--to", "redis"])
    assert shown.exit_code == 0, shown.output
    assert "sessions shared by all replicas" in shown.output
    assert "dashboards" not in shown.output
    told = CliRunner().invoke(policy.app, ["network", "dev", "--json", "--from", "chat/open-webui", "--to", "redis"])
    assert json.loads(told.stdout) == {
        "edges": [
            {
                "from": "chat/open-webui",
                "to": "chat/chat-redis",
                "port": 6379,
                "protocol": "TCP",
                "why": ["sessions shared by all replicas"],
            }
        ],
        "findings": [],
    }


def test_nobody_of_the_internet_reaches_a_private_platform_and_its_networks_do(tmp_path: Path) -> None:
    file = Path(__file__).parents[1] / "environments" / "valid.private_by_vpn.yaml"
    settings = parse_settings(file.read_text("utf-8"), file.name)
    synthesize(settings, tmp_path)
    matrix = matrix_of(cluster(settings, tmp_path / "stacks" / "platform"))
    # That environment serves no models, so that nobody answers the LLM gateway.
    assert [finding for finding in matrix.findings if "serving-front" not in finding] == []
    bound = {rules.name for rules in enabled_components(settings).namespaces()}
    entered = {edge.receiver for edge in matrix.edges if edge.caller == Place.INTERNET}
    assert {receiver for receiver in entered if receiver.partition("/")[0] in bound} == set()
    opened = {edge.receiver.partition("/")[0] for edge in matrix.edges if edge.caller == Place.NETWORK}
    assert opened & bound == {"ingress"}
