"""The whole life of an environment, with the real cdktf and the real Terraform on fake providers."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.core.schedule import Outcome
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.lab.rehearsal.leaks import VAULT, leaking_files, secret_values
from scripts.terraform.errors.diagnose import diagnose
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import PLAN_FILE
from stacks.settings import load_settings
from tests.support.stacks.synthesis import STATES, with_state

pytestmark = pytest.mark.rehearsal

ENVIRONMENT = os.environ.get("REHEARSED_ENVIRONMENT", "dev")
OTHER = "prod" if ENVIRONMENT != "prod" else "dev"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

LEFT_TO_TERRAFORM = re.compile(r"\$\{(?:[a-z]+\(|(?:data|local|var|ephemeral|[a-z0-9]+_[a-z0-9_]+)\.)")
"""A reference or a call that nobody completed. Scripts of pods have shell parameters in the same braces."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="module")
def rehearsal(folder: Path) -> Rehearsal:
    """Return the environment, brought up as the README says; every test leaves it standing."""
    found = Rehearsal(load_settings(ENVIRONMENT), folder)
    found.cdktf("synth")
    first = found.rollout(*DURABLE)
    first.plan()
    for stack in DURABLE:
        shutil.copy(first.stacks[stack].folder / PLAN_FILE, folder / f"first-{stack}.tfplan")
    first.discard_plans()
    found.cdktf("deploy", *DURABLE, "--auto-approve")
    found.cdktf("deploy", *DISPOSABLE, "--auto-approve")
    return found


def deploy_again(rehearsal: Rehearsal, *stacks: str) -> None:
    """Deploy stacks that stand. Fails when one is left out, or anything changed.

    cdktf may lose the last lines that Terraform wrote (its pseudoterminal is closed 200 ms after Terraform ended),
    so what was done is read from the state and from the fake cloud.
    """
    before = everything(rehearsal), resources(rehearsal)
    output = ANSI.sub("", rehearsal.cdktf("deploy", *stacks, "--auto-approve"))
    assert (everything(rehearsal), resources(rehearsal)) == before
    assert set(re.findall(r"^(\w+)  +\S", output, re.MULTILINE)) & set(STACKS) == set(stacks)


def everything(rehearsal: Rehearsal) -> set[tuple[str, str, int]]:
    """Return what exists in the fake cloud: its key, its id, and which life of that key it is."""
    return {(found.key, found.id, found.generation) for found in Cloud(rehearsal.folder).objects()}


def resources(rehearsal: Rehearsal) -> dict[str, Any]:
    return {stack: (rehearsal.instances(stack), rehearsal.outputs(stack)) for stack in STACKS}


def states(rehearsal: Rehearsal) -> dict[str, Any]:
    return {stack: rehearsal.state(stack) for stack in STACKS}


def stored_secrets(rehearsal: Rehearsal) -> list[tuple[str, ...]]:
    """Return every secret in the fake services: holder, name, version, value."""
    with sqlite3.connect(rehearsal.folder / VAULT) as vault:
        rows = vault.execute(
            "SELECT holder, name, version, value FROM secrets WHERE holder != 'generated' ORDER BY 1, 2, 3"
        )
        return rows.fetchall()


def test_the_first_deployment_brings_up_every_stack(rehearsal: Rehearsal) -> None:
    for stack in STACKS:
        assert rehearsal.instances(stack), stack
        assert rehearsal.outputs(stack), stack


def test_a_second_plan_of_every_stack_is_empty(rehearsal: Rehearsal) -> None:
    run = rehearsal.rollout()
    run.plan()
    assert run.failures == {}
    assert set(run.plans) == set(STACKS)
    assert {name: str(plan.changes) for name, plan in run.plans.items()} == dict.fromkeys(STACKS, "no changes")


def test_cdktf_deploy_network_aks_platform_works_as_typed(rehearsal: Rehearsal) -> None:
    deploy_again(rehearsal, "network", "aks", "platform")


def test_cdktf_deploy_platform_works_as_typed(rehearsal: Rehearsal) -> None:
    deploy_again(rehearsal, "platform")


def test_every_durable_stack_refuses_to_be_destroyed(rehearsal: Rehearsal) -> None:
    before = everything(rehearsal), states(rehearsal)
    assert rehearsal.try_cdktf("destroy", *DURABLE, "--auto-approve").status != 0
    assert (everything(rehearsal), states(rehearsal)) == before
    run = rehearsal.rollout(*DURABLE, destroy=True)
    run.plan()
    refused = [stack for stack in DURABLE if "Instance cannot be destroyed" in run.failures[stack].output]
    assert refused == list(DURABLE)


def test_the_network_refuses_to_go_while_the_cluster_stands_in_it(rehearsal: Rehearsal) -> None:
    before = everything(rehearsal)
    assert rehearsal.try_cdktf("destroy", "network", "--auto-approve").status != 0
    assert everything(rehearsal) == before


def test_destroying_and_creating_the_disposable_stacks_brings_everything_back(rehearsal: Rehearsal) -> None:
    outputs = {stack: rehearsal.outputs(stack) for stack in STACKS}
    durable = {stack: rehearsal.instances(stack) for stack in DURABLE}
    secrets = stored_secrets(rehearsal)
    rehearsal.cdktf("destroy", *DISPOSABLE, "--auto-approve")
    assert all(not rehearsal.instances(stack) for stack in DISPOSABLE)
    assert {stack: rehearsal.instances(stack) for stack in DURABLE} == durable
    rehearsal.cdktf("deploy", *DISPOSABLE, "--auto-approve")
    again = {stack: rehearsal.outputs(stack) for stack in STACKS}
    # Disks, databases, vault, passwords, registry, login, addresses: not an attribute differs.
    assert {stack: rehearsal.instances(stack) for stack in DURABLE} == durable
    assert {stack: again[stack] for stack in DURABLE} == {stack: outputs[stack] for stack in DURABLE}
    assert stored_secrets(rehearsal) == secrets
    # A new cluster gets a new API address and issuer from Azure; the names that people and domains use stay.
    assert {stack: set(again[stack]) for stack in STACKS} == {stack: set(outputs[stack]) for stack in STACKS}
    assert again["aks"]["cluster_id"] == outputs["aks"]["cluster_id"]
    assert again["platform"]["dns_records"] == outputs["platform"]["dns_records"]
    assert again["platform"]["namespaces"] == outputs["platform"]["namespaces"]


def test_switching_environments_needs_no_clean_up(rehearsal: Rehearsal) -> None:
    other = Rehearsal(load_settings(OTHER), rehearsal.folder, fresh=False)
    other.cdktf("deploy", "acr", "--auto-approve")
    deploy_again(rehearsal, "acr")
    deploy_again(other, "acr")
    assert rehearsal.outputs("acr")["registry_id"] != other.outputs("acr")["registry_id"]


def _final_values(rehearsal: Rehearsal) -> dict[str, list[str]]:
    """Return each release's layers of values as Helm gets them; the last one is what the stack wired."""
    platform = rehearsal.instances("platform")
    return {
        attributes["name"]: attributes["values"] or []
        for address, attributes in platform.items()
        if address.startswith("helm_release.")
    }


def test_chat_gateway_engines_and_tracing_are_wired_to_each_other(rehearsal: Rehearsal) -> None:
    wired = {name: json.loads(layers[-1]) for name, layers in _final_values(rehearsal).items() if layers}
    database = rehearsal.outputs("database")
    models = load_settings(ENVIRONMENT).models
    routes = wired["litellm"]["config"]["model_list"]
    assert [route["model_name"] for route in routes] == [model.name for model in models]
    fronted = wired["serving-front"]["engines"]
    for route in routes:
        engine = urlsplit(route["litellm_params"]["api_base"]).path.split("/")[1]
        assert engine in fronted
        assert engine in wired or engine.startswith("vllm-")
    assert wired["litellm"]["opik"] == {
        "project": ENVIRONMENT,
        # Chats are not traced, programs' calls are.
        "chats": "false",
        "prompts": "true",
        "chatKeys": "chat-key",
        "url": "http://opik-frontend.opik.svc.cluster.local:5173/api",
    }
    assert wired["open-webui"]["openaiBaseApiUrls"] == ["http://litellm.gateway.svc.cluster.local:4000/v1"]
    assert f"@{database['server_fqdn']}:5432/litellm" in wired["litellm"]["databaseUrl"]
    assert f"@{database['server_fqdn']}:5432/" in json.dumps(wired["platform-secrets"])


def test_final_helm_values_hold_the_outputs_of_other_stacks(rehearsal: Rehearsal) -> None:
    values = {name: "\n".join(layers) for name, layers in _final_values(rehearsal).items()}
    database, aks, address = (rehearsal.outputs(stack) for stack in ("database", "aks", "address"))
    assert json.dumps(database["vault_uri"]) in values["platform-secrets"]
    for name, version in database["secret_versions"].items():
        assert f'"{name}":{version}' in values["platform-secrets"]
    assert json.dumps(aks["cert_manager_client_id"]) in values["cert-manager"]
    if "nginx-ingress" in values:
        assert json.dumps(address["public_ip_name"]) in values["nginx-ingress"]
    assert [name for name, text in values.items() if LEFT_TO_TERRAFORM.search(text)] == []


def test_no_generated_secret_is_in_any_state_plan_or_log(rehearsal: Rehearsal) -> None:
    secrets = secret_values(rehearsal.folder)
    assert len(secrets) >= len(rehearsal.outputs("database")["secret_versions"])
    plans = list(rehearsal.folder.glob("first-*.tfplan"))
    assert len(plans) == len(DURABLE)
    assert leaking_files(rehearsal.folder, secrets) == []


def test_a_secret_in_a_plan_or_a_state_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "clean.tfstate").write_text("{}")
    (tmp_path / "leaking.tfstate").write_text('{"value": "secret-1"}')
    with zipfile.ZipFile(tmp_path / "leaking.tfplan", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tfplan", "x" * 1000 + "secret-2")
    (tmp_path / "vault.db").write_text("secret-1")
    found = leaking_files(tmp_path, {"secret-1", "secret-2"})
    assert [path.name for path in found] == ["leaking.tfplan", "leaking.tfstate"]


def test_what_a_lost_run_left_behind_is_taken_over_with_the_command_that_is_shown(tmp_path: Path) -> None:
    rehearsal = Rehearsal(load_settings(ENVIRONMENT), tmp_path)
    rehearsal.cdktf("synth")
    fault = {"resource": "azurerm_resource_group", "effect": "lose-answer"}
    (tmp_path / "faults.yaml").write_text(json.dumps([fault]))

    def deploy() -> Rollout:
        run = rehearsal.rollout("acr")
        run.plan()
        run.apply(["acr"], any_loss=False)
        return run

    deploy()
    run = deploy()
    error = run.reports["acr"].error
    assert error is not None
    (found,) = diagnose(error.output, str(run.stacks["acr"].folder), "`llmctl deploy`")
    command = next(line for line in found.fix.splitlines() if "terraform import" in line)
    subprocess.run(command, shell=True, env=rehearsal.environment, check=True, capture_output=True)
    assert deploy().reports["acr"].outcome == Outcome.DONE
    assert deploy().reports["acr"].changes.empty


def test_state_kept_elsewhere_is_rehearsed_locally(tmp_path: Path) -> None:
    remote = Rehearsal(with_state(ENVIRONMENT, STATES["azurerm"]), tmp_path)
    remote.cdktf("synth")
    for stack in remote.workspace.stacks().values():
        content = json.loads((stack.folder / "cdk.tf.json").read_text())
        assert list(content["terraform"]["backend"]) == ["local"]
        assert all(path.resolve().is_relative_to(tmp_path) for path in stack.read_states)
