"""GPU sizes: parts of a card are known, others are described in the file, and what cannot run here is refused."""

import pytest

from stacks.platform.components.gpu.release import nvidia_device_plugin
from stacks.settings import Settings, SettingsError, parse_settings
from tests.support.stacks.components import images_of
from tests.support.stacks.disposable import aks_of

HEAD = """
name: dev
azure: {subscription_id: 4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90, region: westeurope}
domain: llm.acme.io
ingress: {acme_email: platform@acme.io}
cluster: {gpu_pools: {cards: %s}}
models: [{name: %s}]
"""
BLACKWELL = (
    "{vm_size: Standard_NC36ds_RTXPRO6000_v6, gpu: {model: RTX PRO 6000, memory_gib: 94.5, compute_capability: 12.0,"
    " vcpus: 36, node_memory_gib: 200}}"
)


def _settings(pool: str, model: str = "qwen3-4b") -> Settings:
    return parse_settings(HEAD % (pool, model), "environments/dev.yaml")


def _refused(pool: str, model: str = "qwen3-4b") -> str:
    with pytest.raises(SettingsError) as error:
        _settings(pool, model)
    return str(error.value)


def test_a_part_of_an_a10_has_its_part_of_the_memory() -> None:
    assert _settings("{vm_size: Standard_NV12ads_A10_v5}").models[0].name == "qwen3-4b"
    assert "1 x 1/6 A10 3.6 GiB" in _refused("{vm_size: Standard_NV6ads_A10_v5}")


def test_a_described_size_is_judged_by_what_the_file_says() -> None:
    settings = _settings(BLACKWELL, "gpt-oss-120b")
    assert settings.models[0].quantization == "mxfp4"
    size = settings.cluster.gpu_pools["cards"].known_size
    assert (size.gpu.model, size.gpus, size.vcpus, size.memory_gib) == ("RTX PRO 6000", 1, 36, 200)
    assert "gives 1 x RTX PRO 6000 10 GiB" in _refused(BLACKWELL.replace("94.5", "10"), "qwen3-32b")


def test_a_described_card_wins_over_the_list_so_that_parts_can_be_written() -> None:
    pool = (
        "{vm_size: Standard_NC24ads_A100_v4, gpu: {model: A100 MIG 2g.20gb, memory_gib: 19.5, compute_capability: 8.0,"
        " count: 3, mig: MIG2g, vcpus: 24, node_memory_gib: 220}}"
    )
    assert _settings(pool).cluster.gpu_pools["cards"].known_size.gpus == 3


def test_an_unknown_size_says_how_to_describe_it() -> None:
    assert "or say what it has in gpu beside it" in _refused("{vm_size: Standard_NC36ds_RTXPRO6000_v6}")


@pytest.mark.parametrize(
    ("size", "why"),
    [("Standard_ND96isr_MI300X_v5", "AMD"), ("Standard_ND128isr_NDR_GB200_v6", "Arm")],
)
def test_what_the_images_do_not_run_on_is_refused_also_when_described(size: str, why: str) -> None:
    described = BLACKWELL.replace("Standard_NC36ds_RTXPRO6000_v6", size)
    assert why in _refused(f"{{vm_size: {size}}}")
    assert why in _refused(described)


PARTS = (
    "{vm_size: Standard_NC24ads_A100_v4, gpu: {model: A100 2g.20gb, memory_gib: 19.5, compute_capability: 8.0,"
    " count: 3, mig: MIG2g, vcpus: 24, node_memory_gib: 220}}"
)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"NC24ads_A100_v4": "NC4as_T4_v3"}, "gpu.mig = MIG2g: is not what a T4 can be cut into; remove it"),
        ({"19.5": "90"}, "gpu.memory_gib = 90: is more than the A100 of this size has (79.15)"),
        ({"y: 8.0": "y: 9.0"}, "gpu.compute_capability = 9.0: is not that of the A100 of this size (8.0)"),
        ({"NC24ads_A100_v4": "D4s_v5"}, "vm_size = Standard_D4s_v5: has no GPU that gpu could describe"),
        ({"MIG2g": "MIG5g"}, "must be one of MIG1g, MIG2g, MIG3g, MIG4g, MIG7g"),
    ],
    ids=["not cut", "larger than the card", "another card", "no card", "no profile"],
)
def test_a_wrong_part_gets_one_clear_sentence(changed: dict[str, str], why: str) -> None:
    pool = PARTS
    for old, new in changed.items():
        pool = pool.replace(old, new)
    said = _refused(pool)
    assert why in said
    assert said.count("cluster.gpu_pools.cards") == 1


def test_parts_of_a_card_do_not_compute_one_model_together() -> None:
    said = _refused(PARTS, "qwen3-8b, gpus: 2")
    assert "models[0].gpus = 2: must be 1 on pool cards" in said


def test_aks_cuts_the_cards_and_each_part_is_a_gpu_for_plugin_and_autoscaler() -> None:
    settings = _settings(PARTS)
    pool = aks_of(settings)["resource"]["azurerm_kubernetes_cluster_node_pool"]["gpu-pool-cards"]
    assert pool["gpu_instance"] == "MIG2g"
    assert pool["tags"]["k8s.io_cluster-autoscaler_node-template_resources_nvidia.com_gpu"] == "3"
    assert nvidia_device_plugin(settings.cluster, images_of(settings))["migStrategy"] == "single"
    whole = _settings("{vm_size: Standard_NC24ads_A100_v4}")
    pool = aks_of(whole)["resource"]["azurerm_kubernetes_cluster_node_pool"]["gpu-pool-cards"]
    assert pool.get("gpu_instance") is None
    assert "migStrategy" not in nvidia_device_plugin(whole.cluster, images_of(whole))


def test_the_autoscaler_is_told_what_a_described_size_has() -> None:
    """It orders a node for a GPU that it does not know of only when the pool says so."""
    pool = aks_of(_settings(BLACKWELL))["resource"]["azurerm_kubernetes_cluster_node_pool"]["gpu-pool-cards"]
    assert pool["tags"]["k8s.io_cluster-autoscaler_node-template_resources_nvidia.com_gpu"] == "1"
