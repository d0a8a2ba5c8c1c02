"""A changed path, Service or port reaches a deployed Ingress, whoever edits it besides Terraform."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.stacks.synthesis import Synthesized

Environment = Callable[[str], Synthesized]

ROUTES = {
    "chat-ingress-route": {"path": "/", "service": "open-webui", "port": 80},
    "gateway-ingress-route": {"path": "/v1", "service": "litellm", "port": 4000},
    "grafana-ingress-route": {"path": "/", "service": "grafana", "port": 80},
    "opik-ingress-route": {"path": "/", "service": "oauth2-proxy", "port": 80},
}


def test_behind_the_application_gateway_terraform_watches_every_path(environment: Environment) -> None:
    """There cert-manager answers challenges by an Ingress of its own."""
    ingresses = environment("prod").resources("platform", "kubernetes_ingress_v1")
    assert len(ingresses) == 4
    assert [name for name, body in ingresses.items() if "lifecycle" in body] == []
    assert not environment("prod").resources("platform", "terraform_data")


def test_behind_nginx_what_cert_manager_edits_is_replaced_when_its_route_changes(environment: Environment) -> None:
    ingresses = environment("dev").resources("platform", "kubernetes_ingress_v1")
    for name, body in ingresses.items():
        assert body["metadata"]["annotations"]["acme.cert-manager.io/http01-edit-in-place"] == "true"
        assert body["lifecycle"] == {
            "ignore_changes": ["spec[0].rule[0].http[0].path"],
            "replace_triggered_by": [f"terraform_data.{name}-route"],
        }
        (path,) = body["spec"]["rule"][0]["http"]["path"]
        service = path["backend"]["service"]
        route = environment("dev").resources("platform", "terraform_data")[f"{name}-route"]["input"]
        assert route == {"path": path["path"], "service": service["name"], "port": service["port"]["number"]}
    routes = environment("dev").resources("platform", "terraform_data")
    assert {name: body["input"] for name, body in routes.items()} == ROUTES


@pytest.mark.slow
def test_terraform_replaces_the_ingress_of_a_changed_route(environment: Environment, tmp_path: Path) -> None:
    if not shutil.which("terraform"):
        pytest.skip("needs terraform")
    dev = environment("dev")
    routes = dev.resources("platform", "terraform_data")
    # Another resource in the Ingress's place: no cluster is needed to see what Terraform makes of its lifecycle.
    lifecycle = dict(dev.resources("platform", "kubernetes_ingress_v1")["chat-ingress"]["lifecycle"])
    lifecycle["ignore_changes"] = ["input"]
    _write(tmp_path, {**routes, "chat-ingress": {"input": "first", "lifecycle": lifecycle}})
    _terraform(tmp_path, "init")
    _terraform(tmp_path, "apply", "-auto-approve")
    _write(tmp_path, {**routes, "chat-ingress": {"input": "second", "lifecycle": lifecycle}})
    assert _planned(tmp_path) == {}
    changed = {**routes, "chat-ingress-route": {"input": ROUTES["chat-ingress-route"] | {"port": 81}}}
    _write(tmp_path, {**changed, "chat-ingress": {"input": "second", "lifecycle": lifecycle}})
    assert _planned(tmp_path) == {
        "terraform_data.chat-ingress-route": ["update"],
        "terraform_data.chat-ingress": ["delete", "create"],
    }


def _write(folder: Path, resources: dict[str, Any]) -> None:
    (folder / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}))


def _terraform(folder: Path, *arguments: str) -> str:
    command = ["terraform", arguments[0], "-no-color", *arguments[1:]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def _planned(folder: Path) -> dict[str, list[str]]:
    _terraform(folder, "plan", "-out=plan")
    plan = json.loads(_terraform(folder, "show", "-json", "plan"))
    actions = {change["address"]: change["change"]["actions"] for change in plan.get("resource_changes", ())}
    return {address: found for address, found in actions.items() if found != ["no-op"]}
