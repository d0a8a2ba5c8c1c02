"""`llmctl remote bootstrap` against a service that speaks HCP Terraform's API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytfe import TFEConfig

from scripts.cli import remote
from scripts.cli.consent import Consent
from scripts.cli.errors import ExitCode, OperatorError
from scripts.hcp import azure_login
from scripts.hcp.client import configuration, find_token
from scripts.hcp.wanted import Wanted, wanted
from scripts.tiers import STACKS
from stacks.settings import Settings, load_settings
from stacks.settings.azure import HcpStateSettings, StateBackend, StateSettings
from tests.hcp_server import Service
from tests.hcp_store import ORGANIZATION, USER_TOKEN, Refusal
from tests.hcp_terraform import pretended
from tests.test_wiring import READS

CLIENT, TENANT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
HCP: dict[str, Any] = {
    "organization": ORGANIZATION,
    "project": "LLM platform",
    "terraform_version": "1.16.6",
    "azure": {"client_id": CLIENT, "tenant_id": TENANT},
    "agent_pool": "inside",
    "teams": {"operators": "write", "auditors": "read"},
}


def settings(**changes: Any) -> Settings:
    hcp = HcpStateSettings.model_validate(HCP | changes, strict=False)
    return load_settings("dev").model_copy(update={"state": StateSettings(backend=StateBackend.HCP, hcp=hcp)})


def wish(**changes: Any) -> Wanted:
    return wanted(settings(**changes), {stack: frozenset(READS[stack]) for stack in STACKS})


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with pretended(tmp_path) as (found, environment):
        monkeypatch.setenv("TF_TOKEN_app_terraform_io", environment["TF_TOKEN_app_terraform_io"])
        monkeypatch.setattr(
            remote,
            "configuration",
            lambda hostname: configuration(hostname, address=found.address).model_copy(
                update={"ca_bundle": str(found.certificates), "backoff_base": 0.0}
            ),
        )
        yield found


def bootstrap(*, dry_run: bool = False, with_azure: bool = False, yes: bool = True, **changes: Any) -> None:
    remote.arrange(wish(**changes), Consent("dev", yes), dry_run=dry_run, with_azure=with_azure)


def writes(service: Service) -> list[tuple[str, str]]:
    return [request for request in service.requests if request[0] != "GET"]


def test_an_empty_organization_gets_everything(service: Service) -> None:
    bootstrap()
    store = service.store
    assert [item["attributes"]["name"] for item in store.all("projects")] == ["LLM platform"]
    assert {item["attributes"]["name"] for item in store.all("workspaces")} == {f"llm-dev-{stack}" for stack in STACKS}
    (project,), (pool,) = store.all("projects"), store.all("agent-pools")
    for stack in STACKS:
        workspace = store.workspace(f"llm-dev-{stack}")
        assert store.related(workspace, "project") == [project["id"]]
        assert workspace["attributes"]["terraform-version"] == "1.16.6"
        on_agents = stack == "platform"
        assert workspace["attributes"]["execution-mode"] == ("agent" if on_agents else "remote")
        assert store.related(workspace, "agent-pool") == ([pool["id"]] if on_agents else [])
    assert service.unknown == []


def test_durable_workspaces_queue_no_destroy_plan(service: Service) -> None:
    bootstrap()
    allowed = {
        item["attributes"]["name"].removeprefix("llm-dev-")
        for item in service.store.all("workspaces")
        if item["attributes"]["allow-destroy-plan"]
    }
    assert allowed == {"network", "aks", "platform"}


def test_tags_tell_environment_stack_and_tier(service: Service) -> None:
    bootstrap()
    workspace = service.store.workspace("llm-dev-disks")
    tags = [
        tag["attributes"]
        for tag in service.store.all("tag-bindings")
        if service.store.related(tag, "workspace") == [workspace["id"]]
    ]
    assert {tag["key"]: tag["value"] for tag in tags} == {
        "platform": "llm",
        "environment": "dev",
        "stack": "disks",
        "tier": "durable",
    }


@pytest.mark.parametrize("producer", STACKS)
def test_outputs_are_shared_with_exactly_the_stacks_that_read_them(service: Service, producer: str) -> None:
    bootstrap()
    consumers = service.store.related(service.store.workspace(f"llm-dev-{producer}"), "remote-state-consumers")
    readers = {stack for stack in STACKS if producer in READS[stack]}
    assert set(consumers) == {service.store.workspace(f"llm-dev-{stack}")["id"] for stack in readers}


def test_runs_follow_each_other_from_network_to_platform(service: Service) -> None:
    bootstrap()
    triggers = [item["attributes"] for item in service.store.all("run-triggers")]
    assert {(item["sourceable-name"], item["workspace-name"]) for item in triggers} == {
        ("llm-dev-network", "llm-dev-aks"),
        ("llm-dev-aks", "llm-dev-platform"),
    }


def test_runs_get_the_variables_of_dynamic_azure_credentials(service: Service) -> None:
    bootstrap()
    (found,) = service.store.all("varsets")
    assert found["attributes"]["global"] is False
    assert len(service.store.related(found, "workspaces")) == len(STACKS)
    variables = [service.store.get(identity, "vars")["attributes"] for identity in service.store.related(found, "vars")]
    assert {item["key"]: item["value"] for item in variables} == {
        "TFC_AZURE_PROVIDER_AUTH": "true",
        "TFC_AZURE_RUN_CLIENT_ID": CLIENT,
        "ARM_TENANT_ID": TENANT,
        "ARM_SUBSCRIPTION_ID": settings().azure.subscription_id,
    }
    assert {item["category"] for item in variables} == {"env"}


def test_teams_get_their_access_in_every_workspace(service: Service) -> None:
    bootstrap()
    teams = {team["id"]: team["attributes"]["name"] for team in service.store.all("teams")}
    given = [
        (teams[service.store.related(item, "team")[0]], item["attributes"]["access"])
        for item in service.store.all("team-workspaces")
    ]
    assert sorted(given) == sorted([("operators", "write"), ("auditors", "read")] * len(STACKS))


def test_a_second_time_changes_nothing(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap()
    service.requests.clear()
    bootstrap(yes=False)
    assert writes(service) == []
    assert "nothing to do" in capsys.readouterr().out


def test_a_dry_run_shows_every_step_and_takes_none(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap(dry_run=True)
    assert writes(service) == []
    shown = capsys.readouterr().out
    bootstrap()
    taken = capsys.readouterr().err
    steps = [line.strip() for line in shown.splitlines() if line.startswith("  ")]
    assert len(steps) > 30
    assert [step for step in steps if step not in taken] == []


def test_nothing_is_done_without_consent(service: Service) -> None:
    with pytest.raises(OperatorError) as refusal:
        bootstrap(yes=False)
    assert refusal.value.code is ExitCode.REFUSED
    assert writes(service) == []


def test_what_was_changed_by_hand_is_put_right_and_what_is_foreign_left_alone(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap()
    store = service.store
    workspace = store.workspace("llm-dev-disks")
    workspace["attributes"] |= {"allow-destroy-plan": True, "terraform-version": "1.12.0", "description": "ours"}
    foreign = store.add_workspace("foreign")
    workspace["relationships"]["remote-state-consumers"]["data"].append({"id": foreign["id"], "type": "workspaces"})
    variable = next(item for item in store.all("vars") if item["attributes"]["key"] == "ARM_TENANT_ID")
    variable["attributes"]["value"] = "elsewhere"
    access = store.all("team-workspaces")[0]
    access["attributes"]["access"] = "admin"
    capsys.readouterr()
    bootstrap()
    steps = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert len(steps) == 3
    assert workspace["attributes"]["allow-destroy-plan"] is False
    assert workspace["attributes"]["terraform-version"] == "1.16.6"
    assert workspace["attributes"]["description"] == "ours"
    assert foreign["id"] in store.related(workspace, "remote-state-consumers")
    assert variable["attributes"]["value"] == TENANT
    assert access["attributes"]["access"] == "write"


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (401, "refuses the token", ExitCode.NOT_READY),
        (403, "lets the token not do this in acme", ExitCode.NOT_READY),
        (422, "refuses: injected", ExitCode.FAILED),
        (429, "limits the rate", ExitCode.FAILED),
        (500, "does not answer as it should", ExitCode.FAILED),
    ],
)
def test_a_failure_is_one_sentence_and_the_next_time_goes_on(
    service: Service, status: int, message: str, code: ExitCode
) -> None:
    service.fail("POST", "/run-triggers", status, times=6, Retry_After="0")
    with pytest.raises(OperatorError) as failure:
        bootstrap()
    assert message in failure.value.message
    assert failure.value.code is code
    assert USER_TOKEN not in failure.value.message + failure.value.fix
    assert len(service.store.all("workspaces")) == len(STACKS)
    service.faults.clear()
    bootstrap()
    assert len(service.store.all("run-triggers")) == 2
    assert len(service.store.all("team-workspaces")) == 2 * len(STACKS)


@pytest.mark.parametrize("status", [429, 502, 503])
def test_what_passes_is_tried_again(service: Service, status: int) -> None:
    service.fail("POST", "/workspaces$", status, times=2, Retry_After="0")
    bootstrap()
    assert len(service.store.all("workspaces")) == len(STACKS)


def test_local_execution_keeps_only_the_state_there(service: Service) -> None:
    bootstrap(execution="local", agent_pool=None)
    assert {item["attributes"]["execution-mode"] for item in service.store.all("workspaces")} == {"local"}
    for kind in ("run-triggers", "varsets", "agent-pools"):
        assert service.store.all(kind) == []


@pytest.mark.usefixtures("service")
def test_azure_lets_each_phase_of_each_workspace_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    log = tmp_path / "az.log"
    held = tmp_path / "held"
    held.write_text("[]")
    script = f"""#!/bin/sh
case "$*" in
*"credential list"*) printf '{{"items": %s}}' "$(cat {held})" ;;
*) for last; do case $last in {{*) printf '%s\\n' "$last" >> {log} ;; esac; done; echo '{{}}' ;;
esac
"""
    (tools / "az").write_text(script)
    (tools / "az").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    bootstrap(with_azure=True)
    made = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(made) == 2 * len(STACKS)
    assert {item["issuer"] for item in made} == {"https://app.terraform.io"}
    assert {tuple(item["audiences"]) for item in made} == {("api://AzureADTokenExchange",)}
    assert {
        "organization:acme:project:LLM platform:workspace:llm-dev-aks:run_phase:plan",
        "organization:acme:project:LLM platform:workspace:llm-dev-aks:run_phase:apply",
    } <= {item["subject"] for item in made}
    held.write_text(json.dumps(made[1:]))
    log.write_text("")
    bootstrap(with_azure=True)
    assert [json.loads(line) for line in log.read_text().splitlines()] == made[:1]


@pytest.mark.usefixtures("service")
def test_without_az_the_commands_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap(with_azure=False)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("az ")]
    assert printed == azure_login.commands(wish())
    assert len(printed) == 2 * len(STACKS)


def test_the_token_is_found_where_terraform_finds_it(tmp_path: Path) -> None:
    assert find_token("tfe.my-firm.com", {"TF_TOKEN_tfe_my__firm_com": "one"}, tmp_path) == "one"
    (tmp_path / ".terraform.d").mkdir()
    login = {"credentials": {"tfe.my-firm.com": {"token": "two"}}}
    (tmp_path / ".terraform.d" / "credentials.tfrc.json").write_text(json.dumps(login))
    assert find_token("tfe.my-firm.com", {}, tmp_path) == "two"
    with pytest.raises(OperatorError, match=r"no login for app\.terraform\.io"):
        find_token("app.terraform.io", {}, tmp_path)


def test_a_name_that_is_taken_is_refused_by_the_pretended_service_too(service: Service) -> None:
    service.store.add_workspace("one")
    with pytest.raises(Refusal):
        service.store.add_workspace("one")


def test_configuration_reaches_the_environments_own_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_TOKEN_tfe_example_com", "one")
    found = configuration("tfe.example.com")
    assert isinstance(found, TFEConfig)
    assert found.address == "https://tfe.example.com"
