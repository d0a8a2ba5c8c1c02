"""Every monitor finds what it scrapes: the ports of rendered pods and Services, by name and number."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, load_settings
from stacks.settings.opik import OpikProfile
from tests.support.kubernetes import third_party
from tests.support.kubernetes.own_charts import objects_of as own_objects
from tests.support.kubernetes.own_charts import values_of as own_values
from tests.support.opik.rendering import RENDERING, render, settings_with

PORTS = {
    "cert-manager": ("http-metrics", 9402, True),
    "external-secrets": ("metrics", 8080, True),
    "nginx-ingress": ("prometheus", 9113, True),
    "dcgm-exporter": ("metrics", 9400, True),
    "interceptor": ("proxy", 2223, False),
    "vllm": ("http", 8000, True),
    "litellm": ("metrics", 4001, True),
    "oauth2-proxy": ("metrics", 44180, True),
    "clickhouse": ("http", 9363, False),
}
"""Name of the pods' port, number that is scraped, and whether the name is that of the number."""
RELEASES = {"interceptor": "keda-http-add-on"}
OPERATORS = frozenset({"clickhouse"})
"""Pods that an operator makes: `tests/components/opik/test_opik_values.py` has their ports."""


def _everything() -> Settings:
    """Return settings with every target: NGINX, GPU nodes and both kinds of engines."""
    plain = load_settings("dev")
    engines = load_settings("prod").models
    pools = plain.cluster.model_copy(update={"gpu_pools": load_settings("prod").cluster.gpu_pools})
    return plain.model_copy(update={"models": engines, "cluster": pools})


def test_targets_are_scraped_at_the_ports_that_exporters_answer_on() -> None:
    found = {
        target.name: (target.port, target.number, target.declared)
        for target in enabled_components(_everything()).targets()
    }
    assert {name: found[name] for name in PORTS} == PORTS


def _declared(objects: list[dict[str, Any]], labels: Mapping[str, str]) -> set[tuple[str, int]]:
    """Return name and number of the ports that pods with `labels` declare."""
    return {
        (port["name"], port["containerPort"])
        for item in objects
        if item["kind"] in {"Deployment", "DaemonSet", "StatefulSet"}
        and labels.items() <= item["spec"]["template"]["metadata"]["labels"].items()
        for container in _running(item["spec"]["template"]["spec"])
        for port in container.get("ports") or ()
    }


def _running(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the containers that run as long as the pod, those among the first included."""
    beside = [one for one in pod.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    return [*pod["containers"], *beside]


def _rendered(name: str, settings: Settings, folder: Path) -> list[dict[str, Any]]:
    if name in {"litellm", "vllm"}:
        return own_objects(name, own_values(name, settings), folder)
    if name == "oauth2-proxy":
        return render(name, settings_with("dev", OpikProfile.SMALL), folder)
    return third_party.render(RELEASES.get(name, name), (), folder)


@pytest.mark.parametrize("name", sorted(PORTS.keys() - OPERATORS))
def test_pods_declare_the_port_that_their_monitor_names(name: str, tmp_path: Path) -> None:
    settings = _everything()
    (target,) = (found for found in enabled_components(settings).targets() if found.name == name)
    declared = _declared(_rendered(name, settings, tmp_path), target.labels)
    assert declared, f"no pod has the labels {target.labels}"
    port, number, is_declared = PORTS[name]
    assert port in {found for found, _ in declared}
    assert ((port, number) in declared) == is_declared


def test_services_have_the_ports_that_the_chart_s_own_monitors_name(tmp_path: Path) -> None:
    objects = third_party.render("kube-prometheus-stack", (), tmp_path)
    services = [item for item in objects if item["kind"] == "Service"]
    monitors = [item for item in objects if item["kind"] == "ServiceMonitor"]
    assert {item["metadata"]["name"] for item in monitors} >= {"grafana", "kube-state-metrics", "node-exporter"}
    # Services that AKS and the operator make.
    elsewhere = {"prometheus-kubelet", "prometheus-apiserver"}
    for monitor in monitors:
        if monitor["metadata"]["name"] in elsewhere:
            continue
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        ports = {
            str(port.get("name"))
            for service in services
            if wanted <= (service["metadata"].get("labels") or {}).items()
            for port in service["spec"]["ports"]
        }
        asked = {str(endpoint["port"]) for endpoint in monitor["spec"]["endpoints"]}
        assert asked <= ports, monitor["metadata"]["name"]


for _test in (
    test_pods_declare_the_port_that_their_monitor_names,
    test_services_have_the_ports_that_the_chart_s_own_monitors_name,
):
    for _mark in RENDERING:
        _mark(_test)
