"""The chat's chart, rendered with the values that the stack passes."""

import json
import subprocess
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from constructs.helm_release import inserting
from stacks.platform.common.catalogue import values_files
from stacks.platform.components.chat import release as chat
from tests.support.kubernetes.third_party import (
    FOUND,
    NEEDED,
    all_settings,
    chart,
    computed_values,
    render,
)

pytestmark = NEEDED


def _chat(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the chat's Deployment and all objects of its chart."""
    objects = render("open-webui", (), folder)
    (deployment,) = (item for item in objects if item["kind"] == "Deployment")
    return deployment, objects


def test_chat_is_recreated_with_the_autoscalers_minimum(tmp_path: Path) -> None:
    deployment, objects = _chat(tmp_path)
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert deployment["spec"]["replicas"] == 2
    kinds = sorted(item["kind"] for item in objects)
    # Nothing of Ollama, Pipelines or a second Redis, and no claim that never binds.
    assert kinds == ["Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Service", "ServiceAccount"]
    (autoscaler,) = (item for item in objects if item["kind"] == "HorizontalPodAutoscaler")
    assert autoscaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    pods = deployment["spec"]["template"]["metadata"]["labels"]
    (budget,) = (item for item in objects if item["kind"] == "PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"].items() <= pods.items()


def test_chats_pod_waits_for_its_answers_before_it_ends(tmp_path: Path) -> None:
    command = [str(FOUND), "template", "open-webui", *chart("open-webui", tmp_path), "--namespace", "chat"]
    files = [*values_files("open-webui"), tmp_path / "computed.json"]
    (tmp_path / "computed.json").write_text(json.dumps(computed_values("open-webui")))
    text = subprocess.run(
        [*command, *(word for path in files for word in ("--values", str(path)))],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    settings = all_settings()
    edited = subprocess.run(
        ["sed", *inserting(chat.insertions(settings.gateway, settings.serving))],
        input=text,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    (deployment,) = (each for each in YAML(typ="safe").load_all(edited) if each and each["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 1700
    (server,) = pod["containers"]
    assert server["lifecycle"]["preStop"]["exec"]["command"] == [
        "python3", "/scripts/drain.py", "10", "1680", "4000",
    ]  # fmt: skip
    assert "lifecycle" not in {key for container in pod["initContainers"] for key in container}
    # Two lines more and nothing else.
    assert len(edited.splitlines()) == len(text.splitlines()) + 2


def test_chats_variables_are_each_set_once_and_secrets_come_from_secrets(tmp_path: Path) -> None:
    deployment, _ = _chat(tmp_path)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    names = [entry["name"] for entry in container["env"]]
    assert len(names) == len(set(names))
    by_name = {entry["name"]: entry for entry in container["env"]}
    for name in ("DATABASE_URL", "REDIS_URL", "WEBSOCKET_REDIS_URL", "OPENAI_API_KEYS", "WEBUI_SECRET_KEY"):
        assert by_name[name]["valueFrom"]["secretKeyRef"]["name"] == "chat-secrets"
    assert by_name["ENABLE_OLLAMA_API"]["value"] == "False"
    assert "OPENAI_API_BASE_URL" not in by_name
    text = json.dumps(deployment)
    assert "api.openai.com" not in text
    assert "0p3n-w3bu!" not in text


def test_chat_starts_its_login_then_migrates_and_mounts_nothing_but_uploads_of_the_share(tmp_path: Path) -> None:
    deployment, _ = _chat(tmp_path)
    pod = deployment["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["initContainers"]] == ["copy-app-data", "entra-login", "migrate"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["data"] == {"name": "data", "emptyDir": {}}
    assert volumes["uploads"]["persistentVolumeClaim"]["claimName"] == "chat-uploads"
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts == {"data": "/app/backend/data", "uploads": "/app/backend/data/uploads", "scripts": "/scripts"}
    assert all(f"{probe}Probe" in pod["containers"][0] for probe in ("startup", "liveness", "readiness"))
