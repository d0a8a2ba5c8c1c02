"""The third-party charts, rendered with the values that the stack passes.

`CHARTS_DIR` names a folder with each chart in a folder or archive of its release's name; without it the charts are
pulled from their repositories when `PULL_CHARTS` is set.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM, images, own_chart, values_files
from stacks.platform.common.namespaces import NamespaceRules, PodSecurity
from stacks.platform.components.certificates import release as certificates
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.gpu.nodes import GPU_TAINT
from stacks.platform.components.monitoring import release as monitoring
from stacks.platform.components.secrets import release as external_secrets
from stacks.settings.estimates import capacity
from stacks.settings.estimates.capacity import Request
from stacks.settings.secrets.names import GeneratedSecret
from tests.support.kubernetes import custom_resources
from tests.support.kubernetes.api_schemas import ApiSchemas, definitions_in, definitions_of
from tests.support.kubernetes.own_charts import TAILNET
from tests.support.kubernetes.pod_requests import asked
from tests.support.kubernetes.third_party import (
    FOUND,
    KUBERNETES,
    NAMESPACE,
    NEEDED,
    VARIANTS,
    all_settings,
    chart,
    computed_values,
    containers,
    pods,
    render,
)
from tests.support.stacks.components import namespaces

pytestmark = NEEDED

UNRESTRICTED = {"gpu", "serving", "tailscale"}
"""Namespaces whose pods need more than Pod Security's level `restricted` (tests/promises/namespaces.yaml)."""
ON_GPU_NODES = {"nvidia-device-plugin", "dcgm-exporter", "ollama"}


def _namespaces() -> list[NamespaceRules]:
    """Return those of an environment with every component, Tailscale's, which only private exposure has, among them."""
    public, private = namespaces(all_settings()), namespaces(TAILNET)
    return [*private, *public]


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda case: "-".join((case[0], *case[1])))
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Any]]:
    """Return a release's name and the objects of its chart."""
    release, variant = request.param
    return release, render(release, variant, tmp_path_factory.mktemp(release))


def test_kubernetes_takes_every_object_as_it_is(rendered: tuple[str, list[Any]]) -> None:
    # Monitoring brings the definitions of its kinds in a chart of its own.
    schemas = ApiSchemas(KUBERNETES, definitions_in(rendered[1]))
    assert [problem for item in rendered[1] if schemas.knows(item) for problem in schemas.problems(item)] == []


@pytest.mark.parametrize(
    ("own", "operator"), [("platform-issuers", "cert-manager"), ("platform-secrets", "external-secrets")]
)
def test_operators_take_the_objects_of_our_own_charts(own: str, operator: str, tmp_path: Path) -> None:
    computed = {
        "platform-issuers": certificates.platform_issuers(all_settings().ingress),
        "platform-secrets": external_secrets.platform_secrets(
            enabled_components(all_settings()),
            vault_uri="https://vault.vault.azure.net/",
            tenant_id="11111111-2222-3333-4444-555555555555",
            versions={secret.value: 1 for secret in GeneratedSecret},
            database_host="llm-dev.postgres.database.azure.com",
        ),
    }[own]
    file = tmp_path / "computed.json"
    file.write_text(json.dumps(computed))
    command = [str(FOUND), "template", own, str(own_chart(own)), "--values", str(file)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (found,) = chart(operator, tmp_path)
    # Each of the two charts brings its definitions by one of these.
    definitions = definitions_of(str(FOUND), found, KUBERNETES, "crds.enabled=true", "installCRDs=true")
    if not definitions:
        pytest.skip(f"the chart {operator} is a source tree, into which its definitions are generated")
    schemas = ApiSchemas(KUBERNETES, definitions)
    objects = [document for document in YAML(typ="safe").load_all(rendered) if document]
    assert objects
    assert [problem for item in objects for problem in schemas.problems(item)] == []


def test_every_container_runs_a_pinned_image(rendered: tuple[str, list[Any]]) -> None:
    pinned = {str(image) for image in images().values()}
    found = {container["image"] for _, pod in pods(rendered[1]) for container in containers(pod)}
    assert found
    assert found <= pinned


@pytest.mark.parametrize("rendered", [at for at in VARIANTS if NAMESPACE[at[0]] not in UNRESTRICTED], indirect=True)
def test_pods_are_let_into_their_namespace(rendered: tuple[str, list[Any]]) -> None:
    release, objects = rendered
    levels = {rules.name: rules.enforced for rules in _namespaces()}
    assert levels[NAMESPACE[release]] is PodSecurity.RESTRICTED
    place = {id(item): item["metadata"].get("namespace", NAMESPACE[release]) for item in objects}
    restricted = [item for item in objects if levels.get(place[id(item)]) is PodSecurity.RESTRICTED]
    for name, pod in pods(restricted):
        shared = pod.get("securityContext") or {}
        for container in containers(pod):
            context = shared | container["securityContext"]
            assert context["runAsNonRoot"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["seccompProfile"]["type"] == "RuntimeDefault", name
            assert context["capabilities"]["drop"] == ["ALL"], name
            assert set(context["capabilities"].get("add") or []) <= {"NET_BIND_SERVICE"}, name
        assert not any("hostPath" in volume for volume in pod.get("volumes") or []), name


@pytest.mark.parametrize("variant", [(), ("ha",)])
def test_custom_resources_fit_the_definitions_that_the_chart_brings(variant: tuple[str, ...], tmp_path: Path) -> None:
    known = custom_resources.schemas(Path(chart("kube-prometheus-stack", tmp_path)[0]))
    objects = render("kube-prometheus-stack", variant, tmp_path)
    values_file = tmp_path / "monitors.json"
    values_file.write_text(json.dumps(monitoring.monitors(enabled_components(all_settings()))))
    command = [str(FOUND), "template", "monitors", str(HELM / "monitors"), "--values", str(values_file)]
    shown = subprocess.run([*command, "--namespace", "monitoring"], capture_output=True, text=True, check=True)
    objects += [document for document in YAML(typ="safe").load_all(shown.stdout) if document]
    custom = [item for item in objects if (item["apiVersion"], item["kind"]) in known]
    assert {"Prometheus", "Alertmanager", "PodMonitor", "ServiceMonitor", "PrometheusRule"} <= {
        item["kind"] for item in custom
    }
    for item in custom:
        schema = known[item["apiVersion"], item["kind"]]
        name = f"{item['kind']} {item['metadata']['name']}"
        assert list(custom_resources.faults(item["spec"], schema["properties"]["spec"], name)) == []


def test_quota_is_wide_enough(rendered: tuple[str, list[Any]]) -> None:
    release, objects = rendered
    rules = {rules.name: rules for rules in _namespaces()}[NAMESPACE[release]]
    memory = pods = 0
    scaled = [item["spec"] for item in objects if item["kind"] in {"ScaledObject", "HorizontalPodAutoscaler"}]
    most = {spec["scaleTargetRef"]["name"]: spec.get("maxReplicaCount") or spec["maxReplicas"] for spec in scaled}
    for item in objects:
        if item["kind"] == "Deployment":
            # Twice: an update runs the old and the new pods side by side, unless it recreates them.
            times = 1 if item["spec"].get("strategy") == {"type": "Recreate"} else 2
            count = times * (most.get(item["metadata"]["name"]) or item["spec"].get("replicas") or 1)
            pods += count
            memory += count * sum(
                _mebibytes(((container.get("resources") or {}).get("limits") or rules.container_defaults)["memory"])
                for container in item["spec"]["template"]["spec"]["containers"]
            )
    assert pods <= int(rules.quota["pods"])
    if "limits.memory" in rules.quota:
        assert memory <= _mebibytes(rules.quota["limits.memory"])


def test_load_balancer_fits_the_quota_of_its_namespace(rendered: tuple[str, list[Any]]) -> None:
    release, objects = rendered
    quota = {rules.name: rules.quota for rules in _namespaces()}[NAMESPACE[release]]
    types = [item["spec"].get("type") for item in objects if item["kind"] == "Service"]
    assert types.count("LoadBalancer") == int(quota["services.loadbalancers"])
    assert "NodePort" not in types


def test_source_ranges_judge_the_callers_address_and_a_rollout_refuses_nobody(tmp_path: Path) -> None:
    objects = render("nginx-ingress", (), tmp_path)
    (door,) = (item for item in objects if item["kind"] == "Service" and item["spec"].get("type") == "LoadBalancer")
    assert door["spec"]["externalTrafficPolicy"] == "Local"
    (controller,) = (item for item in objects if item["kind"] == "Deployment")
    pod = controller["spec"]["template"]["spec"]
    assert pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 20
    assert pod["terminationGracePeriodSeconds"] >= 80


@pytest.mark.parametrize("rendered", [at for at in VARIANTS if at[0] in ON_GPU_NODES], indirect=True)
def test_gpu_pods_tolerate_every_taint_of_a_pool(rendered: tuple[str, list[Any]]) -> None:
    _, objects = rendered
    assert list(pods(objects))
    for name, pod in pods(objects):
        tolerated = {f"{item['key']}={item.get('value')}:{item.get('effect')}" for item in pod["tolerations"]}
        assert {GPU_TAINT, "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"} <= tolerated, name


@pytest.mark.parametrize("release", NAMESPACE)
def test_every_value_has_a_key_in_the_chart(release: str, tmp_path: Path) -> None:
    # Most charts take a misspelt key without a word.
    shown = subprocess.run(
        [str(FOUND), "show", "values", *chart(release, tmp_path)], capture_output=True, text=True, check=True
    )
    defaults = _with_parts(YAML(typ="safe").load(shown.stdout), Path(chart(release, tmp_path)[0]))
    given = [YAML(typ="safe").load(file.read_text()) for file in values_files(release)[0].parent.glob("values*.yaml")]
    unknown = {path for layer in (*given, computed_values(release)) for path in _unknown(layer, defaults)}
    assert unknown - NOT_IN_DEFAULTS == set()


NOT_IN_DEFAULTS = {
    "alertmanager.alertmanagerSpec.version",
    "grafana.containerSecurityContext.readOnlyRootFilesystem",
    "grafana.deploymentStrategy.rollingUpdate",
    "grafana.fullnameOverride",
    "grafana.podAnnotations",
    "grafana.podLabels",
    "grafana.serviceAccount.annotations",
    "kube-state-metrics.priorityClassName",
    "prometheus-node-exporter.priorityClassName",
    "prometheus-node-exporter.containerSecurityContext.allowPrivilegeEscalation",
    "prometheus-node-exporter.containerSecurityContext.capabilities",
    "prometheus-node-exporter.securityContext.seccompProfile",
    "securityContext.seccompProfile",
    "image.tag",
    "webhook.image.tag",
    "cainjector.image.tag",
    "acmesolver.image.tag",
    "startupapicheck.image.tag",
    "controller.image.tag",
    "controller.serviceAccount.name",
    "serviceAccount.name",
    "serviceAccount.annotations",
    "podDisruptionBudget.minAvailable",
    "webhook.podDisruptionBudget.minAvailable",
    "cainjector.podDisruptionBudget.minAvailable",
    "controller.podDisruptionBudget.minAvailable",
    "controller.resources.limits",
    "controller.initContainerResources.limits",
    "servingEngineSpec.labels.stack",
    "servingEngineSpec.env",
    "servingEngineSpec.containerSecurityContext.allowPrivilegeEscalation",
    "servingEngineSpec.containerSecurityContext.capabilities",
    "podSecurityContext.runAsNonRoot",
    "podSecurityContext.seccompProfile",
}
"""Keys that charts document in a comment or only read in a template."""


def _with_parts(defaults: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the chart's defaults with those of the charts in it below their names."""
    for file in folder.glob("charts/*/values.yaml"):
        part = YAML(typ="safe").load(file.read_text()) or {}
        defaults[file.parent.name] = _merged(part, defaults.get(file.parent.name) or {})
    return defaults


def _merged(under: Any, over: Any) -> Any:
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: _merged(under.get(key), value) for key, value in over.items()}


def _unknown(given: Any, known: Any, path: str = "") -> Iterator[str]:
    if not isinstance(given, dict) or not isinstance(known, dict) or not known:
        return
    for key, value in given.items():
        where = f"{path}.{key}" if path else str(key)
        if where == "grafana.grafana.ini":
            # Sections of Grafana's own file, whatever they are called.
            continue
        if key not in known:
            yield where
        else:
            yield from _unknown(value, known[key], where)


def _mebibytes(quantity: str) -> int:
    number, unit = int(quantity[:-2]), quantity[-2:]
    return number * {"Mi": 1, "Gi": 1024}[unit]


@pytest.mark.parametrize(("release", "variant"), VARIANTS)
def test_no_upgrade_takes_pods_below_the_autoscalers_minimum(
    release: str, variant: tuple[str, ...], tmp_path: Path
) -> None:
    objects = render(release, variant, tmp_path)
    least = {
        (item["spec"]["scaleTargetRef"]["kind"], item["spec"]["scaleTargetRef"]["name"]): item["spec"]["minReplicas"]
        for item in objects
        if item["kind"] == "HorizontalPodAutoscaler"
    }
    for item in objects:
        if item["kind"] in {"Deployment", "StatefulSet"} and "replicas" in item["spec"]:
            # An empty key counts as one.
            replicas = item["spec"]["replicas"]
            assert replicas == least.get((item["kind"], item["metadata"]["name"]), replicas) is not None


@pytest.mark.parametrize(
    ("part", "releases", "others"),
    [
        ("chat", ("open-webui",), Request(0.025, 0.0625)),  # its Redis
        ("controllers", ("cert-manager", "external-secrets"), Request(0, 0)),
        ("ingress", ("nginx-ingress",), Request(0, 0)),
        ("serving", ("keda-http-add-on",), Request(0.05, 0.0625)),  # the front
        ("monitoring", ("kube-prometheus-stack",), Request(0, 0)),
    ],
)
def test_requests_are_those_that_the_nodes_are_counted_by(
    part: str, releases: tuple[str, ...], others: Request, tmp_path: Path
) -> None:
    found = [asked(render(release, (), tmp_path)) for release in releases]
    counted = capacity.requests(all_settings())[part]
    assert counted.cpu == pytest.approx(sum(each.cpu for each in (*found, others)), abs=0.05)
    assert counted.memory_gib == pytest.approx(sum(each.memory_gib for each in (*found, others)), abs=0.05)
