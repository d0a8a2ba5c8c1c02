"""The order of pools that models list: what the cluster autoscaler reads, and that environments without one stay."""

from pathlib import Path

import pytest

from stacks.platform.components.gpu.order import priorities
from stacks.platform.components.serving.engines import ollama_engines, vllm_engines
from stacks.platform.components.serving.pods import placement
from stacks.settings import load_settings, parse_settings
from stacks.settings.rules.pools import pool_ranks
from tests.support.stacks.disposable import aks_of
from tests.support.stacks.durable import only

FILE = Path(__file__).parents[1] / "environments" / "valid.several_pools.yaml"
SEVERAL = parse_settings(FILE.read_text(), FILE.name)


def test_the_autoscaler_tries_pools_in_their_order_and_gives_a_silent_one_up_after_eight_minutes() -> None:
    profile = only(aks_of(SEVERAL), "azurerm_kubernetes_cluster")["auto_scaler_profile"]
    assert (profile["expander"], profile["max_node_provisioning_time"]) == ("priority", "8m")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_where_every_model_has_one_pool_nothing_of_an_order_is_deployed(environment: str) -> None:
    settings = load_settings(environment)
    profile = only(aks_of(settings), "azurerm_kubernetes_cluster")["auto_scaler_profile"]
    assert (profile["expander"], profile["max_node_provisioning_time"]) == ("least-waste", "20m")
    assert priorities(settings.cluster, settings.models) == {}


def test_every_pool_stands_in_the_order_by_the_middle_of_its_scale_sets_name() -> None:
    """The autoscaler uses no node group that stands nowhere while another one fits."""
    text = priorities(SEVERAL.cluster, SEVERAL.models)["priorities"]
    assert text == ('30:\n  - "-spot-"\n20:\n  - "-other-"\n10:\n  - "-system-"\n  - "-workload-"\n  - "-regular-"\n')


def test_orders_of_several_models_become_one() -> None:
    def model(*pools: str) -> object:
        return SEVERAL.models[0].model_copy(update={"pool": pools})

    ranks = pool_ranks((model("a", "c"), model("b", "c", "d"), model("z")))  # type: ignore[arg-type]
    assert ranks == {"a": 0, "b": 0, "c": 2, "d": 3}


def test_an_engine_requires_one_of_its_pools_and_prefers_the_earlier_ones() -> None:
    (ollama,) = ollama_engines(SEVERAL.models, SEVERAL.cluster)
    affinity = placement(ollama)["affinity"]["nodeAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["spot", "other", "regular"]
    preferred = [
        (each["weight"], each["preference"]["matchExpressions"][0]["values"])
        for each in affinity["preferredDuringSchedulingIgnoredDuringExecution"]
    ]
    assert preferred == [(100, ["spot"]), (25, ["other"])]
    steady = next(engine for engine in vllm_engines(SEVERAL.models, SEVERAL.cluster) if len(engine.pool_names) == 1)
    assert placement(steady) == {"nodeSelector": {"kubernetes.azure.com/agentpool": "regular"}}
