"""psql opens in a pod of the databases' namespace: read-only, with the password inside, and the pod goes afterwards."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.applications.database_shell import READ_ONLY, DatabaseShell, pod
from scripts.cli.database import commands as database
from scripts.cli.tools import Tools
from scripts.cluster.api import ClusterApi
from scripts.cluster.kubectl import Kubectl, KubectlError
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.terminals import Nobody, answering
from tests.support.cluster.fake_api import FakeCluster, fake_api

JOB = {
    "metadata": {"namespace": "databases", "name": "prepare-databases-1", "creationTimestamp": "2026-11-30T10:00:00Z"},
    "spec": {
        "template": {
            "metadata": {
                "labels": {
                    "app.kubernetes.io/name": "prepare-databases",
                    "batch.kubernetes.io/job-name": "x",
                    "azure.workload.identity/use": "true",
                }
            },
            "spec": {
                "containers": [
                    {
                        "name": "run",
                        "image": "postgres@sha256:1",
                        "command": ["sh", "/scripts/prepare.sh"],
                        "args": ["open_webui=vector"],
                        "env": [{"name": "SECRETS", "value": "/secrets"}],
                        "volumeMounts": [{"name": "secrets", "mountPath": "/secrets", "readOnly": True}],
                    }
                ],
                "volumes": [{"name": "secrets", "secret": {"secretName": "databases-secrets"}}],
                "restartPolicy": "OnFailure",
                "serviceAccountName": "prepare-databases",
            },
        }
    },
}


@dataclass(frozen=True)
class Recording(Kubectl):
    """Notes what kubectl would do; a shell ends at once."""

    calls: list[tuple[str, ...]] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)
    refuses: str = ""

    def run(self, *arguments: str, given: str | None = None, **_limits: float) -> str:
        self.calls.append(arguments)
        if given:
            self.given.append(json.loads(given))
        if arguments[0] == self.refuses:
            raise KubectlError("timed out waiting for the condition")
        return ""

    def command(self, *arguments: str) -> list[str]:
        self.calls.append(arguments)
        return [sys.executable, "-c", ""]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ClusterApi]:
    cluster = FakeCluster({"jobs": [JOB]})
    with fake_api(cluster, tmp_path) as api:
        yield api


def test_the_session_is_read_only_and_the_password_stays_in_the_pod(api: ClusterApi) -> None:
    kubectl = Recording("c")
    assert DatabaseShell(kubectl, api).open("litellm", write=False) == 0
    (opened,) = [call for call in kubectl.calls if call[0] == "exec"]
    assert opened[-2:] == ("litellm", READ_ONLY)
    assert 'PGPASSWORD=$(cat "$SECRETS/$0")' in opened[-3]
    assert READ_ONLY == "-c default_transaction_read_only=on"
    (made,) = kubectl.given
    assert made["metadata"]["namespace"] == "databases"


def test_a_session_that_may_write_says_so_to_the_server_alone(api: ClusterApi) -> None:
    kubectl = Recording("c")
    DatabaseShell(kubectl, api).open("open_webui", write=True)
    (opened,) = [call for call in kubectl.calls if call[0] == "exec"]
    assert opened[-2:] == ("open_webui", "")


def test_the_pod_goes_also_when_it_never_came(api: ClusterApi) -> None:
    kubectl = Recording("c", refuses="wait")
    with pytest.raises(KubectlError):
        DatabaseShell(kubectl, api).open("open_webui", write=False)
    assert [call[0] for call in kubectl.calls] == ["create", "wait", "delete"]


def test_the_pod_is_the_jobs_but_waits_and_has_neither_job_nor_identity() -> None:
    made = pod(JOB, "llmctl-psql-1")
    (container,) = made["spec"]["containers"]
    assert (container["command"], container["args"]) == (["sleep", "14400"], [])
    assert container["volumeMounts"] == [{"name": "secrets", "mountPath": "/secrets", "readOnly": True}]
    assert ("serviceAccountName" in made["spec"], made["spec"]["automountServiceAccountToken"]) == (False, False)
    assert made["metadata"]["labels"] == {"app.kubernetes.io/name": "prepare-databases"}
    assert (made["spec"]["restartPolicy"], made["spec"]["activeDeadlineSeconds"]) == ("Never", 14_400)


def test_a_cluster_without_the_job_says_what_to_deploy(tmp_path: Path) -> None:
    with fake_api(FakeCluster({"jobs": []}), tmp_path) as api, pytest.raises(OperatorError) as missing:
        DatabaseShell(Recording("c"), api).open("open_webui", write=False)
    assert missing.value.code == ExitCode.NOT_READY


@pytest.mark.parametrize(
    ("words", "terminal", "said", "code"),
    [
        (["--database", "payroll"], answering("dev"), "dev has no database payroll", ExitCode.USAGE),
        ([], Nobody(), "a shell needs a terminal", ExitCode.REFUSED),
        (["--write"], answering("prod"), "not confirmed, so nothing was opened", ExitCode.REFUSED),
    ],
)
def test_what_is_wrong_is_told_before_the_cluster_is_asked(
    words: list[str], terminal: Any, said: str, code: ExitCode
) -> None:
    def never(_name: str) -> Kubectl:
        raise AssertionError("the cluster was asked")

    done: Result = CliRunner().invoke(
        database.app, ["shell", "dev", *words], obj=Tools(kubectl_of=never, terminal=terminal)
    )
    assert isinstance(done.exception, OperatorError)
    assert (done.exception.message, done.exception.code) == (said, code)
