"""Ways to a private Kubernetes API: each is off unless the file asks for it, and none gives anybody more rights."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.cluster.reach.choice import chosen
from stacks.settings import Settings, load_settings, parse_settings
from tests.support.stacks.disposable import aks_of
from tests.support.stacks.durable import only
from tests.support.stacks.synthesis import Synthesized

ENVIRONMENTS = Path(__file__).parents[1] / "environments"
URL = "${data.terraform_remote_state.aks-state.outputs.api_url}"


def _settings(name: str, addition: str = "") -> Settings:
    file = ENVIRONMENTS / f"valid.{name}.yaml"
    return parse_settings(file.read_text("utf-8") + addition, file.name)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_azure_runs_no_command_in_a_cluster_that_does_not_ask_for_it(name: str) -> None:
    assert only(aks_of(load_settings(name)), "azurerm_kubernetes_cluster")["run_command_enabled"] is False


def test_azure_runs_commands_where_the_file_asks_for_it() -> None:
    asking = _settings("private_by_vpn", "\noperators:\n  cluster_access: command-invoke\n")
    assert only(aks_of(asking), "azurerm_kubernetes_cluster")["run_command_enabled"] is True


@pytest.fixture(scope="module")
def through_tailscale(synthesized_settings: Callable[[Settings], Synthesized]) -> Synthesized:
    return synthesized_settings(_settings("private_api_through_tailscale"))


def test_tailscales_operator_passes_the_api_on_without_rights_of_its_own(through_tailscale: Synthesized) -> None:
    release = through_tailscale.resources("platform", "helm_release")["tailscale-operator"]
    computed = json.loads(release["values"][-1])
    assert computed["apiServerProxyConfig"] == {"mode": "noauth"}
    assert computed["operatorConfig"]["hostname"] == "llm-dev-api"
    assert computed["operatorConfig"]["hostname"] == chosen(_settings("private_api_through_tailscale"), {}).proxy


def test_terraforms_providers_take_the_proxy_only_where_one_is_named(through_tailscale: Synthesized) -> None:
    stack = through_tailscale.stacks["platform"]
    assert stack["variable"]["cluster_url"]["default"] == ""
    for provider in (stack["provider"]["kubernetes"][0], stack["provider"]["helm"][0]["kubernetes"]):
        assert "var.cluster_url" in provider["host"]
        assert "outputs.api_url" in provider["host"]
        assert "null" in provider["cluster_ca_certificate"]
        assert provider["exec"]


def test_other_environments_have_no_other_address_for_the_providers(
    synthesized_settings: Callable[[Settings], Synthesized],
) -> None:
    stack = synthesized_settings(_settings("private_with_tailscale")).stacks["platform"]
    assert "variable" not in stack
    assert stack["provider"]["kubernetes"][0]["host"] == URL
    values = json.dumps(stack["resource"]["helm_release"]["tailscale-operator"]["values"])
    assert "noauth" not in values
