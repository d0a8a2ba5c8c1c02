"""How a job logs in to Azure on each pipeline service: scripts/ci/azure-login against a fake az and curl."""

import json
from pathlib import Path

import pytest

from tests.support.ci.programs import Programs

AZ = """
token = [word for word in words if word.startswith("@")]
if token:
    path = pathlib.Path(token[0][1:])
    (folder / "token").write_text(f"{path.read_text()} {path.stat().st_mode & 0o777:o}")
"""
CURL = """
(folder / "config").write_text(sys.stdin.read())
print(json.dumps({"value": "the-identity-of-the-job", "oidcToken": "the-identity-of-the-job"}))
"""
IDENTITY = {"ARM_CLIENT_ID": "c", "ARM_TENANT_ID": "t", "ARM_SUBSCRIPTION_ID": "s"}


def test_a_job_logs_in_by_its_own_identity_and_no_token_is_an_argument(tmp_path: Path) -> None:
    programs = Programs(tmp_path, az=AZ, curl=CURL)
    variables = tmp_path / "env"
    done = programs.run(
        "azure-login", ACTIONS_ID_TOKEN_REQUEST_URL="https://token.example?x=1",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="request-token", GITHUB_ENV=str(variables), **IDENTITY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "token").read_text() == "the-identity-of-the-job 600"
    assert (tmp_path / "config").read_text() == 'header = "Authorization: bearer request-token"\n'
    everything = json.dumps(programs.calls) + done.stdout + done.stderr + variables.read_text()
    assert "request-token" not in everything
    assert "the-identity-of-the-job" not in everything
    assert "https://token.example?x=1&audience=api://AzureADTokenExchange" in everything
    assert "ARM_USE_OIDC=true" in variables.read_text()
    assert [path for path in tmp_path.iterdir() if path.name.startswith("tmp")] == []


def test_a_job_of_azure_devops_asks_by_post_for_its_connection(tmp_path: Path) -> None:
    programs = Programs(tmp_path, az=AZ, curl=CURL)
    done = programs.run(
        "azure-login", SYSTEM_OIDCREQUESTURI="https://dev.example/oidctoken", SYSTEM_ACCESSTOKEN="job-secret",
        ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID="connection", **IDENTITY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "token").read_text() == "the-identity-of-the-job 600"
    assert (tmp_path / "config").read_text() == 'header = "Authorization: Bearer job-secret"\n'
    (call,) = (words for words in programs.calls if words[0] == "curl")
    assert call[call.index("--request") + 1] == "POST"
    assert call[-1] == "https://dev.example/oidctoken?api-version=7.1&serviceConnectionId=connection"
    assert "job-secret" not in json.dumps(programs.calls)


def test_a_job_of_gitlab_presents_its_id_token(tmp_path: Path) -> None:
    programs = Programs(tmp_path, az=AZ, curl=CURL)
    done = programs.run("azure-login", ARM_OIDC_TOKEN="gitlab-token", **IDENTITY)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "token").read_text() == "gitlab-token 600"
    assert [words[0] for words in programs.calls] == ["az", "az"]


@pytest.mark.parametrize("missing", [*IDENTITY, "ACTIONS_ID_TOKEN_REQUEST_URL"])
def test_a_login_that_cannot_work_says_what_is_missing(missing: str, tmp_path: Path) -> None:
    programs = Programs(tmp_path, az=AZ, curl=CURL)
    given = IDENTITY | {"ACTIONS_ID_TOKEN_REQUEST_URL": "u", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
    done = programs.run("azure-login", **{name: value for name, value in given.items() if name != missing})
    assert done.returncode == 1
    assert ("id-token: write" if missing.startswith("ACTIONS") else missing) in done.stderr
    assert programs.calls == []
