"""Who may log in as an identity: GitHub, Azure DevOps and GitLab."""

from typing import Any

import pytest

from scripts.cli.pipeline.arrangement import Options, SystemName, arrangement
from scripts.core.errors import ExitCode, OperatorError
from scripts.pipeline.azure_devops import AzureDevOps
from tests.support.pipeline.arranged import GITHUB_ISSUER, REGISTRY, arranged, github, gitlab, run, settings
from tests.support.pipeline.fakes import SUBSCRIPTION, TENANT, FakeAzure, FakeGithub, FakeGitlab


@pytest.mark.parametrize(
    ("answer", "prefix"),
    [
        ({"use_default": True}, "repo:o/r"),
        (
            {"use_default": True, "use_immutable_subject": True, "sub_claim_prefix": "repo:o@123456/r@456789"},
            "repo:o@123456/r@456789",
        ),
        ({"use_default": False, "include_claim_keys": ["repo", "context"]}, "repo:o/r"),
    ],
    ids=["named", "immutable", "default-keys"],
)
def test_github_says_what_its_tokens_begin_with(answer: dict[str, Any], prefix: str) -> None:
    azure = FakeAzure()
    run(arranged(azure, github(FakeGithub(subject=answer))))
    assert azure.credentials == {
        "llm-dev-github-plan": {"github-dev-plan": (GITHUB_ISSUER, f"{prefix}:environment:dev-plan")},
        "llm-dev-github-images": {"github-dev-images": (GITHUB_ISSUER, f"{prefix}:environment:dev-images")},
        "llm-dev-github-apply": {"github-dev": (GITHUB_ISSUER, f"{prefix}:environment:dev")},
    }


def test_a_repository_that_moved_gets_other_credentials_in_place_of_the_old_ones() -> None:
    azure, service = FakeAzure(), FakeGithub()
    run(arranged(azure, github(service)))
    service.subject = {"use_default": True, "sub_claim_prefix": "repo:o@1/r@2"}
    steps = run(arranged(azure, github(service)))
    assert steps[0] == "change repo:o@1/r@2:environment:dev-plan log in as llm-dev-github-plan"
    assert list(azure.credentials["llm-dev-github-plan"].values()) == [
        (GITHUB_ISSUER, "repo:o@1/r@2:environment:dev-plan")
    ]


def test_a_subject_that_nobody_can_tell_is_refused() -> None:
    service = FakeGithub(subject={"use_default": False, "include_claim_keys": ["repo", "actor"]})
    with pytest.raises(OperatorError, match="puts repo, actor into the subject") as refused:
        run(arranged(FakeAzure(), github(service)))
    assert refused.value.code is ExitCode.REFUSED


def test_github_environments_ask_reviewers_and_deploy_from_the_default_branch_alone() -> None:
    service = FakeGithub()
    found = arranged(FakeAzure(), github(service, "anna", "ben"))
    run(found)
    asked = {name: len(made.get("reviewers", [])) for name, made in service.environments.items()}
    assert asked == {"dev-plan": 2, "dev-images": 0, "dev": 2}
    assert service.branches == {"dev-images": ["main"], "dev": ["main"]}
    assert service.variables["dev-plan"] == {
        "AZURE_CLIENT_ID": "client-of-llm-dev-github-plan",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    }
    assert [line for line in found.by_hand() if "reviewers" in line] == []


def test_azure_devops_makes_the_subject_and_the_credential_follows() -> None:
    azure = FakeAzure(registries=[REGISTRY])
    system = AzureDevOps("acme", "LLM platform", "llm-dev", azure.ask, azure.tell)
    run(arranged(azure, system, "azure-devops"))
    assert [item["name"] for item in azure.connections] == ["llm-dev-plan", "llm-dev-images", "llm-dev-apply"]
    plan = azure.connections[0]
    assert plan["authorization"]["scheme"] == "WorkloadIdentityFederation"
    assert plan["authorization"]["parameters"]["serviceprincipalid"] == "client-of-llm-dev-azure-devops-plan"
    assert azure.credentials["llm-dev-azure-devops-plan"] == {
        "azure-devops-llm-dev-plan": (
            f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "/eid1/c/pub/t/t/a/a/sc/org/00000000-0000-0000-0000-000000000001",
        )
    }
    azure.lines.clear()
    assert run(arranged(azure, system, "azure-devops")) == []
    assert azure.writes == []


def test_on_gitlab_only_protected_branches_apply(capsys: pytest.CaptureFixture[str]) -> None:
    azure, service = FakeAzure(), FakeGitlab()
    run(arranged(azure, gitlab(service), "gitlab"))
    issuer, subject = "https://git.example.com", "project_path:g/p:ref_protected:"
    assert set(azure.credentials["llm-dev-gitlab-plan"].values()) == {
        (issuer, f"{subject}true"),
        (issuer, f"{subject}false"),
    }
    for purpose in ("images", "apply"):
        assert set(azure.credentials[f"llm-dev-gitlab-{purpose}"].values()) == {(issuer, f"{subject}true")}
    assert service.project["ci_id_token_sub_claim_components"] == ["project_path", "ref_protected"]
    assert service.variables["ARM_CLIENT_ID", "dev-plan"] == "client-of-llm-dev-gitlab-plan"
    assert service.variables["ARM_CLIENT_ID", "dev"] == "client-of-llm-dev-gitlab-apply"
    service.writes.clear()
    assert run(arranged(azure, gitlab(service), "gitlab")) == []
    assert service.writes == []
    assert service.tokens == {"secret-of-gitlab"}
    assert "secret-of-gitlab" not in "".join(capsys.readouterr())


def test_gitlab_without_a_token_says_which() -> None:
    with pytest.raises(OperatorError, match="GITLAB_TOKEN is not set") as refused:
        run(arranged(FakeAzure(), gitlab(FakeGitlab(), OTHER="x"), "gitlab"))
    assert refused.value.code is ExitCode.NOT_READY


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        (SystemName.GITHUB, "--repository OWNER/NAME"),
        (SystemName.AZURE_DEVOPS, "--organization NAME"),
        (SystemName.GITLAB, "--project GROUP/PROJECT"),
    ],
)
def test_a_system_asks_for_its_project(name: SystemName, missing: str) -> None:
    with pytest.raises(OperatorError, match=missing):
        arrangement(settings(), name, Options())
