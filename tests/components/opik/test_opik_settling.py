"""The backend waits until every store runs as described: the script, with a kubectl that answers from files."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.components.opik import release, settling
from tests.support.opik.settings import ENVIRONMENTS, Environment, opik_resources, settings_of, store_fingerprints
from tests.support.patience import PATIENCE_S
from tests.support.stacks.components import with_images

_KUBECTL = r"""
import json, pathlib, re, sys
folder = pathlib.Path(FOLDER)
words = sys.argv[1:]
assert words[:4] == ["--namespace", "opik", "--request-timeout", "20s"], words
name, template = words[words.index("get") + 1], words[-1].removeprefix("jsonpath=")
with open(folder / "calls", "a") as calls:
    calls.write(name + "\n")
states = json.loads((folder / (name.replace("/", "-") + ".json")).read_text())
state = states.pop(0) if len(states) > 1 else states[0]
(folder / (name.replace("/", "-") + ".json")).write_text(json.dumps(states or [state]))
if state is None:
    sys.exit(f'Error from server (NotFound): {name} not found')

def value(path):
    found = state
    for key in path.strip(".").split("."):
        found = found.get(key, "") if isinstance(found, dict) else ""
    return str(found)

sys.stdout.write(re.sub(r"\{([^}]*)\}", lambda match: value(match[1]), template))
"""


def workload(fingerprint: str = "new", *, generation: int = 2, wanted: int = 1, **status: Any) -> dict[str, Any]:
    """Return a StatefulSet that has rolled, but for what `status` says."""
    rolled: dict[str, Any] = {
        "observedGeneration": 2,
        "updatedReplicas": 1,
        "readyReplicas": 1,
        "replicas": 1,
        "currentRevision": "r2",
        "updateRevision": "r2",
    }
    annotations = {"platform/configuration": fingerprint}
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": wanted, "template": {"metadata": {"annotations": annotations}}},
        "status": rolled | status,
    }


@pytest.fixture
def settle(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the script; each store goes through its states, one for each question, and keeps the last."""
    program = tmp_path / "kubectl"
    program.write_text(f"#!{sys.executable} -IS\nFOLDER = {str(tmp_path)!r}\n{_KUBECTL}")
    program.chmod(0o755)

    def run(
        states: list[dict[str, Any] | None], installation: list[dict[str, Any] | None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "statefulset-opik-mysql.json").write_text(json.dumps(states))
        completed = [{"status": {"status": "Completed"}}]
        (tmp_path / "clickhouseinstallation-opik-clickhouse.json").write_text(json.dumps(installation or completed))
        return subprocess.run(
            [
                "sh",
                str(settling.SCRIPT),
                "opik",
                "statefulset/opik-mysql=new",
                "clickhouseinstallation/opik-clickhouse",
            ],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "SETTLE_POLL_S": "0"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )

    return run


UNSETTLED = {
    "cannot be asked": None,
    "still has the configuration before this one": workload("old"),
    "has a change that nobody has begun with": workload(generation=3),
    "has 0 new and 1 ready of 1 pods": workload(updatedReplicas=0, currentRevision="r1"),
    "has 1 new and 0 ready of 1 pods": workload(readyReplicas=0),
    "is being rolled out": workload(currentRevision="r1"),
    "is scaled to 0": workload(wanted=0, updatedReplicas=0, readyReplicas=0, replicas=0),
}


@pytest.mark.parametrize("lacking", UNSETTLED)
def test_the_backend_waits_while_a_store(lacking: str, settle: Callable[..., Any]) -> None:
    result = settle([UNSETTLED[lacking], UNSETTLED[lacking], workload()])
    assert result.stdout.splitlines() == [f"waiting: statefulset/opik-mysql {lacking}", "every store has settled"]


@pytest.mark.parametrize("status", ["InProgress", "Aborted", "Terminating", ""])
def test_the_backend_waits_until_the_operator_has_completed_clickhouse(status: str, settle: Callable[..., Any]) -> None:
    said = status or "not there yet"
    result = settle([workload()], [{"status": {"status": status}}, {"status": {"status": "Completed"}}])
    assert result.stdout.splitlines() == [
        f"waiting: clickhouseinstallation/opik-clickhouse is {said}, not Completed",
        "every store has settled",
    ]


def test_a_store_that_rolls_back_while_another_settles_is_waited_for_again(settle: Callable[..., Any]) -> None:
    result = settle(
        [workload(), workload(readyReplicas=0), workload()], [None, None, {"status": {"status": "Completed"}}]
    )
    assert "opik-mysql has 1 new and 0 ready of 1 pods" in result.stdout
    assert result.stdout.endswith("every store has settled\n")


def test_settled_stores_are_passed_at_once(settle: Callable[..., Any], tmp_path: Path) -> None:
    assert settle([workload()]).stdout == "every store has settled\n"
    asked = (tmp_path / "calls").read_text().split()
    assert asked == ["statefulset/opik-mysql", "clickhouseinstallation/opik-clickhouse"]


def test_an_upgrade_gives_every_store_a_new_fingerprint_and_the_backend_waits_for_it() -> None:
    """The chart's version stands for its defaults, which may roll a store though no value of ours changed."""
    before, after = settings_of(), settings_of(opik={"version": "2.1.30"})
    old, new = (store_fingerprints(settings) for settings in (before, after))
    assert set(old) == {"mysql", "redis", "minio", "zookeeper", "clickhouse"}
    assert not set(old.values()) & set(new.values())
    waits = release.opik(*with_images(after))["component"]["backend"]["initContainers"][0]["args"]
    assert f"statefulset/opik-mysql={new['mysql']}" in waits
    assert f"statefulset/chi-opik-clickhouse-cluster-0-0={new['clickhouse']}" in waits


@pytest.mark.parametrize(
    "change", [{"replicas": 3, "max_replicas": 3}, {"login_replicas": 2}, {"max_replicas": 4}], ids=str
)
def test_what_concerns_no_store_restarts_none(change: dict[str, int]) -> None:
    assert store_fingerprints(settings_of(opik=change)) == store_fingerprints(settings_of())


def test_a_larger_disk_restarts_clickhouse_alone_whose_claim_template_says_the_size() -> None:
    grown = store_fingerprints(settings_of(disks={"clickhouse_gib": 999, "mysql_gib": 999}))
    before = store_fingerprints(settings_of())
    assert {name for name in before if before[name] != grown[name]} == {"clickhouse"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_backends_account_may_read_the_stores_by_name_and_nothing_else(environment: Environment, name: str) -> None:
    (role,) = opik_resources(environment, name, "role").values()
    assert role["rule"] == [
        {
            "api_groups": ["apps"],
            "resources": ["statefulsets"],
            "resource_names": [
                "opik-mysql",
                "opik-redis-master",
                "opik-zookeeper",
                "chi-opik-clickhouse-cluster-0-0",
            ],
            "verbs": ["get"],
        },
        {"api_groups": ["apps"], "resources": ["deployments"], "resource_names": ["opik-minio"], "verbs": ["get"]},
        {
            "api_groups": ["clickhouse.altinity.com"],
            "resources": ["clickhouseinstallations"],
            "resource_names": ["opik-clickhouse"],
            "verbs": ["get"],
        },
    ]
    (binding,) = opik_resources(environment, name, "role_binding").values()
    assert [subject["kind"] for subject in binding["subject"]] == ["ServiceAccount"]
    accounts = opik_resources(environment, name, "service_account")
    assert {
        account["metadata"]["name"]: account["automount_service_account_token"] for account in accounts.values()
    } == {
        "opik": False,
        "opik-backend": False,
    }


def test_rights_and_account_are_there_before_the_release(environment: Environment) -> None:
    needs = environment("dev").resources("platform", "helm_release")["opik"]["depends_on"]
    assert {
        "kubernetes_role_binding_v1.opik-backend-role-binding",
        "kubernetes_service_account_v1.opik-backend-account",
    } <= set(needs)
