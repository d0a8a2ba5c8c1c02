"""What the job decides for models with several pools: hours counted, pods held to a spent budget, the way back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.serving.spill_over_program import program

Object = dict[str, Any]
POOL = "kubernetes.azure.com/agentpool"
NOW = datetime(2026, 12, 5, 8, tzinfo=UTC)
ENGINE = {"name": "vllm-small", "pools": ["spot", "regular"]}
PLAN = {"engines": [ENGINE], "hours": 40, "returnMinutes": 60, "shared": []}
NODES = [
    {"metadata": {"name": f"aks-{pool}", "labels": {POOL: pool}, "creationTimestamp": "2026-12-05T00:00:00Z"}}
    for pool in ("spot", "regular")
]


def pod(name: str = "small", node: str = "", *, pinned: bool = False, **metadata: str) -> Object:
    labels = {"app.kubernetes.io/instance": "vllm-small"}
    spec: Object = {"nodeName": node} if node else {}
    made = {"name": name, "labels": labels, "creationTimestamp": "2026-12-05T07:00:00Z", **metadata}
    return {"metadata": made, "spec": spec | ({"nodeSelector": {POOL: "spot"}} if pinned else {})}


def holder(replicas: int, ready: int = 0) -> dict[str, Object]:
    return {"vllm-small": {"spec": {"replicas": replicas}, "status": {"readyReplicas": ready}}}


def decide(
    before: Object, *pods: Object, now: datetime = NOW, nodes: list[Object] | None = None, **given: Any
) -> tuple[Object, list[str], dict[str, int]]:
    held, plan = given.pop("holders", holder(0)), PLAN | given
    state, evicted, replicas = program("decide").decide(
        plan, now, before, nodes=NODES if nodes is None else nodes, pods=list(pods), holders=held
    )
    return state, [each["metadata"]["name"] for each in evicted], replicas


def noted(seconds: int, *, closed: bool = False, minutes_ago: int = 3, **engine: Any) -> Object:
    return {
        "month": "2026-12",
        "seconds": seconds,
        "countedAt": (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "closed": str(closed).lower(),
        "engines": {"vllm-small": engine},
    }


ON_REGULAR = pod(node="aks-regular")
ON_SPOT = pod(node="aks-spot")


def test_nodes_of_later_pools_are_counted_while_they_are_paid_for() -> None:
    assert decide(noted(100), ON_REGULAR)[0]["seconds"] == 280
    # Also while it starts or rests: nobody else is there for it.
    assert decide(noted(100))[0]["seconds"] == 280
    assert decide(noted(100), ON_SPOT, nodes=NODES[:1])[0]["seconds"] == 100


def test_a_pool_that_others_have_for_themselves_is_counted_only_where_a_moved_model_runs() -> None:
    assert decide(noted(100), ON_SPOT, shared=["regular"])[0]["seconds"] == 100
    assert decide(noted(100), ON_REGULAR, shared=["regular"])[0]["seconds"] == 280


def test_two_models_on_one_node_cost_one_node() -> None:
    assert decide(noted(0), ON_REGULAR, pod("other", node="aks-regular"))[0]["seconds"] == 180


def test_a_node_counts_from_when_it_came() -> None:
    young = [NODES[0], {"metadata": NODES[1]["metadata"] | {"creationTimestamp": "2026-12-05T07:59:00Z"}}]
    assert decide(noted(0), ON_REGULAR, nodes=young)[0]["seconds"] == 60


def test_hours_in_which_the_cluster_was_stopped_are_not_counted() -> None:
    assert decide(noted(0, minutes_ago=7 * 60), ON_REGULAR)[0]["seconds"] == 15 * 60


def test_a_month_begins_with_nothing_spent() -> None:
    before = noted(40 * 3600, closed=True) | {"month": "2026-11"}
    state, evicted, _ = decide(before, pod(pinned=True))
    assert (state["month"], state["seconds"], state["closed"]) == ("2026-12", 180, "false")
    assert evicted == []
    assert decide(state, pod(pinned=True))[1] == ["small"]


def test_spent_hours_send_models_away_from_later_pools_once_the_policy_knows() -> None:
    state, evicted, _ = decide(noted(40 * 3600 - 60), ON_REGULAR)
    assert (state["closed"], evicted) == ("true", [])
    waiting, held = pod("waiting"), pod("held", pinned=True)
    spot = pod("spot", node="aks-spot")
    assert decide(state, ON_REGULAR, waiting, held, spot)[1] == ["small", "waiting"]


def test_without_a_budget_nothing_is_ever_held() -> None:
    state, evicted, _ = decide(noted(10**7), ON_REGULAR, hours=None)
    assert (state["closed"], evicted) == ("false", [])


def test_the_first_pool_is_asked_for_at_each_interval_and_not_before() -> None:
    state, _, replicas = decide(noted(0), ON_REGULAR)
    assert replicas == {}
    assert state["engines"]["vllm-small"] == {"laterSince": "2026-12-05T08:00:00Z", "runsOn": ["regular"]}
    assert decide(state, ON_REGULAR, now=NOW + timedelta(minutes=59))[2] == {}
    assert decide(state, ON_REGULAR, now=NOW + timedelta(minutes=60))[2] == {"vllm-small": 1}


def test_no_node_within_twenty_minutes_is_none_until_the_next_interval() -> None:
    asked = noted(0, laterSince="2026-12-05T06:00:00Z", triedAt="2026-12-05T07:45:00Z")
    assert decide(asked, ON_REGULAR, holders=holder(1))[2] == {}
    later = NOW + timedelta(minutes=5)
    state, evicted, replicas = decide(asked, ON_REGULAR, holders=holder(1), now=later)
    assert (evicted, replicas) == ([], {"vllm-small": 0})
    assert decide(state, ON_REGULAR, now=later + timedelta(minutes=39))[2] == {}
    assert decide(state, ON_REGULAR, now=later + timedelta(minutes=40))[2] == {"vllm-small": 1}


def test_room_on_the_first_pool_moves_one_pod_after_the_place_holder_has_made_way() -> None:
    asked = noted(0, laterSince="2026-12-05T06:00:00Z", triedAt="2026-12-05T07:55:00Z")
    both = (ON_REGULAR, pod("second", node="aks-regular"))
    state, evicted, replicas = decide(asked, *both, holders=holder(1, ready=1))
    assert (evicted, replicas) == ([], {"vllm-small": 0})
    state, evicted, replicas = decide(state, *both)
    assert (evicted, replicas) == (["small"], {})
    # The second one does not wait for another interval: there is capacity.
    assert decide(state, both[1])[2] == {"vllm-small": 1}


def test_a_model_that_went_to_zero_or_back_asks_for_nothing() -> None:
    asked = noted(0, laterSince="2026-12-05T06:00:00Z", triedAt="2026-12-05T07:55:00Z")
    for pods in ((), (ON_SPOT,)):
        state, evicted, replicas = decide(asked, *pods, holders=holder(1))
        assert (evicted, replicas) == ([], {"vllm-small": 0})
        assert "laterSince" not in state["engines"]["vllm-small"]


def test_a_pod_that_ends_already_is_left_alone() -> None:
    ending = pod(node="aks-regular", deletionTimestamp="2026-12-05T07:59:00Z")
    assert decide(noted(40 * 3600, closed=True), ending)[1] == []


def test_people_are_told_since_when_a_model_waits() -> None:
    state, *_ = decide({}, pod())
    assert state["engines"]["vllm-small"] == {"runsOn": [], "waitsSince": "2026-12-05T07:00:00Z"}


def test_with_the_hours_spent_nobody_asks_for_a_node_to_go_back_to() -> None:
    asked = noted(40 * 3600, closed=True, laterSince="2026-12-05T06:00:00Z", triedAt="2026-12-05T07:55:00Z")
    state, evicted, replicas = decide(asked, ON_REGULAR, holders=holder(1, ready=1))
    assert (evicted, replicas) == (["small"], {"vllm-small": 0})
    assert "room" not in state["engines"]["vllm-small"]


def test_a_pod_that_was_held_to_its_first_pool_and_runs_there_stays_in_the_next_month() -> None:
    running = pod(node="aks-spot", pinned=True)
    assert decide(noted(0), running)[1] == []
