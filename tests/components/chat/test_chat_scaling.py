"""The chat scales between its bounds, inside its quota and the connections that are counted."""

import math

import pytest

from stacks.settings import load_settings
from stacks.settings.azure_catalog.sizes import postgresql_user_connections
from stacks.settings.rules.database import connections_of_a_chat_pod
from tests.support.chat.values import chat_values, chat_variables, settings_with
from tests.support.stacks.components import namespaces


def test_never_two_versions_on_one_database() -> None:
    values = chat_values(settings_with())
    assert values["workload"] == {"kind": "Deployment"}
    assert values["strategy"] == {"type": "Recreate"}


def test_a_deployment_asks_for_the_autoscalers_minimum() -> None:
    # Without a number the chart renders an empty key, which every upgrade takes for one pod.
    assert chat_values(load_settings("dev"))["replicaCount"] == 2
    assert chat_values(load_settings("prod"))["replicaCount"] == 3


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_autoscaler_and_budget_follow_the_settings(name: str) -> None:
    settings = load_settings(name)
    autoscaler, budget = chat_values(settings)["extraResources"]
    assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (
        settings.chat.replicas,
        settings.chat.max_replicas,
    )
    assert autoscaler["spec"]["scaleTargetRef"]["name"] == "open-webui"
    assert budget["spec"]["maxUnavailable"] == 1


def test_production_scales_from_three_to_ten() -> None:
    autoscaler, _ = chat_values(load_settings("prod"))["extraResources"]
    assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (3, 10)


MEASURED_IDLE_GIB = 1.2


@pytest.mark.parametrize("memory_gib", [1.5, 2, 4])
@pytest.mark.parametrize("replicas", [1, 2, 3, 9])
def test_idle_pods_go_again_down_to_the_minimum(replicas: int, memory_gib: float) -> None:
    settings = settings_with(chat={"replicas": replicas, "max_replicas": 10, "memory_gib": memory_gib})
    autoscaler, _ = chat_values(settings)["extraResources"]
    (target,) = (
        metric["containerResource"]["target"]["averageUtilization"]
        for metric in autoscaler["spec"]["metrics"]
        if metric["containerResource"]["name"] == "memory"
    )
    idle = 100 * MEASURED_IDLE_GIB / memory_gib
    for pods in range(replicas + 1, 11):
        # As the autoscaler computes it: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale
        assert math.ceil(pods * idle / target) < pods


def test_targets_of_the_shipped_environments_by_number() -> None:
    for name, expected in (("dev", {"cpu": 70, "memory": 98}), ("prod", {"cpu": 70, "memory": 87})):
        autoscaler, _ = chat_values(load_settings(name))["extraResources"]
        found = (metric["containerResource"] for metric in autoscaler["spec"]["metrics"])
        assert {each["name"]: each["target"]["averageUtilization"] for each in found} == expected


def test_large_pods_are_busy_before_their_one_event_loop_is_full() -> None:
    autoscaler, _ = chat_values(settings_with(chat={"cpu": 2}))["extraResources"]
    (cpu, _memory) = autoscaler["spec"]["metrics"]
    # 0.7 of the one core that a process can use, of the two that it asks for.
    assert cpu["containerResource"]["target"]["averageUtilization"] == 35


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_quota_lets_the_autoscaler_reach_its_maximum(name: str) -> None:
    settings = load_settings(name)
    (chat,) = (rules for rules in namespaces(settings) if rules.name == "chat")
    # Redis, a job that waits for secrets, a challenge of cert-manager.
    assert int(chat.quota["pods"]) >= settings.chat.max_replicas + 3


def test_pools_are_those_that_the_connection_rule_counts() -> None:
    settings = load_settings("prod")
    variables = chat_variables(settings)
    each = [
        int(variables[f"{pool}_POOL_SIZE"]) + int(variables[f"{pool}_POOL_MAX_OVERFLOW"])
        for pool in ("DATABASE", "PGVECTOR")
    ]
    # Data, vectors, and one of the synchronous engine that start and health checks use.
    assert connections_of_a_chat_pod(settings.chat) == sum(each) + 1 == 41
    most = postgresql_user_connections(settings.database.sku)
    assert most is not None
    assert settings.chat.max_replicas * connections_of_a_chat_pod(settings.chat) < most
