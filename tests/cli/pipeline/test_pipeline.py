"""`llmctl pipeline`: a second run, a dry run, what is left by hand, and taking all of it away."""

import json

import pytest

from scripts.cli.pipeline.arrangement import Options, SystemName, arrangement
from scripts.core.errors import OperatorError
from scripts.pipeline.azure_devops import AzureDevOps
from stacks.settings import load_settings
from tests.support.pipeline.arranged import PLAN_ROLE, REGISTRY, arranged, github, gitlab, run
from tests.support.pipeline.fakes import FakeAzure, FakeGithub, FakeGitlab


def test_a_second_bootstrap_changes_nothing() -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    first = run(arranged(azure, github(service)))
    assert "create identity llm-dev-github-plan" in first
    azure.lines.clear()
    service.writes.clear()
    assert run(arranged(azure, github(service))) == []
    assert (azure.writes, service.writes) == ([], [])


def test_a_dry_run_shows_what_is_granted_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    azure, service = FakeAzure(registries=[REGISTRY]), FakeGithub()
    run(arranged(azure, github(service)), dry_run=True)
    assert (azure.writes, service.writes) == ([], [])
    shown = capsys.readouterr().out
    assert "give llm-dev-github-apply User Access Administrator on the subscription: writes locks, policies" in shown
    assert "permit llm-dev-github-apply Application.ReadWrite.OwnedBy in the directory" in shown
    assert "let repo:o/r:environment:dev-plan log in as llm-dev-github-plan" in shown


def test_json_says_what_was_done_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    run(arranged(FakeAzure(), github(FakeGithub())), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["environment"], found["system"], found["done"]) == ("dev", "github", True)
    assert found["identities"]["plan"] == {
        "name": "llm-dev-github-plan",
        "client_id": "client-of-llm-dev-github-plan",
        "object_id": "object-of-llm-dev-github-plan",
    }
    by_hand = " | ".join(found["by_hand"])
    assert "name object-of-llm-dev-github-apply in operators.object_ids" in by_hand
    assert "AcrPush of llm-dev-github-images on the registry: deploy the stack acr, then run this again" in by_hand
    assert "require reviewers for environment dev-plan in GitHub" in by_hand
    assert "require reviewers for environment dev in GitHub" in by_hand


@pytest.mark.parametrize("name", ["github", "azure-devops", "gitlab"])
def test_removal_leaves_nothing_of_the_identities(name: str) -> None:
    azure, service, project = FakeAzure(registries=[REGISTRY]), FakeGithub(), FakeGitlab()
    system = {
        "github": github(service),
        "azure-devops": AzureDevOps("acme", "p", "llm-dev", azure.ask, azure.tell),
        "gitlab": gitlab(project),
    }[name]
    run(arranged(azure, system, name, backups=True))
    assert f"llm-dev-{name}-backup" in azure.identities
    run(arranged(azure, system, name, backups=True), undo=True)
    assert (azure.groups, azure.identities, azure.assignments, azure.definitions) == (set(), {}, [], {})
    assert azure.connections == []
    left = [values for values in service.variables.values() if "AZURE_CLIENT_ID" in values]
    assert left == []
    assert [key for key, _ in project.variables if key == "ARM_CLIENT_ID"] == []
    assert run(arranged(azure, system, name, backups=True), undo=True) == []


def test_removing_one_system_leaves_the_other() -> None:
    azure, service, project = FakeAzure(registries=[REGISTRY]), FakeGithub(), FakeGitlab()
    run(arranged(azure, github(service)))
    run(arranged(azure, gitlab(project), "gitlab"))
    before = azure.roles("llm-dev-gitlab-plan")
    run(arranged(azure, github(service)), undo=True)
    assert set(azure.identities) == {f"llm-dev-gitlab-{purpose}" for purpose in ("plan", "images", "apply")}
    assert azure.roles("llm-dev-gitlab-plan") == before
    assert PLAN_ROLE in azure.definitions


def test_a_state_that_no_pipeline_reaches_is_refused() -> None:
    with pytest.raises(OperatorError, match="keeps its state in this checkout"):
        arrangement(load_settings("dev"), SystemName.GITHUB, Options(repository="o/r"))
