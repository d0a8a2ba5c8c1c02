"""Opik through kubectl: the right cluster, migration histories, logs, health, forwarded ports; each of them failing."""

import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.access.port_forward import FORWARDS, Name, keep_forwarding
from scripts.cluster import pod_logs
from scripts.cluster.kubectl import Kubectl, KubectlError, connect, find_context
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.changelog import ANALYTICS, STATE, ChangeSetId
from scripts.opik.cluster import OpikCluster
from scripts.opik.health import inside_checks
from scripts.opik.migration_log import MigrationLog
from scripts.opik.versions import Version
from tests.support.cli.fake_tools import API_URL, CONTEXT, Tools, backend_pod, install, kubeconfig, workload
from tests.support.cli.helm_history import revision
from tests.support.opik.frontend import frontend
from tests.support.patience import PATIENCE_S

MYSQL, CLICKHOUSE = "exec-opik-mysql-0", "exec-chi-opik-clickhouse-cluster-0-0-0"
KUBECTL = Kubectl(CONTEXT)
CLUSTER = OpikCluster(KUBECTL)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    return install(tmp_path / "tools", monkeypatch)


def test_kubectl_works_on_the_environments_cluster_whatever_the_current_context(tools: Tools) -> None:
    tools.write("kubeconfig.json", kubeconfig(current="other-context"))
    assert connect(API_URL, "group", "cluster") == KUBECTL


def test_the_current_context_wins_among_several_for_the_same_cluster() -> None:
    configuration = kubeconfig(current="admin")
    configuration["contexts"].append({"name": "admin", "context": {"cluster": "mine", "user": "admin"}})
    assert find_context(configuration, API_URL.removesuffix(":443")) == "admin"


@pytest.mark.parametrize("configuration", [{}, {"clusters": None, "contexts": None}, kubeconfig()])
def test_an_unknown_cluster_is_answered_with_the_command_that_makes_it_known(
    tools: Tools, configuration: object
) -> None:
    tools.write("kubeconfig.json", configuration)
    with pytest.raises(OperatorError, match="knows no cluster at https://gone") as refusal:
        connect("https://gone.example.org", "llm-dev-aks", "llm-dev")
    assert "az aks get-credentials --resource-group llm-dev-aks --name llm-dev" in refusal.value.fix
    assert refusal.value.code == ExitCode.NOT_READY


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="compares with the real kubectl")
def test_the_real_kubectl_prints_the_configuration_as_expected(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(json.dumps(kubeconfig(current="other-context")).replace("DATA+OMITTED", "QQ=="))
    printed = subprocess.run(
        ["kubectl", "--kubeconfig", str(path), "config", "view", "-o", "json"], capture_output=True, check=True
    ).stdout
    assert find_context(json.loads(printed), API_URL) == CONTEXT


def test_a_missing_kubectl_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (lambda: connect(API_URL, "g", "c"), lambda: KUBECTL.run("get", "pods"), lambda: KUBECTL.follow("logs")):
        with pytest.raises(OperatorError, match="not installed") as refusal:
            ask()
        assert refusal.value.code == ExitCode.NOT_READY


def test_the_history_is_read_from_the_releases_records_alone(tools: Tools) -> None:
    tools.items("secrets,configmaps", revision(1, "2.1.23", "deployed"))
    assert [entry.version for entry in CLUSTER.history()] == [Version(2, 1, 23)]
    assert tools.calls[0][-4:-2] == ["-l", "owner=helm,name=opik"]


def test_refused_access_is_told_in_kubectls_own_words(tools: Tools) -> None:
    with pytest.raises(KubectlError, match="secrets,configmaps is forbidden"):
        CLUSTER.history()
    assert tools.calls


def test_both_ledgers_are_read_and_no_password_leaves_its_pod(tools: Tools) -> None:
    tools.write(MYSQL, "me\t000001_a\n")
    tools.write(CLICKHOUSE, "you\t000002_b\n")
    assert CLUSTER.migration_history() == {
        ChangeSetId(STATE, "me", "000001_a"),
        ChangeSetId(ANALYTICS, "you", "000002_b"),
    }
    scripts = [word for call in tools.calls for word in call if "MYSQL_PWD" in word]
    assert scripts
    assert all('MYSQL_PWD="$MYSQL_PASSWORD"' in script for script in scripts)
    assert {call[-1] for call in tools.calls} == {
        "SELECT AUTHOR, ID FROM opik.DATABASECHANGELOG",
        "SELECT AUTHOR, ID FROM default.DATABASECHANGELOG",
    }


@pytest.mark.parametrize(
    ("state", "analytics"), [("me\ta\n", None), (None, "me\ta\n"), ("", "me\ta\n"), ("me\ta\n", "?")]
)
def test_half_a_ledger_is_no_ledger(tools: Tools, state: str | None, analytics: str | None) -> None:
    for name, text in ((MYSQL, state), (CLICKHOUSE, analytics)):
        if text is not None:
            tools.write(name, text)
    with pytest.raises(OperatorError):
        CLUSTER.migration_history()


def problems(version: str = "2.1.23") -> dict[str, str]:
    return {check.name: check.problem for check in inside_checks(CLUSTER, Version.parse(version)) if check.problem}


def test_health_asks_pods_page_backend_stores_and_version(tools: Tools) -> None:
    tools.opik(workload("opik-backend"), workload("opik-mysql"))
    with frontend(tools):
        names = [check.name for check in inside_checks(CLUSTER, Version(2, 1, 23))]
        assert problems() == {}
    assert names == ["pods", "page", "backend", "backend: mysql", "backend: clickhouse", "version 2.1.23"]


def test_what_is_not_healthy_is_named(tools: Tools) -> None:
    tools.opik(workload("opik-backend", 0, 2), workload("opik-mysql"))
    stores = [{"name": "mysql", "healthy": False, "critical": True}]
    with frontend(tools, version="2.1.20", stores=stores, status=503):
        assert problems() == {
            "pods": "not ready: opik-backend 0/2",
            "backend": "answers 503",
            "backend: mysql": "is not healthy",
            "version 2.1.20": "the server is 2.1.20, deployed is 2.1.23",
        }


UNSETTLED: dict[str, dict[str, Any]] = {
    "opik-backend has a change that nobody has begun with": {"observedGeneration": 2},
    "opik-backend has replaced 0 of 1 pods": {"updatedReplicas": 0},
    "opik-backend still has pods from before its last change": {"replicas": 2},
    "opik-backend is being rolled out": {"currentRevision": "a", "updateRevision": "b"},
}


@pytest.mark.parametrize("lacking", UNSETTLED)
def test_ready_pods_of_before_a_change_are_not_health(lacking: str, tools: Tools) -> None:
    tools.opik(workload("opik-backend", **UNSETTLED[lacking]))
    with frontend(tools):
        assert problems() == {"pods": f"not ready: {lacking}"}


@pytest.mark.parametrize(
    ("state", "said"), [("InProgress", "InProgress"), ("Aborted", "Aborted"), ("", "not there yet")]
)
def test_clickhouse_is_not_well_before_its_operator_is_done(state: str, said: str, tools: Tools) -> None:
    tools.opik(workload("opik-backend"), clickhouse=state)
    with frontend(tools):
        assert problems() == {"pods": f"not ready: opik-clickhouse is {said}, not Completed"}


@pytest.mark.parametrize("stores", ["text", 3, {"code": 404}, [], ["mysql"]])
def test_an_answer_that_is_no_health_is_not_taken_for_health(tools: Tools, stores: object) -> None:
    tools.opik()
    with frontend(tools, stores=stores):
        assert problems() == {"backend": "answers with something else than its health"}


def test_no_cluster_and_no_service_are_told_without_a_traceback(tools: Tools) -> None:
    assert "forbidden" in problems()["pods"]
    tools.opik()
    assert 'services "opik-frontend" not found' in problems()["page"]


def test_a_port_forward_ends_with_its_use(tools: Tools) -> None:
    tools.write("forward-port", "4711")
    with KUBECTL.forwarded("opik", "opik-frontend", 5173) as base:
        assert base == "http://127.0.0.1:4711"
    assert tools.calls[0][3:] == ["port-forward", "--address", "127.0.0.1", "-n", "opik", "svc/opik-frontend", ":5173"]


def test_forwarding_comes_back_over_restarts_and_gives_up_when_the_service_stays_away(tools: Tools) -> None:
    tools.write("forward-ends", "2")
    ready: list[int] = []
    with pytest.raises(OperatorError, match="pod does not exist"):
        keep_forwarding(KUBECTL, FORWARDS[Name.OPIK], 5173, ready.append, retry_s=0, attempts=2)
    assert ready == [5173, 5173]
    assert len(tools.calls) == 4


def test_forwarding_that_never_stood_is_not_tried_again(tools: Tools) -> None:
    tools.write("forward-ends", "0")
    with pytest.raises(OperatorError) as refusal:
        keep_forwarding(KUBECTL, FORWARDS[Name.OPIK], 5173, lambda _port: None, retry_s=0)
    assert "--port" in refusal.value.fix
    assert len(tools.calls) == 1


LOG = (
    "Running database migrations...\n"
    "INFO liquibase.changelog: Running Changeset: liquibase/db-app-state/migrations/000050_x.sql::000050_x::me\n"
    "INFO liquibase.changelog: ChangeSet liquibase/db-app-state/migrations/000050_x.sql::000050_x::me ran\n"
    "INFO liquibase.ui: Running Changeset: liquibase/db-app-analytics/migrations/000090_y.sql::000090_y::you\n"
    "Database migrations completed successfully\n"
)


def follow(tools: Tools, path: Path, *pods: object) -> tuple[MigrationLog, list[str]]:
    said: list[str] = []
    ended = threading.Event()

    def tell(line: str) -> None:
        said.append(line)
        if line.startswith("Database migrations"):
            ended.set()

    tools.items("pods", backend_pod("old"))
    with MigrationLog(KUBECTL, path, tell, poll_s=0.01) as log:
        tools.items("pods", backend_pod("old"), *pods)
        assert ended.wait(PATIENCE_S)
    return log, said


def test_migrations_of_new_pods_are_followed_and_told_once(tools: Tools, tmp_path: Path) -> None:
    tools.write("logs-new", LOG)
    tools.write("logs-old", "must not be read")
    log, said = follow(
        tools, tmp_path / "logs" / "m.log", backend_pod("new", "terminated"), backend_pod("w", "waiting")
    )
    assert log.migrated == ["000050_x", "000090_y"]
    assert said == ["migrating: 000050_x", "migrating: 000090_y", "Database migrations completed successfully"]
    assert (tmp_path / "logs" / "m.log").read_text() == "".join(f"new: {line}\n" for line in LOG.splitlines())


def test_a_log_that_goes_on_does_not_hold_up_the_end(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_logs, "GRACE_S", 0.05)
    tools.write("logs-new", LOG)
    tools.write("logs-go-on", "")
    log, _ = follow(tools, tmp_path / "m.log", backend_pod("new"))
    assert log.migrated == ["000050_x", "000090_y"]


def test_a_container_that_starts_again_is_followed_again(tools: Tools, tmp_path: Path) -> None:
    tools.write("logs-old", LOG)
    log, _ = follow(tools, tmp_path / "m.log", backend_pod("old", restarts=1))
    assert log.migrated == ["000050_x", "000090_y"]


def test_following_is_a_service_and_fails_nothing(tmp_path: Path) -> None:
    class Refusing(Kubectl):
        def items(self, *_arguments: str) -> list[dict[str, Any]]:
            if threading.current_thread() is not threading.main_thread():
                asked.set()
            raise KubectlError("pods is forbidden")

    asked = threading.Event()
    with MigrationLog(Refusing(CONTEXT), tmp_path / "m.log", lambda _text: None, poll_s=0.01) as log:
        assert asked.wait(PATIENCE_S)
    assert log.migrated == []
