"""What is promised of networks, namespaces, logins, state and workflows, compared with literals (tests/promises)."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.stacks.synthesis import Synthesized

from .test_promises_azure import ENVIRONMENTS, table

Environment = Callable[[str], Synthesized]
WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
COMPLETED_BY_TERRAFORM = re.compile(r"\$\{jsonencode\((?:[^{}]|\$\{[^{}]*\})*\)\}")

STATE_PLACES = {
    "local": "../../../../state/dev/{stack}.tfstate",
    "azurerm": "llm/dev/{stack}.tfstate",
    "hcp": "llm-dev-{stack}",
}
"""Where a stack's state lies in each backend: another place means that Terraform starts from nothing."""


def stack_values(synthesized: Synthesized, release: str) -> dict[str, Any]:
    """Return the values that the stack itself gives a release; what only Terraform knows reads `completed`."""
    text = synthesized.resources("platform", "helm_release")[release]["values"][-1]
    found: dict[str, Any] = json.loads(COMPLETED_BY_TERRAFORM.sub('"completed"', text))
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_security_groups_let_in_what_was_written_down(environment: Environment, name: str) -> None:
    groups = environment(name).resources("network", "azurerm_network_security_group")
    found = {group.split("_")[0]: [rule_line(rule) for rule in body["security_rule"]] for group, body in groups.items()}
    assert found == table("security_rules")[name]
    assert {rule["direction"] for body in groups.values() for rule in body["security_rule"]} == {"Inbound"}


def rule_line(rule: dict[str, Any]) -> list[Any]:
    sources = rule.get("source_address_prefixes") or [rule["source_address_prefix"]]
    ports = rule.get("destination_port_ranges") or [rule["destination_port_range"]]
    return [rule["priority"], rule["access"], rule["protocol"], sources, ports]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_namespaces_enforce_the_levels_that_were_written_down(environment: Environment, name: str) -> None:
    found = {
        body["metadata"]["name"]: body["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for body in environment(name).resources("platform", "kubernetes_namespace_v1").values()
    }
    expected = table("namespaces")
    assert found == {namespace: expected[namespace] for namespace in found}
    assert found.keys() >= expected.keys() - {"ingress"}


@pytest.mark.parametrize("state", STATE_PLACES)
def test_state_lies_where_it_always_lay(environment_with_state: Callable[[str, str], Synthesized], state: str) -> None:
    synthesized = environment_with_state("dev", state)
    for stack, body in synthesized.stacks.items():
        place = STATE_PLACES[state].format(stack=stack)
        match body["terraform"]["backend" if state != "hcp" else "cloud"]:
            case {"local": {"path": path}}:
                assert path == place
            case {"azurerm": azurerm}:
                assert azurerm["key"] == place
                assert azurerm["container_name"] == "tfstate"
                assert azurerm["use_azuread_auth"] is True
            case {"workspaces": {"name": workspace}}:
                assert workspace == place
            case other:
                raise AssertionError(other)


def test_chat_lets_in_whom_entra_names(environment: Environment) -> None:
    variables = stack_values(environment("dev"), "open-webui")["extraEnvVars"]
    expected = table("chat")
    assert {key: variables.get(key) for key in expected} == expected


def test_opik_lets_in_whom_entra_names(environment: Environment) -> None:
    options = stack_values(environment("dev"), "oauth2-proxy")["extraArgs"]
    assert [option for option in table("opik_login") if option not in options] == []
    assert not [option for option in options if re.match(r"--(skip-auth|insecure|ssl-insecure|trusted-ip)", option)]


def test_jobs_of_workflows_have_the_rights_that_were_written_down() -> None:
    found = {}
    for file in WORKFLOWS.glob("*.yml"):
        workflow = YAML(typ="safe").load(file.read_text("utf-8"))
        found[file.name] = {
            job: body.get("permissions", workflow.get("permissions")) for job, body in workflow["jobs"].items()
        }
    assert found == table("workflows")


def test_deployments_of_one_environment_wait_for_each_other() -> None:
    workflow = YAML(typ="safe").load((WORKFLOWS / "deploy-environment.yml").read_text("utf-8"))
    assert workflow["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_secrets_are_copied_into_these_namespaces_and_no_others(environment: Environment, name: str) -> None:
    deliveries = stack_values(environment(name), "platform-secrets")["deliveries"]
    found = {
        namespace: sorted({secret for keys in secrets.values() for secret in keys.values()})
        for namespace, secrets in deliveries.items()
    }
    assert found == table("deliveries")


def test_no_image_runs_while_the_policy_cannot_be_judged() -> None:
    """Read from the template, so that it is noticed where no helm renders it, too."""
    template = Path(__file__).parents[2] / "helm" / "image-policy" / "templates" / "policy.yaml"
    assert [line.strip() for line in template.read_text("utf-8").splitlines() if "failurePolicy" in line] == [
        "failurePolicy: Fail"
    ]
