"""The listed GPU sizes agree with their names, with one another, with the pinned engine and with the catalogue."""

import re

import pytest

from stacks.settings.azure_catalog.sizes import (
    A10,
    A10_HALF,
    A10_SIXTH,
    A10_THIRD,
    A100,
    A100_40,
    GPU_SIZES,
    H100,
    H100_NVL,
    H200,
    T4,
    Gpu,
)
from stacks.settings.model_catalogue.engine_statements import FLOAT16, TURING, vllm_statements
from stacks.settings.model_catalogue.entries import KIB_PER_GIB, catalogue, room

BOX_GB = {T4: 16, A10: 24, A100_40: 40, A100: 80, H100: 80, H100_NVL: 94, H200: 141}
"""What is written on the box of a whole card, in GB of 10^9 bytes or in GiB (NVIDIA's data sheets)."""
PARTS = {A10_SIXTH: 6, A10_THIRD: 3, A10_HALF: 2}
"""Into how many parts Azure cuts an A10 for each (Microsoft Learn, "NVadsA10 v5 sizes series")."""
SERIES: dict[str, dict[int, tuple[Gpu, int]]] = {
    r"Standard_NC(\d+)as_T4_v3": {4: (T4, 1), 8: (T4, 1), 16: (T4, 1), 64: (T4, 4)},
    r"Standard_NV(\d+)adm?s_A10_v5": {
        6: (A10_SIXTH, 1), 12: (A10_THIRD, 1), 18: (A10_HALF, 1), 36: (A10, 1), 72: (A10, 2),
    },
    r"Standard_NC(\d+)ads_A100_v4": {24: (A100, 1), 48: (A100, 2), 96: (A100, 4)},
    r"Standard_ND(\d+)asr_v4": {96: (A100_40, 8)},
    r"Standard_ND(\d+)amsr_A100_v4": {96: (A100, 8)},
    r"Standard_NC(\d+)adi?s_H100_v5": {40: (H100_NVL, 1), 80: (H100_NVL, 2)},
    r"Standard_ND(\d+)isr_H100_v5": {96: (H100, 8)},
    r"Standard_ND(\d+)isr_H200_v5": {96: (H200, 8)},
}  # fmt: skip
"""Cards by the processors in a size's name, from Microsoft's pages of the series."""
TURING_FORMATS = {"awq", "gptq", "fp8", FLOAT16}
FORMATS = {7.5: TURING_FORMATS, **dict.fromkeys((8.0, 8.6, 9.0), TURING_FORMATS | {"bf16", "mxfp4"})}
"""Formats of the catalogue that the pinned vLLM starts, by compute capability."""


@pytest.mark.parametrize("name", GPU_SIZES)
def test_a_size_has_what_its_name_says(name: str) -> None:
    (found,) = (match for pattern in SERIES if (match := re.fullmatch(pattern, name)))
    size = GPU_SIZES[name]
    assert size.vcpus == int(found[1])
    (cards,) = (SERIES[pattern] for pattern in SERIES if re.fullmatch(pattern, name))
    assert (size.gpu, size.gpus) == cards[size.vcpus]
    # A node that loads weights holds them in its own memory for a moment.
    assert size.memory_gib > size.gpu.memory_gib


def test_no_size_of_a_series_is_missing() -> None:
    listed = {
        (pattern, size.vcpus) for pattern in SERIES for name, size in GPU_SIZES.items() if re.fullmatch(pattern, name)
    }
    assert listed == {(pattern, vcpus) for pattern, cards in SERIES.items() for vcpus in cards}


@pytest.mark.parametrize("card", BOX_GB, ids=lambda card: card.model)
def test_cuda_reports_a_little_less_than_the_box(card: Gpu) -> None:
    assert 0.9 * BOX_GB[card] / 1.074 < card.memory_gib < BOX_GB[card]


@pytest.mark.parametrize("part", PARTS, ids=lambda card: card.model)
def test_a_part_of_a_card_has_its_part_of_the_memory(part: Gpu) -> None:
    whole = A10.memory_gib / PARTS[part]
    assert 0.95 * whole < part.memory_gib <= whole
    assert part.compute_capability == A10.compute_capability


@pytest.mark.parametrize("capability", sorted({size.gpu.compute_capability for size in GPU_SIZES.values()}))
def test_formats_of_the_catalogue_start_where_the_pinned_engine_says(capability: float) -> None:
    assert capability >= TURING
    needed = vllm_statements().capabilities
    of_catalogue = {
        offer.quantization for model in catalogue().values() for offer in model.offers if offer.engine == "vllm"
    }
    assert {name for name in of_catalogue if needed.get(name, 0) <= capability} == FORMATS[capability] & of_catalogue


@pytest.mark.parametrize("name", GPU_SIZES)
def test_every_size_runs_a_model_of_the_catalogue(name: str) -> None:
    fits = [
        model.name
        for model in catalogue().values()
        for offer in model.offers
        if (
            found := room(
                offer,
                "pool",
                {"vm_size": name},
                cache_gib=model.context_tokens * model.kv_cache_kib_per_token / KIB_PER_GIB,
            )
        )
        and found.fits
    ]
    assert fits
