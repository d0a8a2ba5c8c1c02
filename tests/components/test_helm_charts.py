"""Our own charts, rendered by Helm with the values that the stack passes: every chart, and pods of our own."""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM, own_chart
from stacks.platform.components.chat import release as chat
from stacks.platform.components.gpu.nodes import GPU_TAINT
from stacks.platform.components.opik import login
from stacks.settings import load_settings
from tests.support.kubernetes.api_schemas import ApiSchemas
from tests.support.kubernetes.own_charts import FOUND, OWN, helm, objects_of, values_of
from tests.support.stacks.components import (
    with_images,
)

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(FOUND is None, reason="helm is not on PATH; the CI set brings it"),
]


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("release", OWN)
def test_own_chart_passes_lint(release: str, environment: str, tmp_path: Path) -> None:
    file = tmp_path / "wired.json"
    file.write_text(json.dumps(values_of(release, load_settings(environment))))
    result = helm("lint", "--strict", own_chart(release), "--values", file)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("release", OWN)
def test_kubernetes_takes_every_object_of_its_own_kinds(release: str, environment: str, tmp_path: Path) -> None:
    settings = load_settings(environment)
    schemas = ApiSchemas(settings.cluster.kubernetes_version)
    objects = objects_of(release, values_of(release, settings), tmp_path)
    assert [problem for item in objects if schemas.knows(item) for problem in schemas.problems(item)] == []


def test_no_pod_is_let_in_while_its_images_cannot_be_judged(tmp_path: Path) -> None:
    objects = objects_of("image-policy", values_of("image-policy", load_settings("dev")), tmp_path)
    by_kind = {item["kind"]: item["spec"] for item in objects}
    assert by_kind["ValidatingAdmissionPolicy"]["failurePolicy"] == "Fail"
    assert by_kind["ValidatingAdmissionPolicyBinding"]["validationActions"] == ["Deny"]
    rules = by_kind["ValidatingAdmissionPolicy"]["matchConstraints"]["resourceRules"]
    assert [(rule["operations"], rule["resources"]) for rule in rules] == [
        (["CREATE", "UPDATE"], ["pods", "pods/ephemeralcontainers"])
    ]


@pytest.mark.parametrize("release", ["valkey", "opik-guardrails"])
def test_own_pods_are_bounded_and_fit_the_strictest_level(release: str, tmp_path: Path) -> None:
    objects = objects_of(release, values_of(release, load_settings("dev")), tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} <= set(container["resources"]["limits"])


def test_guardrails_get_a_gpu_on_any_node_of_their_pool_and_answer_below_their_path(tmp_path: Path) -> None:
    objects = objects_of("opik-guardrails", values_of("opik-guardrails", load_settings("dev")), tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    tolerated = {f"{item['key']}={item['value']}:{item['effect']}" for item in pod["tolerations"]}
    assert {GPU_TAINT, "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"} == tolerated
    prefix = urlsplit(login.GUARDRAILS).path.rstrip("/")
    assert {variable["name"]: variable["value"] for variable in container["env"]} == {"SCRIPT_NAME": prefix}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"].startswith(f"{prefix}/")


def test_password_of_the_sessions_is_no_argument(tmp_path: Path) -> None:
    objects = objects_of("valkey", values_of("valkey", load_settings("dev")), tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    (container,) = pod["containers"]
    assert "--requirepass" not in str(container["args"])
    # Nor does a shell stand before the server and keep SIGTERM from it.
    assert container["args"][0].startswith("exec valkey-server - <<")
    assert container["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "oauth2-proxy-secrets", "key": "redis-password"}


def test_the_chats_redis_forgets_nothing_and_takes_large_events(tmp_path: Path) -> None:
    variant = YAML(typ="safe").load((HELM / "valkey" / "values.chat.yaml").read_text())
    objects = objects_of("valkey", {**variant, **chat.redis(*with_images(load_settings("dev")))}, tmp_path)
    (pod,) = (item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment")
    written = subprocess.run(
        ["sh", "-c", pod["containers"][0]["args"][0].replace("exec valkey-server -", "exec cat")],
        env={"PATH": "/usr/bin:/bin", "REDIS_PASSWORD": "p w"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = written.stdout.splitlines()
    assert lines[:3] == ["requirepass p w", "maxmemory 256mb", "maxmemory-policy noeviction"]
    assert "client-output-buffer-limit pubsub 64mb 32mb 60" in lines
    assert lines[-1] == 'save ""'
