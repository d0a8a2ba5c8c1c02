"""What pods are given for the way out, by the admission policies on the real Kubernetes API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.kube.api import Api, Object
from stacks.platform.common.catalogue import own_chart
from stacks.platform.common.known_roots import known_roots
from stacks.platform.components.egress.policies import NAMESPACE, RELEASE, policies
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings, parse_settings
from tests.support.cluster.real_cluster import helm, running
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for

pytestmark = pytest.mark.cluster

FILE = Path(__file__).parents[1] / "environments" / "valid.egress_proxy.yaml"
SETTINGS = parse_settings(FILE.read_text("utf-8"), FILE.name)
CONTAINER = {"image": "none", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}
PROXY = "http://proxy.acme.io:3128"
ROOTS = "/etc/trusted-roots/roots.pem"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("egress")
    with running(folder, load_settings("dev")) as alive:
        for name in ("chat", "gateway", "elsewhere"):
            alive.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        rules = enabled_components(SETTINGS).namespaces()
        values = policies(SETTINGS, rules, roots=known_roots(SETTINGS.trust.company_roots))
        release = {"name": RELEASE, "namespace": NAMESPACE, "values": [json.dumps(values)]}
        helm(alive, folder).apply("install", release, str(own_chart(RELEASE)), timeout_s=PATIENCE_S)
        # The API server takes policies up within a moment.
        wait_for(
            lambda: all(_given(alive.api, name) for name in ("gateway", "chat")), PATIENCE_S, lambda: "no policy holds"
        )
        yield alive.api


def _made(api: Api, namespace: str, name: str, **spec: Any) -> Object:
    wanted = {"containers": [{"name": "main", **CONTAINER}], **spec}
    meta = {"name": name, "namespace": namespace}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": wanted}
    return api.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod, dryRun="All")


def _given(api: Api, namespace: str) -> dict[str, str]:
    return dict(_made(api, namespace, "first")["metadata"].get("annotations", {}))


def _variables(container: Object) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in container.get("env", [])}


def test_every_container_gets_proxy_and_roots(api: Api) -> None:
    """Jobs' and sidecars' containers, too."""
    beside = [{"name": "first", **CONTAINER}, {"name": "sidecar", "restartPolicy": "Always", **CONTAINER}]
    pod = _made(api, "chat", "whole", initContainers=beside)
    assert [volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume] == [
        "trusted-roots"
    ]
    containers = [*pod["spec"]["containers"], *pod["spec"]["initContainers"]]
    assert [container["name"] for container in containers] == ["main", "first", "sidecar"]
    for container in containers:
        given = _variables(container)
        assert {name: given[name] for name in ("HTTPS_PROXY", "https_proxy")} == dict.fromkeys(
            ("HTTPS_PROXY", "https_proxy"), PROXY
        )
        assert (given["HTTP_PROXY"], given["http_proxy"]) == ("", "")
        assert given["NO_PROXY"] == given["no_proxy"]
        direct = given["NO_PROXY"].split(",")
        assert {"svc", "cluster.local", "10.96.0.1", "10.244.0.0/16", "llm.acme.io", "acme.io"} <= set(direct)
        assert {given[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")} == {ROOTS}
        assert ("trusted-roots", "/etc/trusted-roots", True) in [
            (mount["name"], mount["mountPath"], mount.get("readOnly")) for mount in container["volumeMounts"]
        ]


def test_what_a_container_states_itself_stays(api: Api) -> None:
    own = {
        "name": "main",
        **CONTAINER,
        "env": [{"name": "SSL_CERT_FILE", "value": "/own.pem"}, {"name": "A", "value": "b"}],
    }
    given = _variables(_made(api, "chat", "own", containers=[own])["spec"]["containers"][0])
    assert (given["SSL_CERT_FILE"], given["A"], given["REQUESTS_CA_BUNDLE"]) == ("/own.pem", "b", ROOTS)


def test_a_pod_without_a_way_out_gets_the_proxy_s_names_alone(api: Api) -> None:
    """There AKS would name a proxy for plain HTTP, which stays in the cluster."""
    (container,) = _made(api, "gateway", "inside")["spec"]["containers"]
    given = _variables(container)
    assert (given["HTTP_PROXY"], "SSL_CERT_FILE" in given) == ("", False)
    assert [mount["name"] for mount in container.get("volumeMounts", []) if mount["name"] == "trusted-roots"] == []


def test_pods_of_others_are_left_alone(api: Api) -> None:
    pod = _made(api, "elsewhere", "theirs")
    assert (_variables(pod["spec"]["containers"][0]), "annotations" in pod["metadata"]) == ({}, False)


def test_a_pod_says_which_it_was_given(api: Api) -> None:
    """`llmctl doctor` compares it with the policy."""
    given = _made(api, "chat", "marked")["metadata"]["annotations"]
    path = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
    stated = {one["metadata"]["name"]: one["metadata"]["annotations"] for one in api.request("GET", path)["items"]}
    for name in ("egress-proxy", "trusted-roots"):
        assert given[f"platform/{name}"] == stated[name][f"platform/{name}"]
