"""A model that lists several pools, on a real API with its scheduler, admission and disruption controllers.

The chart of vLLM and that of the job are installed as the stack passes them; nodes come and go as Azure's would, and
the job's own program runs with the rights of its own account, at times that the test says.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.engines import Engines
from scripts.lab.kube.api import MERGE, Api, Object
from scripts.lab.kube.nodes import nodes
from stacks.platform.common.catalogue import own_chart, values_files
from stacks.platform.components.serving import vllm
from stacks.platform.components.serving.engines import SERVING, vllm_engines
from stacks.platform.components.spill_over.release import RELEASE, spill_over
from stacks.settings import Settings, parse_settings
from tests.support.cluster.real_cluster import helm, running
from tests.support.patience import PATIENCE_S
from tests.support.serving.spill_over_program import program
from tests.support.stacks.components import images_of

pytestmark = pytest.mark.cluster
FILE = Path(__file__).parents[1] / "environments" / "valid.several_pools.yaml"
ENGINE = "vllm-small"
BEGIN = datetime(2026, 12, 5, 8, tzinfo=UTC)
POOL = "kubernetes.azure.com/agentpool"


@dataclass
class Stage:
    """The cluster, and the job that runs when a test says so."""

    api: Api
    settings: Settings
    folder: Path
    now: datetime = BEGIN

    def job(self, **later: float) -> dict[str, Any]:
        """Run the job, after so much time; return what it noted."""
        self.now += timedelta(**later)
        plan = json.loads(self.read("ConfigMap", RELEASE, f"{RELEASE}-program")["data"]["plan.json"])
        run = program("run")
        state: dict[str, Any] = run.run(
            run.Api(self.api.url, self.folder / "account"), plan, self.now, RELEASE, SERVING
        )
        return state

    def read(self, kind: str, namespace: str, name: str) -> Object:
        """Return an object."""
        version = "apps/v1" if kind == "Deployment" else "v1"
        return self.api.get({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}})

    def pods(self) -> list[Object]:
        """Return the engine's pods that are to stay."""
        found = self.api.list("v1", "Pod", SERVING)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def pool(self) -> str:
        """Return the pool on which the engine's only pod runs; empty while it is on none."""
        if len(found := self.pods()) != 1 or not (node := found[0]["spec"].get("nodeName")):
            return ""
        return str(
            self.api.get({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})["metadata"]["labels"][POOL]
        )

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """Wait until `done`."""
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, (what, self.pods())
            time.sleep(0.2)

    def nodes_of(self, pool: str) -> list[Object]:
        """Return the nodes that a pool would have."""
        found = nodes(self.settings.cluster, self.settings.azure)
        return [node for node in found if node["metadata"]["labels"][POOL] == pool]

    def evict(self, pool: str) -> None:
        """Take the pool's nodes and what ran there, as Azure does with spot nodes."""
        names = {node["metadata"]["name"] for node in self.nodes_of(pool)}
        for node in self.nodes_of(pool):
            self.api.delete(node)
        for pod in self.api.list("v1", "Pod", SERVING):
            if pod["spec"].get("nodeName") in names:
                self.api.delete({"apiVersion": "v1", "kind": "Pod", **pod}, gracePeriodSeconds=0)

    def bring(self, pool: str) -> None:
        """Bring the pool's nodes, as the autoscaler does."""
        for node in self.nodes_of(pool):
            self.api.create(node)

    def until_the_policy_knows(self, *, spent: bool) -> None:
        """Wait until new pods are held or not, for which the three minutes between runs are more than enough."""
        spec = self.pods()[0]["spec"]
        asked = {key: value for key, value in spec.items() if key not in {"nodeName", "nodeSelector"}}
        metadata = {"name": "tried", "namespace": SERVING, "labels": {"app.kubernetes.io/instance": ENGINE}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": asked}
        self.wait(lambda: ("nodeSelector" in self.api.create(pod, dry_run=True)["spec"]) is spent, "not known")

    def holder(self) -> Object:
        """Return the place holder of the engine."""
        return self.read("Deployment", RELEASE, ENGINE)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a cluster with the engine at one replica and the job installed."""
    # No share to mount: nothing here makes its volume.
    text = FILE.read_text().replace("serving:\n", "serving:\n  model_store: node-disk\n")
    settings = parse_settings(text, FILE.name)
    with running(tmp_path, settings) as alive:
        assert alive.cluster
        for namespace in (SERVING, RELEASE):
            labels = {"pod-security.kubernetes.io/enforce": "restricted"}
            alive.api.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
            )
        found = Stage(alive.api, settings, tmp_path)
        client, (engine, *_) = helm(alive, tmp_path), vllm_engines(settings.models, settings.cluster)
        images = images_of(settings)
        wired = {
            ("vllm", ENGINE, SERVING): vllm.vllm(settings.cluster, settings.serving, images, engine) | {"replicas": 1},
            (RELEASE, RELEASE, RELEASE): spill_over(settings, images),
        }
        for (chart, name, namespace), values in wired.items():
            release = {
                "name": name,
                "namespace": namespace,
                "values": [*(file.read_text() for file in values_files(chart, ())), json.dumps(values)],
            }
            client.apply("install", release, str(own_chart(chart)), timeout_s=int(PATIENCE_S))
        _account(found, alive.cluster.files.authority.read_text())
        yield found


def _account(stage: Stage, authority: str) -> None:
    """Write the folder of the job's account as a pod has it."""
    path = f"/api/v1/namespaces/{RELEASE}/serviceaccounts/{RELEASE}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    folder = stage.folder / "account"
    folder.mkdir()
    (folder / "token").write_text(stage.api.request("POST", path, asked)["status"]["token"])
    (folder / "ca.crt").write_text(authority)


def test_a_model_goes_to_the_next_pool_when_its_node_is_evicted_and_back_when_there_is_one_again(stage: Stage) -> None:
    stage.wait(lambda: stage.pool() == "spot", "does not prefer its first pool")
    stage.job()

    stage.evict("spot")
    stage.wait(lambda: stage.pool() == "regular", "does not go to the next pool")
    assert stage.job(minutes=3)["engines"][ENGINE]["runsOn"] == ["regular"]
    assert stage.holder()["spec"]["replicas"] == 0

    # An hour later Azure is asked, and has none: the engine stays where it is, and the next hour asks again.
    stage.job(minutes=60)
    assert stage.holder()["spec"]["replicas"] == 1
    stage.job(minutes=20)
    assert stage.holder()["spec"]["replicas"] == 0
    assert stage.pool() == "regular"

    stage.job(minutes=60)
    stage.bring("spot")
    stage.wait(lambda: stage.holder()["status"].get("readyReplicas") == 1, "finds no room on its first pool")
    assert stage.pool() == "regular"
    stage.job(minutes=3)
    stage.wait(lambda: not stage.api.list("v1", "Pod", RELEASE), "the place holder stays")
    stage.job(minutes=3)
    stage.wait(lambda: stage.pool() == "spot", "does not come back")
    assert stage.job(minutes=3)["engines"][ENGINE] == {"runsOn": ["spot"]}


def test_with_the_hours_spent_a_model_waits_for_its_first_pool_until_the_month_ends(stage: Stage) -> None:
    stage.wait(lambda: stage.pool() == "spot", "does not prefer its first pool")
    stage.job()
    stage.evict("spot")
    stage.wait(lambda: stage.pool() == "regular", "does not go to the next pool")
    _spend(stage, hours=39.9)
    assert stage.job(minutes=15)["closed"] == "true"
    stage.until_the_policy_knows(spent=True)
    stage.job(minutes=3)
    stage.wait(lambda: len(stage.pods()) == 1 and POOL in stage.pods()[0]["spec"].get("nodeSelector", {}), "not held")

    (pod,) = stage.pods()
    assert pod["spec"]["nodeSelector"] == {POOL: "spot"}
    stage.wait(lambda: bool(stage.pods()[0]["status"].get("conditions")), "the scheduler has not looked")
    (shown,) = Engines(_Listed(stage)).pods(vllm_engines(stage.settings.models, stage.settings.cluster)[:1])  # type: ignore[arg-type]
    assert not shown.node
    assert shown.trouble.startswith(
        "waits for pool spot alone: the 40 node hours a month of later pools (serving.spill_over.node_hours_per_month)"
        " are spent; 0/"
    )

    stage.bring("spot")
    stage.wait(lambda: stage.pool() == "spot", "does not run on its first pool")
    stage.evict("spot")
    stage.wait(lambda: len(stage.pods()) == 1 and not stage.pool(), "runs elsewhere")

    assert stage.job(days=30)["closed"] == "false"
    stage.until_the_policy_knows(spent=False)
    stage.job(minutes=3)
    stage.wait(lambda: stage.pool() == "regular", "is held beyond the month")


@dataclass
class _Listed:
    """What is asked of kubectl, answered by the API."""

    stage: Stage

    def items(self, kind: str, *_: str) -> list[Object]:
        assert kind == "pods"
        return self.stage.api.list("v1", "Pod", SERVING)


def _spend(stage: Stage, *, hours: float) -> None:
    notes = stage.read("ConfigMap", RELEASE, RELEASE)
    state = json.loads(notes["data"]["state"]) | {"seconds": int(hours * 3600)}
    stage.api.request("PATCH", stage.api.path_of(notes), {"data": {"state": json.dumps(state)}}, content_type=MERGE)
