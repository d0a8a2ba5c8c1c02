"""How many nodes the platform starts on the workload pool, counted from what its pods ask for."""

from typing import Any

import pytest

from scripts.core.environment_check import verdict_of
from scripts.core.workspace import ROOT
from stacks.settings import Settings, load_settings
from stacks.settings.estimates import capacity, cold_start
from stacks.settings.models import Engine

D4_CORES, D4_GIB = 3.36, 12.2
"""What a Standard_D4ds_v5 has for the platform: 4 and 16, less AKS' reservation and the node's own pods."""


def _settings(**changes: Any) -> Settings:
    values = load_settings("dev").model_dump()
    for section, keys in changes.items():
        values[section] |= keys
    return Settings.model_validate(values)


@pytest.mark.parametrize(("name", "nodes"), [("dev", 2), ("prod", 2)])
def test_nodes_of_the_shipped_environments(name: str, nodes: int) -> None:
    assert capacity.nodes(load_settings(name)) == nodes


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_shipped_environments_advertise_no_fewer_nodes_than_start(name: str) -> None:
    settings = load_settings(name)
    started = capacity.nodes(settings)
    assert started is not None
    assert settings.cluster.workload_pool.min_nodes >= started


def test_dev_asks_for_more_than_one_node_and_less_than_two() -> None:
    asked = capacity.total(load_settings("dev"))
    assert D4_GIB < asked.memory_gib < 2 * D4_GIB
    assert asked.cpu < 2 * D4_CORES


def test_every_part_counts_while_it_is_on() -> None:
    everything = capacity.requests(load_settings("dev"))
    assert set(everything) == {"controllers", "ingress", "chat", "gateway", "opik", "serving", "monitoring"}
    off = {name: {"enabled": False} for name in ("chat", "gateway", "opik", "monitoring")}
    assert set(capacity.requests(_settings(**off))) == {"controllers", "ingress", "serving"}
    assert capacity.nodes(_settings(**off)) == 1


def test_replicas_and_what_they_ask_for_count() -> None:
    def memory(**chat: Any) -> float:
        return capacity.requests(_settings(chat=chat))["chat"].memory_gib

    assert memory(replicas=3) - memory(replicas=2) == pytest.approx(2.03)
    assert memory(memory_gib=3) - memory(memory_gib=2) == pytest.approx(2)


def test_check_of_the_file_names_a_model_whose_first_callers_would_wait_in_vain() -> None:
    def notes(**changes: Any) -> list[str]:
        settings = load_settings("dev")
        (model,) = (model for model in settings.models if model.engine is Engine.VLLM)
        changed = [model.model_copy(update=changes)]
        return list(cold_start.report(changed, settings.cluster.gpu_pools, settings.serving))

    # 300 s for the node, 150 for the image on its own disk, 150 for the start, 5.2 GiB at 110 MiB/s: within 15 minutes.
    assert notes() == []
    (note,) = notes(weights_gib=40)
    assert note == (
        "qwen2-5-7b takes about 16 minutes from zero (node, image, start, weights), but a request is held for 15"
        " (serving.hold_minutes): its first callers get 503; a larger serving.vllm_store_gib or min_replicas: 1 helps"
    )
    assert notes(weights_gib=40, min_replicas=1) == []
    # With a second pool, 8 minutes until it is tried come on top.
    (note,) = notes(pool=("t4", "regular"))
    assert note == (
        "qwen2-5-7b takes about 19 minutes from zero while t4 has no node (8 until regular is tried), but a request is"
        " held for 15 (serving.hold_minutes): its first callers get 503 then; min_replicas: 1 helps"
    )


def test_check_of_the_file_says_how_many_nodes_start() -> None:
    (note,) = (note for note in verdict_of("dev", ROOT, None).notes if "workload pool" in note)
    assert note.startswith("the workload pool starts with 2 nodes of Standard_D4ds_v5 (min_nodes is 2): pods ask for ")
