"""`llmctl env history` tells what is deployed from the states and the registry, whatever the checkout holds."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.env.commands import app
from scripts.cli.tools import Tools
from scripts.deployment.history import Deployment, add
from scripts.images.registry.client import Registry
from tests.support.images.oci_registry import OciRegistry


def release(name: str, chart: str, version: str | None, deployed: int) -> dict[str, Any]:
    metadata = {"version": version or "0.1.0", "last_deployed": deployed}
    attributes = {"name": name, "chart": chart, "version": version, "metadata": metadata}
    return {"type": "helm_release", "name": name, "instances": [{"attributes": attributes}]}


STATES: dict[str, Any] = {
    "acr": {"serial": 3, "outputs": {"login_server": {"value": "acme.azurecr.io"}}, "resources": []},
    "database": {"serial": 8, "outputs": {"one_way": {"value": {"database.version": "17"}}}, "resources": []},
    "aks": {"serial": 21, "outputs": {"one_way": {"value": {"cluster.kubernetes_version": "1.36"}}}, "resources": []},
    "platform": {
        "serial": 40,
        "outputs": {
            "images": {
                "value": {"opik/backend": "acme.azurecr.io/opik-backend:2.1.23@sha256:aa", "valkey/server": "v:8"}
            },
            "images_serial": {"value": 5},
        },
        "resources": [
            # 2026-11-01T12:00:00Z
            release("cert-manager", "cert-manager", "v1.21.1", 1793534400),
            release("opik", "./.cache/charts/opik-2.1.23.tgz", None, 1793534400),
            release("scaling", "./assets/scaling-chart/AA", None, 1793534400),
        ],
    },
}


@pytest.fixture
def served() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as registry:
        yield registry


def run(registry: str, *words: str, states: Mapping[str, Any] = STATES) -> Result:
    tools = Tools(
        states_of=lambda _settings, _workspace: states,
        registry_of=lambda _settings: Registry(registry, pause=lambda _seconds: None),
    )
    return CliRunner().invoke(app, ["history", "dev", *words], obj=tools)


def keep(served: OciRegistry, time: str, *, ok: bool = True) -> None:
    done = Deployment(time, "ada@acme.io", "abc123", "0.9.0", "deploy", ok, {"platform": "2 changed"})
    add(Registry(served.name), done)


def test_the_screen_has_versions_charts_images_and_who_deployed_last(served: OciRegistry) -> None:
    keep(served, "2026-11-01T12:05:00Z")
    assert run(served.name).stdout.splitlines() == [
        "dev, as its states and its registry say",
        "Deployed    2026-11-01 12:05 UTC by ada@acme.io, commit abc123 (0.9.0)",
        "Azure       Kubernetes 1.36, PostgreSQL 17",
        "Programs    Opik 2.1.23",
        "Charts      cert-manager v1.21.1, opik 0.1.0",
        "Images      2, change 5 of the shared lock; `llmctl outputs dev platform` lists them",
        "States      acr 3, database 8, aks 21, platform 40 (writes)",
        "            not deployed: identity, disks, address, network",
        "Deployments",
        "  2026-11-01 12:05 UTC  ada@acme.io  abc123  deploy: platform: 2 changed",
    ]


def test_what_was_deployed_past_llmctl_is_told(served: OciRegistry) -> None:
    keep(served, "2026-10-31T12:00:00Z", ok=False)
    said = run(served.name).stdout
    assert "commit abc123 (0.9.0), not all done" in said
    assert "2026-11-01 12:00 UTC something was deployed past llmctl (plain cdktf, HCP, Helm)" in said


def test_without_the_registry_the_states_still_tell() -> None:
    said = run("127.0.0.1:1").stdout
    assert "Deployed    by whom is not known: " in said
    assert "Charts      cert-manager v1.21.1" in said


def test_before_the_first_deployment_nobody_is_asked() -> None:
    assert run("127.0.0.1:1", states={}).stdout == "dev: nothing is deployed\n"


def test_a_program_gets_all_of_it(served: OciRegistry) -> None:
    keep(served, "2026-11-01T12:05:00Z")
    said = json.loads(run(served.name, "--json").stdout)
    assert said["environment"] == "dev"
    assert said["versions"]["charts"] == {"cert-manager": "v1.21.1", "opik": "0.1.0"}
    assert said["deployments"][0]["who"] == "ada@acme.io"
    assert said["deployments_unread"] is None
