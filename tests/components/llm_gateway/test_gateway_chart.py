"""The gateway's own chart renders what the stack passes: configuration, probes, rights, Jobs in their order."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM, own_chart, values_files
from stacks.platform.components.llm_gateway import release, traffic
from stacks.platform.components.llm_gateway.address import NAMESPACE, PODS
from stacks.settings import Settings, load_settings
from stacks.settings.estimates import capacity
from tests.support.kubernetes.pod_requests import asked
from tests.support.stacks.components import components_with_images

FOUND = shutil.which("helm")
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(FOUND is None, reason="helm is not on PATH; the CI set brings it"),
]
ENVIRONMENTS = ["dev", "prod"]
HOST = "llm-dev.postgres.database.azure.com"


def _objects(settings: Settings, folder: Path, variants: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    file = folder / "wired.json"
    file.write_text(json.dumps(release.litellm(*components_with_images(settings), database_host=HOST)))
    given = [option for path in (*values_files("litellm", variants), file) for option in ("--values", str(path))]
    command = [str(FOUND), "template", "litellm", str(own_chart("litellm")), *given, "--namespace", NAMESPACE]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return [item for item in YAML(typ="safe").load_all(shown.stdout) if item]


def _scaled(least: int, most: int) -> Settings:
    settings = load_settings("dev")
    replicas = {"replicas": least, "max_replicas": most}
    return settings.model_copy(update={"gateway": settings.gateway.model_copy(update=replicas)})


def _kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in objects if item["kind"] == kind]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_configuration_arrives_as_it_was_made(name: str, tmp_path: Path) -> None:
    settings = load_settings(name)
    (files,) = (
        item["data"] for item in _kind(_objects(settings, tmp_path), "ConfigMap") if "config.yaml" in item["data"]
    )
    # As LiteLLM reads it: by the rules of YAML 1.1, in which 2e-06 is a text.
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    assert reader.load(files["config.yaml"]) == release.config(settings)
    assert files["tracing.py"].strip() == (HELM / "litellm" / "tracing.py").read_text().strip()


@pytest.mark.parametrize(("name", "variants"), [("dev", ()), ("prod", ("ha",))])
def test_every_pod_fits_the_strictest_level_and_is_bounded(
    name: str, variants: tuple[str, ...], tmp_path: Path
) -> None:
    objects = _objects(load_settings(name), tmp_path, variants)
    pods = [item["spec"]["template"]["spec"] for item in objects if item["kind"] in {"Deployment", "Job"}]
    assert len(pods) == 3
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= set(container["resources"]["limits"])


def test_nobody_s_word_about_the_address_of_a_caller_counts(tmp_path: Path) -> None:
    (pod,) = (
        item["spec"]["template"]["spec"] for item in _kind(_objects(load_settings("dev"), tmp_path), "Deployment")
    )
    (proxy,) = (container for container in pod["containers"] if container["name"] == "proxy")
    # uvicorn's default is the pod itself, from which every port-forward comes.
    assert {"name": "FORWARDED_ALLOW_IPS", "value": ""} in proxy["env"]


def test_whoever_opens_the_database_believes_azure_s_authorities_alone(tmp_path: Path) -> None:
    objects = _objects(load_settings("dev"), tmp_path)
    opened = 0
    for pod in (item["spec"]["template"]["spec"] for item in objects if item["kind"] in {"Deployment", "Job"}):
        for container in pod["containers"]:
            variables = {item["name"]: item.get("value", "") for item in container["env"]}
            if "DATABASE_URL" not in variables:
                continue
            opened += 1
            assert variables["SSL_CERT_FILE"] == "/database-roots/azure-roots.pem"
            assert variables["SSL_CERT_DIR"] == "/database-roots"
            assert "sslaccept=strict&sslcert=/database-roots/azure-roots.pem" in variables["DATABASE_URL"]
            (mount,) = (item for item in container["volumeMounts"] if item["mountPath"] == "/database-roots")
            (volume,) = (item for item in pod["volumes"] if item["name"] == mount["name"])
            assert volume["configMap"]["name"] == "litellm-database-roots"
    assert opened == 2


def test_probes_ask_the_gateway_and_no_model(tmp_path: Path) -> None:
    (deployment,) = _kind(_objects(load_settings("dev"), tmp_path), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}
    # Only a start asks the database: calls with keys that the pod knows go on without it.
    assert paths == {
        "startup": "/health/readiness",
        "readiness": "/health/liveliness",
        "liveness": "/health/liveliness",
    }


def test_metrics_are_served_beside_the_proxy_and_end_or_hinder_it_never(tmp_path: Path) -> None:
    (deployment,) = _kind(_objects(load_settings("dev"), tmp_path), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (proxy,), (metrics,) = pod["containers"], pod["initContainers"]
    assert not [argument for argument in proxy["args"] if "prometheus" in argument]
    assert metrics["restartPolicy"] == "Always"
    assert metrics["command"] == ["python", "-m", "litellm.proxy.prometheus_metrics_server"]
    assert not [key for key in metrics if key.endswith("Probe")]
    assert metrics["ports"] == [{"name": "metrics", "containerPort": 4001}]
    folder = {variable["name"]: variable.get("value") for variable in proxy["env"]}["PROMETHEUS_MULTIPROC_DIR"]
    assert f"--multiproc_dir={folder}" in metrics["args"]
    for container in (proxy, metrics):
        assert {"name": "metrics", "mountPath": folder} in container["volumeMounts"]
    (service,) = _kind(_objects(load_settings("dev"), tmp_path), "Service")
    assert {"name": "metrics", "port": 4001, "targetPort": 4001} in service["spec"]["ports"]
    # Measured: 226 MiB, and half a core for 500 streamed tokens per second.
    assert metrics["resources"]["requests"]["memory"] == "256Mi"
    assert proxy["resources"]["requests"]["cpu"] == "500m"


def test_idle_connections_outlive_those_of_the_chat(tmp_path: Path) -> None:
    (deployment,) = _kind(_objects(load_settings("dev"), tmp_path), "Deployment")
    (proxy,) = deployment["spec"]["template"]["spec"]["containers"]
    # Open WebUI's client keeps one for 15 s; LiteLLM's own 5 s would end in resets.
    assert "--keepalive_timeout=75" in proxy["args"]


def test_traces_wait_on_a_volume_of_their_own_while_opik_is_away(tmp_path: Path) -> None:
    (deployment,) = _kind(_objects(load_settings("dev"), tmp_path), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (proxy,) = pod["containers"]
    variables = {variable["name"]: variable.get("value") for variable in proxy["env"]}
    assert (variables["TRACES_FOLDER"], variables["TRACES_LIMIT_MIB"]) == ("/traces", "256")
    assert {"name": "traces", "mountPath": "/traces"} in proxy["volumeMounts"]
    assert {"name": "traces", "emptyDir": {"sizeLimit": "512Mi"}} in pod["volumes"]


def test_every_file_restarts_the_pods_when_it_changes(tmp_path: Path) -> None:
    objects = _objects(load_settings("dev"), tmp_path)
    (files,) = (item["data"] for item in _kind(objects, "ConfigMap") if "config.yaml" in item["data"])
    assert set(files) == {
        "config.yaml",
        "start.py",
        "tracing.py",
        "call_texts.py",
        "trace_items.py",
        "trace_spool.py",
        "refusals.py",
    }
    template = (HELM / "litellm" / "templates" / "deployment.yaml").read_text()
    assert 'checksum/config: {{ include "litellm.files" . | sha256sum }}' in template
    (proxy,) = _kind(objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"]
    assert proxy["command"] == ["python", "/etc/litellm/start.py"]


def test_schema_is_migrated_before_the_pods_and_keys_are_registered_after_them(tmp_path: Path) -> None:
    objects = _objects(load_settings("dev"), tmp_path)
    hooks = {
        item["metadata"]["name"]: item["metadata"]["annotations"]["helm.sh/hook"] for item in _kind(objects, "Job")
    }
    assert hooks == {"litellm-migrations": "pre-install,pre-upgrade", "litellm-keys": "post-install,post-upgrade"}
    (migrate,) = (item for item in _kind(objects, "Job") if item["metadata"]["name"] == "litellm-migrations")
    (deployment,) = _kind(objects, "Deployment")

    def variables(item: dict[str, Any]) -> dict[str, Any]:
        (container,) = item["spec"]["template"]["spec"]["containers"]
        return {variable["name"]: variable.get("value") for variable in container["env"]}

    assert variables(migrate)["DATABASE_URL"] == variables(deployment)["DATABASE_URL"]
    assert (variables(migrate)["DISABLE_SCHEMA_UPDATE"], variables(deployment)["DISABLE_SCHEMA_UPDATE"]) == (
        "false",
        "true",
    )
    # A failed migration would otherwise end as a success.
    assert variables(migrate)["ENFORCE_PRISMA_MIGRATION_CHECK"] == "true"
    # Kubernetes puts a variable into those that come after it.
    assert list(variables(migrate)).index("DATABASE_PASSWORD") < list(variables(migrate)).index("DATABASE_URL")


def test_pods_are_those_that_the_flows_name(tmp_path: Path) -> None:
    objects = _objects(load_settings("dev"), tmp_path)
    labels = [
        item["spec"]["template"]["metadata"]["labels"] for item in objects if item["kind"] in {"Deployment", "Job"}
    ]
    for wanted, count in ((PODS, 1), (traffic.JOBS, 2)):
        assert sum(wanted.items() <= found.items() for found in labels) == count


def test_autoscaler_follows_the_processor_and_leaves_replicas_alone(tmp_path: Path) -> None:
    objects = _objects(_scaled(2, 4), tmp_path)
    (scaler,) = _kind(objects, "HorizontalPodAutoscaler")
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 4)
    assert [metric["resource"]["name"] for metric in scaler["spec"]["metrics"]] == ["cpu"]
    assert "replicas" not in _kind(objects, "Deployment")[0]["spec"]
    assert _kind(objects, "PodDisruptionBudget")
    alone = _objects(_scaled(1, 1), tmp_path)
    assert not _kind(alone, "HorizontalPodAutoscaler")
    assert _kind(alone, "Deployment")[0]["spec"]["replicas"] == 1


@pytest.mark.parametrize(("name", "variants"), [("dev", ()), ("prod", ("ha",))])
def test_requests_are_those_that_the_nodes_are_counted_by(name: str, variants: tuple[str, ...], tmp_path: Path) -> None:
    settings = load_settings(name)
    found, counted = asked(_objects(settings, tmp_path, variants)), capacity.requests(settings)["gateway"]
    # Beside it runs its small Redis.
    assert counted.cpu == pytest.approx(found.cpu + 0.01, abs=0.05)
    assert counted.memory_gib == pytest.approx(found.memory_gib + 0.0625, abs=0.05)
