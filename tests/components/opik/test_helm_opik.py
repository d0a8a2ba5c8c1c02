"""The objects that Opik's releases bring: what is in them, and what must not be."""

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import images
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.common.traffic import Direction, TrafficRule
from stacks.platform.components.opik import login, release, secrets, traffic
from stacks.platform.components.opik.names import OPERATOR
from stacks.platform.components.opik.parts import opik_parts
from stacks.settings import Settings
from stacks.settings.estimates import capacity
from stacks.settings.opik import OpikProfile
from tests.support.kubernetes.api_schemas import ApiSchemas
from tests.support.opik.rendering import (
    FOUND,
    RENDERING,
    THIRD_PARTY,
    Case,
    Objects,
    all_objects,
    chart_of,
    containers,
    gib,
    of_kind,
    pods_of,
    render,
)
from tests.support.stacks.components import namespaces

pytestmark = RENDERING

PUBLIC_DEFAULTS = {
    "the password of Redis": "wFSuJX9nDBdCa25sKZG7bh",
    "the user of MinIO": "THAAIOSFODNN7EXAMPLE",
    "the password of MinIO": "LESlrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "the password of the operator": "clickhouse_operator_password",
    "the user that MySQL's script makes": "IDENTIFIED BY",
    "the password of ClickHouse": "opik/password",
    "the password of the monitoring user": "opikmon",
    "the cookie secret": "XXXXXXXXXXXXXXXX",
    "a password of MySQL's chart": "changeme",
}
"""What the charts print when nothing replaces it."""

PASSWORD_KEYS = {
    "STATE_DB_PASS",
    "ANALYTICS_DB_PASS",
    "ANALYTICS_DB_MIGRATIONS_PASS",
    "REDIS_URL",
    "OPIK_ENCRYPTION_KEY",
    "MYSQL_ROOT_PASSWORD",
    "MYSQL_PASSWORD",
    "REDIS_PASSWORD",
    "MINIO_ROOT_PASSWORD",
}
"""Environment variables that may only come from a Secret."""


def test_kubernetes_takes_every_object_as_it_is(case: Case, definitions: Objects) -> None:
    schemas = ApiSchemas(case[0].cluster.kubernetes_version, definitions)
    assert [problem for item in all_objects(case[1]) for problem in schemas.problems(item)] == []


@pytest.mark.parametrize("default", PUBLIC_DEFAULTS)
def test_no_public_default_is_left(case: Case, default: str) -> None:
    found = [
        f"{item['kind']} {item['metadata']['name']}"
        for item in all_objects(case[1])
        if PUBLIC_DEFAULTS[default] in json.dumps(item)
    ]
    assert found == []


def test_charts_print_the_defaults_that_are_searched_for(tmp_path: Path) -> None:
    printed = ""
    for name in THIRD_PARTY:
        arguments = [
            str(FOUND),
            "template",
            name,
            chart_of(name, tmp_path),
            "--set",
            "clickhouse.monitoring.enabled=true",
        ]
        printed += subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    searched = {
        default for default in PUBLIC_DEFAULTS if default not in {"a password of MySQL's chart", "the cookie secret"}
    }
    assert {default for default in searched if PUBLIC_DEFAULTS[default] not in printed} == set()


def login_file(case: Case) -> dict[str, Any]:
    """Return the login's structured options, which its chart keeps in a Secret whatever they hold."""
    (secret,) = of_kind(all_objects(case[1]), "Secret")
    assert (secret["metadata"]["name"], [*secret["data"]]) == ("oauth2-proxy-alpha", ["oauth2_proxy.yml"])
    found = YAML(typ="safe").load(base64.b64decode(secret["data"]["oauth2_proxy.yml"]))
    assert isinstance(found, dict)
    return found


def test_no_secret_is_rendered_and_no_password_stands_in_a_config_map(case: Case) -> None:
    assert not re.search("secret|password", json.dumps(login_file(case)), re.IGNORECASE)
    for config in of_kind(all_objects(case[1]), "ConfigMap"):
        data = config.get("data") or {}
        plain = PASSWORD_KEYS | {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
        assert not {key for key in plain & set(data) if data[key]}, config["metadata"]["name"]


def test_passwords_come_from_secrets_with_keys_that_are_delivered(case: Case) -> None:
    delivered = {secret: set(keys) | {VERSIONS_KEY} for secret, keys in secrets.KEYS.items()}
    used = set()
    for name, _, pod in pods_of(all_objects(case[1])):
        for container in containers(pod):
            for variable in container.get("env") or []:
                if variable["name"] in PASSWORD_KEYS:
                    assert "value" not in variable, name
                reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if reference:
                    assert reference["key"] in delivered[reference["name"]], name
                    used.add(reference["name"])
            for source in container.get("envFrom") or []:
                if "secretRef" in source:
                    used.add(source["secretRef"]["name"])
    (installation,) = of_kind(case[1]["opik"], "ClickHouseInstallation")
    users = installation["spec"]["configuration"]["users"]
    secret, _, key = users["opik/k8s_secret_password"].partition("/")
    assert key in delivered[secret]
    assert "opik/password" not in users
    (operator,) = of_kind(case[1]["altinity-clickhouse-operator"], "Deployment")
    assert used | {operator["metadata"]["name"]} == set(delivered)


def test_every_container_runs_a_pinned_image(case: Case) -> None:
    pinned = {str(image) for image in images().values()}
    found = {container["image"] for _, _, pod in pods_of(all_objects(case[1])) for container in containers(pod)}
    assert found <= pinned
    assert {str(images()[f"opik/{name}"]) for name in ("backend", "clickhouse", "mysql", "minio")} <= found


def test_every_container_is_bounded(case: Case) -> None:
    for name, _, pod in pods_of(all_objects(case[1])):
        for container in containers(pod):
            resources = container.get("resources") or {}
            for bound in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(resources.get(bound) or {}), f"{name}/{container['name']} {bound}"


def test_without_evaluators_the_chart_brings_nothing_of_them(case: Case, tmp_path: Path) -> None:
    off = case[0].model_copy(update={"opik": case[0].opik.model_copy(update={"python_evaluators": False})})
    names = {item["metadata"]["name"] for item in render("opik", off, tmp_path)}
    assert "opik-backend" in names
    assert not {name for name in names if "python" in name}


def test_nothing_is_privileged_and_nothing_but_the_evaluator_may_be_root(case: Case) -> None:
    for name, _, pod in pods_of(all_objects(case[1])):
        shared = pod.get("securityContext") or {}
        assert not pod.get("hostNetwork")
        assert not pod.get("hostPID")
        assert not any("hostPath" in volume for volume in pod.get("volumes") or []), name
        for container in containers(pod):
            context = shared | (container.get("securityContext") or {})
            assert context.get("privileged") in (None, False), name
            if name != "opik-python-backend":
                assert context.get("runAsUser"), f"{name}/{container['name']}"
            if name != "opik-mysql":
                # Its chart has no key for it; the namespace's level keeps it from more.
                assert context["allowPrivilegeEscalation"] is False, name
            if name not in {"opik-mysql", "opik-clickhouse"}:
                # The file of ClickHouse's program asks for capabilities, and would not start without them.
                assert context["capabilities"]["drop"] == ["ALL"], name
                assert context["seccompProfile"]["type"] == "RuntimeDefault", name


def test_only_the_operator_may_ask_kubernetes(case: Case) -> None:
    without = {"opik", "opik-backend", "default", None}
    for name, _, pod in pods_of(all_objects(case[1])):
        account = pod.get("serviceAccountName")
        if account not in without and pod.get("automountServiceAccountToken") is not False:
            made = [
                found
                for found in of_kind(all_objects(case[1]), "ServiceAccount")
                if found["metadata"]["name"] == account
            ]
            reads = "altinity-clickhouse-operator" in name
            assert reads or made[0].get("automountServiceAccountToken") is False, name


def test_operator_has_no_right_outside_its_namespace_but_for_the_hook(case: Case) -> None:
    objects = case[1]["altinity-clickhouse-operator"]
    assert [role["metadata"]["name"] for role in of_kind(objects, "ClusterRole")] == [
        "altinity-clickhouse-operator-crd-install"
    ]
    for rule in of_kind(objects, "ClusterRole")[0]["rules"]:
        assert rule["resources"] == ["customresourcedefinitions"]


def test_the_only_hook_installs_definitions(case: Case) -> None:
    hooked = {
        item["metadata"]["name"]
        for item in of_kind(all_objects(case[1]), "Job")
        if "helm.sh/hook" in (item["metadata"].get("annotations") or {})
    }
    assert hooked == {"altinity-clickhouse-operator-crd-install"}
    assert {job["metadata"]["name"] for job in of_kind(case[1]["opik"], "Job")} == {"opik-minio-post-job"}


def test_no_service_has_an_address_outside_the_cluster_and_no_chart_brings_an_ingress(case: Case) -> None:
    assert {service["spec"].get("type", "ClusterIP") for service in of_kind(all_objects(case[1]), "Service")} == {
        "ClusterIP"
    }
    assert of_kind(all_objects(case[1]), "Ingress") == []
    (installation,) = of_kind(case[1]["opik"], "ClickHouseInstallation")
    (cluster,) = installation["spec"]["configuration"]["clusters"]
    services = {t["name"]: t["spec"]["type"] for t in installation["spec"]["templates"]["serviceTemplates"]}
    used = {cluster["templates"]["serviceTemplate"], cluster["templates"]["replicaServiceTemplate"]}
    assert {services[name] for name in used} == {"ClusterIP"}


def test_every_pod_that_serves_tells_whether_it_lives_and_is_ready(case: Case) -> None:
    for name, _, pod in pods_of(all_objects(case[1])):
        if pod.get("restartPolicy") in ("OnFailure", "Never") or name == OPERATOR:
            continue
        for container in pod["containers"]:
            for probe in ("livenessProbe", "readinessProbe"):
                assert container.get(probe), f"{name}: {probe}"
            asked = container["readinessProbe"].get("httpGet")
            if asked and name == "opik-backend":
                assert asked["path"] == "/health-check?name=all&type=ready"
                assert container["readinessProbe"]["timeoutSeconds"] == 5


def test_flows_lead_to_ports_that_pods_listen_on(case: Case) -> None:
    """A probe or a port of a container says what a pod listens on; the charts name the others nowhere."""
    pods = list(pods_of(all_objects(case[1])))
    unnamed = {"opik-clickhouse": {9000, 9009, 8123, traffic.CLICKHOUSE_METRICS_PORT}, "opik-backend": {3003, 8080}}
    for flow in (flow for rules in namespaces(case[0]) if rules.name == "opik" for flow in rules.traffic):
        if flow.direction is not Direction.INGRESS or not flow.pods or flow.name == "allow-challenge":
            continue
        for name, labels, pod in pods:
            if flow.pods.items() <= labels.items() and pod.get("restartPolicy") != "OnFailure":
                listening = unnamed.get(name, set()) | _listening(pod)
                assert {port.number for port in flow.ports} <= listening, (flow.name, name)


def _listening(pod: dict[str, Any]) -> set[int]:
    ports = {port["containerPort"] for container in pod["containers"] for port in container.get("ports") or []}
    probes = (
        container.get(probe) or {} for container in pod["containers"] for probe in ("livenessProbe", "readinessProbe")
    )
    asked = (probe.get("httpGet", {}).get("port") for probe in probes)
    return ports | {port for port in asked if isinstance(port, int)}


def test_flows_name_labels_that_pods_have(case: Case) -> None:
    labels = [labels for _, labels, _ in pods_of(all_objects(case[1]))]
    flows: list[TrafficRule] = [flow for rules in namespaces(case[0]) if rules.name == "opik" for flow in rules.traffic]
    for flow in flows:
        inside = [peer.pods for peer in flow.peers if peer.namespace == "opik" and peer.pods]
        for wanted in (flow.pods, *inside):
            if wanted and "acme.cert-manager.io/http01-solver" not in wanted:
                assert any(wanted.items() <= found.items() for found in labels), (flow.name, wanted)


def test_services_that_flows_lead_to_exist(case: Case) -> None:
    services = {service["metadata"]["name"] for service in of_kind(all_objects(case[1]), "Service")}
    named = {re.sub(r"^\w+://([\w-]+):.*", r"\1", url) for url in (login.FRONTEND, login.GUARDRAILS)}
    assert named | {login.EXPOSURE.service, login.SESSIONS, "opik-redis-master"} <= services


def test_clients_restart_when_a_password_changes(case: Case) -> None:
    annotated = {
        item["metadata"]["name"]
        for item in all_objects(case[1])
        if item["kind"] in {"Deployment", "StatefulSet"}
        and {release.RESTART_ANNOTATION, login.RESTART_ANNOTATION}
        & set(item["spec"]["template"]["metadata"].get("annotations") or {})
    }
    uses_none = {"opik-guardrails"}
    everything = {i["metadata"]["name"] for i in all_objects(case[1]) if i["kind"] in {"Deployment", "StatefulSet"}}
    assert annotated == everything - uses_none


def test_login_gets_its_options_and_needs_no_client_secret(case: Case) -> None:
    (proxy,) = of_kind(case[1]["oauth2-proxy"], "Deployment")
    (container,) = proxy["spec"]["template"]["spec"]["containers"]
    assert [argument for argument in container["args"] if "config=" in argument] == [
        "--alpha-config=/etc/oauth2_proxy/oauth2_proxy.yml",
        "--config=/etc/oauth2_proxy/oauth2_proxy.cfg",
    ]
    assert login_file(case)["providers"][0]["allowedGroups"] == ["group"]
    assert {header["name"] for header in login_file(case)["injectRequestHeaders"]} >= {"Authorization"}
    variables = {variable["name"]: variable for variable in container["env"]}
    assert set(variables) == {
        "OAUTH2_PROXY_COOKIE_SECRET",
        "OAUTH2_PROXY_SESSION_STORE_TYPE",
        "OAUTH2_PROXY_REDIS_PASSWORD",
        "OAUTH2_PROXY_REDIS_CONNECTION_URL",
    }
    assert proxy["spec"]["template"]["metadata"]["labels"]["azure.workload.identity/use"] == "true"


def test_profile_asks_for_what_the_reference_says(case: Case) -> None:
    cpu = memory = 0.0
    for name, _, pod in pods_of(all_objects(case[1])):
        if name != "opik-guardrails" and not name.endswith(("-job", "-install")):
            for container in pod["containers"]:
                requests = container["resources"]["requests"]
                cpu += _vcpu(requests["cpu"])
                memory += gib(requests["memory"])
    said = {OpikProfile.SMALL: (1.2, 11.5), OpikProfile.STANDARD: (4.5, 29)}[case[0].opik.profile]
    assert (cpu, memory) <= (said[0], memory)
    assert cpu >= 0.9 * said[0]
    assert 0.9 * said[1] <= memory <= said[1]
    # What the nodes are counted by.
    counted = capacity.requests(case[0])["opik"]
    assert counted.cpu == pytest.approx(cpu, rel=0.1)
    assert counted.memory_gib == pytest.approx(memory, rel=0.05)


def _vcpu(quantity: str) -> float:
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def test_the_commands_name_workloads_and_containers_that_the_charts_bring(
    case: tuple[Settings, dict[str, Objects]],
) -> None:
    rendered = {
        f"{item['kind'].lower()}/{item['metadata']['name']}": {
            one["name"] for one in item["spec"]["template"]["spec"]["containers"]
        }
        for objects in case[1].values()
        for item in objects
        if item["kind"] in {"Deployment", "StatefulSet"}
    }
    # ClickHouse's is the operator's work.
    named = {part.workload: part.container for part in opik_parts(case[0]) if part.name != "clickhouse"}
    assert set(named) == set(rendered)
    assert [workload for workload, container in named.items() if container not in rendered[workload]] == []
