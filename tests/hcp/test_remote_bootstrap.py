"""`llmctl remote bootstrap`: what an organization gets, and what is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli.remote import commands as remote
from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.tiers import STACKS
from scripts.core.workspace import Workspace
from stacks.settings import load_settings
from tests.stacks.test_wiring import READS
from tests.support.hcp.bootstrap import CLIENT, PLANNER, TENANT, bootstrap, reached, settings, writes
from tests.support.hcp.server import Service
from tests.support.stacks.synthesis import synthesize


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    yield from reached(tmp_path, monkeypatch)


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


def test_no_apply_starts_another_run_by_default_and_earlier_triggers_go(service: Service) -> None:
    bootstrap(run_triggers=True)
    assert len(service.store.all("run-triggers")) == 2
    foreign = service.store.add_workspace("foreign")
    network = service.store.workspace("llm-dev-network")
    service.store.add(
        "run-triggers",
        "rt",
        {"workspace-name": "llm-dev-network", "sourceable-name": "foreign", "created-at": "2026-11-21T00:00:00Z"},
        workspace=network,
        sourceable=foreign,
    )
    bootstrap()
    left = [item["attributes"]["sourceable-name"] for item in service.store.all("run-triggers")]
    assert left == ["foreign"]


def test_where_asked_for_runs_follow_each_other_and_apply_as_all_do(service: Service) -> None:
    bootstrap(run_triggers=True, auto_apply=True)
    assert service.store.workspace("llm-dev-aks")["attributes"]["auto-apply-run-trigger"] is True
    triggers = [item["attributes"] for item in service.store.all("run-triggers")]
    assert {(item["sourceable-name"], item["workspace-name"]) for item in triggers} == {
        ("llm-dev-network", "llm-dev-aks"),
        ("llm-dev-aks", "llm-dev-platform"),
    }


def test_runs_get_the_variables_of_dynamic_azure_credentials(service: Service) -> None:
    bootstrap()
    found, from_state = service.store.all("varsets")
    assert found["attributes"]["global"] is False
    assert len(service.store.related(found, "workspaces")) == len(STACKS)
    variables = [service.store.get(identity, "vars")["attributes"] for identity in service.store.related(found, "vars")]
    assert {item["key"]: item["value"] for item in variables} == {
        "TFC_AZURE_PROVIDER_AUTH": "true",
        "TFC_AZURE_PLAN_CLIENT_ID": PLANNER,
        "TFC_AZURE_APPLY_CLIENT_ID": CLIENT,
        "ARM_TENANT_ID": TENANT,
        "ARM_SUBSCRIPTION_ID": settings().azure.subscription_id,
    }
    assert {item["category"] for item in variables} == {"env"}
    # The plan's identity reads no secret, which refreshing these two would take.
    assert service.store.related(from_state, "workspaces") == [
        service.store.workspace(f"llm-dev-{stack}")["id"] for stack in ("database", "platform")
    ]
    (only,) = (
        service.store.get(identity, "vars")["attributes"] for identity in service.store.related(from_state, "vars")
    )
    assert (only["key"], only["value"]) == ("TF_CLI_ARGS_plan", "-refresh=false")


def test_the_one_identity_of_an_earlier_version_is_taken_from_the_runs(service: Service) -> None:
    bootstrap()
    found = service.store.all("varsets")[0]
    old = service.store.add("vars", "var", {"key": "TFC_AZURE_RUN_CLIENT_ID", "value": CLIENT, "category": "env"})
    found["relationships"]["vars"]["data"].append({"id": old["id"], "type": "vars"})
    bootstrap()
    assert "TFC_AZURE_RUN_CLIENT_ID" not in [item["attributes"]["key"] for item in service.store.all("vars")]


def test_teams_get_their_access_in_every_workspace(service: Service) -> None:
    bootstrap()
    teams = {team["id"]: team["attributes"]["name"] for team in service.store.all("teams")}
    given = [
        (teams[service.store.related(item, "team")[0]], item["attributes"]["access"])
        for item in service.store.all("team-workspaces")
    ]
    assert sorted(given) == sorted([("operators", "write"), ("auditors", "read")] * len(STACKS))


@pytest.mark.slow
def test_as_typed_it_takes_the_readers_from_the_synthesized_stacks(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace("dev", tmp_path)
    workspace.output.mkdir(parents=True)
    tools = Tools(load=lambda _name: settings(), workspace=lambda _name: workspace)
    monkeypatch.setattr(remote, "synthesize", lambda found, _processes: synthesize(settings(), found.output))
    done = CliRunner().invoke(remote.app, ["bootstrap", "dev", "--yes", "--no-azure"], obj=tools)
    assert done.exit_code == 0, done.exception
    consumers = {
        (producer, stack)
        for producer in STACKS
        for stack in STACKS
        if service.store.workspace(f"llm-dev-{stack}")["id"]
        in service.store.related(service.store.workspace(f"llm-dev-{producer}"), "remote-state-consumers")
    }
    assert consumers == {(producer, stack) for stack in STACKS for producer in READS[stack]}
    local = CliRunner().invoke(remote.app, ["bootstrap", "dev"], obj=Tools(load=load_settings))
    assert isinstance(local.exception, OperatorError)
    assert "keeps its state elsewhere" in local.exception.message


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
    taken = " ".join(capsys.readouterr().err.split())
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


def test_local_execution_keeps_only_the_state_there(service: Service) -> None:
    bootstrap(execution="local", agent_pool=None)
    assert {item["attributes"]["execution-mode"] for item in service.store.all("workspaces")} == {"local"}
    for kind in ("run-triggers", "varsets", "agent-pools"):
        assert service.store.all(kind) == []
