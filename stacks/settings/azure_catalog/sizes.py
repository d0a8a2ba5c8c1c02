"""Azure's VM sizes and PostgreSQL sizes, as far as the rules need them.

Sources: Microsoft Learn, "Sizes for virtual machines" and "Limits in Azure Database for PostgreSQL flexible server",
as of 2026-08; GPU memory is what CUDA reports with ECC on, less than the number on the box.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gpu:
    """A model of NVIDIA GPU."""

    model: str
    memory_gib: float
    compute_capability: float
    """CUDA compute capability: 7.5 Turing, 8.x Ampere, 9.0 Hopper."""


# "GPU 0 has a total capacity of ..." in Zheng-Chong/CatVTON#133 and AlphaGPU/leetgpu-challenges#52.
T4 = Gpu("T4", 14.56, 7.5)
A10 = Gpu("A10", 22.0, 8.6)
# Parts of one as Azure cuts it (Microsoft Learn, "NVadsA10 v5 sizes"), less what the card's driver keeps.
A10_SIXTH = Gpu("1/6 A10", 3.6, 8.6)
A10_THIRD = Gpu("1/3 A10", 7.3, 8.6)
A10_HALF = Gpu("1/2 A10", 11.0, 8.6)
A100_40 = Gpu("A100 40 GB", 39.4, 8.0)
# vllm-project/vllm#4408.
A100 = Gpu("A100", 79.15, 8.0)
H100 = Gpu("H100", 79.2, 9.0)
H100_NVL = Gpu("H100 NVL", 93.1, 9.0)
H200 = Gpu("H200", 139.7, 9.0)


@dataclass(frozen=True, slots=True)
class GpuSize:
    """A VM size with whole GPUs."""

    gpu: Gpu
    gpus: int
    vcpus: int
    memory_gib: int
    local_disk_gib: int | None = None
    """Temporary disk, which an ephemeral operating system disk has to fit in; None where it is not known."""


GPU_SIZES: dict[str, GpuSize] = {
    "Standard_NC4as_T4_v3": GpuSize(T4, 1, 4, 28, 176),
    "Standard_NC8as_T4_v3": GpuSize(T4, 1, 8, 56, 352),
    "Standard_NC16as_T4_v3": GpuSize(T4, 1, 16, 110, 352),
    "Standard_NC64as_T4_v3": GpuSize(T4, 4, 64, 440, 2816),
    "Standard_NV6ads_A10_v5": GpuSize(A10_SIXTH, 1, 6, 55),
    "Standard_NV12ads_A10_v5": GpuSize(A10_THIRD, 1, 12, 110),
    "Standard_NV18ads_A10_v5": GpuSize(A10_HALF, 1, 18, 220),
    "Standard_NV36ads_A10_v5": GpuSize(A10, 1, 36, 440),
    "Standard_NV36adms_A10_v5": GpuSize(A10, 1, 36, 880),
    "Standard_NV72ads_A10_v5": GpuSize(A10, 2, 72, 880),
    "Standard_NC24ads_A100_v4": GpuSize(A100, 1, 24, 220),
    "Standard_NC48ads_A100_v4": GpuSize(A100, 2, 48, 440),
    "Standard_NC96ads_A100_v4": GpuSize(A100, 4, 96, 880),
    "Standard_ND96asr_v4": GpuSize(A100_40, 8, 96, 900),
    "Standard_ND96amsr_A100_v4": GpuSize(A100, 8, 96, 1900),
    "Standard_NC40ads_H100_v5": GpuSize(H100_NVL, 1, 40, 320),
    "Standard_NC80adis_H100_v5": GpuSize(H100_NVL, 2, 80, 640),
    "Standard_ND96isr_H100_v5": GpuSize(H100, 8, 96, 1900),
    "Standard_ND96isr_H200_v5": GpuSize(H200, 8, 96, 1850),
}
"""The GPU sizes that a pool may have."""

UNSUPPORTED_SIZES: dict[str, str] = {
    r"Standard_ND\d+\w*_MI300X_v5": "has AMD's cards, and the engines' images are built for NVIDIA's",
    r"Standard_ND\d+\w*_GB[23]00_\w+": "has Arm processors, and the images are built for x86-64",
}
"""Patterns of GPU sizes on which nothing here would run, and why."""

RETIRED_SIZES: dict[str, str] = {
    r"Standard_NC(6|12|24r?)s_v3": "Standard_NC24ads_A100_v4",
    r"Standard_NC(6|12|24r?)s_v2": "Standard_NC4as_T4_v3",
    r"Standard_NC(6|12|24r?)(_Promo)?": "Standard_NC4as_T4_v3",
    r"Standard_ND(6|12|24r?)s": "Standard_NC24ads_A100_v4",
    r"Standard_ND40rs_v2": "Standard_NC24ads_A100_v4",
    r"Standard_NV(6|12|24)s?(_v2)?(_Promo)?": "Standard_NV36ads_A10_v5",
    r"Standard_NV(12|24|48)s_v3": "Standard_NV36ads_A10_v5",
    r"Standard_NV(4|8|16|32)as_v4": "Standard_NV36ads_A10_v5",
}
"""Patterns of GPU sizes that Azure no longer sells, and what to take instead."""


@dataclass(frozen=True, slots=True)
class VmSizeName:
    """What the name of a VM size without GPU says."""

    family: str
    vcpus: int
    features: str
    version: int

    @property
    def arm(self) -> bool:
        """Whether its processor is an Arm one."""
        return "p" in self.features

    @property
    def local_disk_gib(self) -> float | None:
        """Local disk for an ephemeral operating system disk: 0 when there is none, None where it is not known."""
        if self.family not in {"D", "E"}:
            return None
        if self.version == 3:
            # The cache of these sizes holds the disk: 50 GiB per 2 vCPU.
            return 25.0 * self.vcpus if "s" in self.features else None
        if "d" not in self.features:
            return 0.0
        return 37.5 * self.vcpus if self.version in {4, 5} else None


_VM_NAME = re.compile(
    r"Standard_(?P<family>[A-Z]+)(?P<vcpus>\d+)(-(?P<constrained>\d+))?(?P<features>[a-z]*)(_v(?P<version>\d+))?"
)


VCPUS: dict[str, tuple[int, ...]] = {
    "B": (2, 4, 8, 16, 32),
    "D": (2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 160, 192),
    "E": (2, 4, 8, 16, 20, 32, 48, 64, 80, 96, 104, 112, 128, 160, 192),
    "F": (2, 4, 8, 16, 32, 48, 64, 72, 80),
    "L": (2, 4, 8, 16, 32, 48, 64, 80, 96),
}
"""Processors of the sizes of the common families, from the version on that names them by the number of processors."""
NAMED_BY_VCPUS = {"B": 2, "D": 3, "E": 3, "F": 2, "L": 2}
"""First version of a family whose names count processors; older ones such as Standard_D3_v2 count sizes."""


def parse_vm_size(name: str) -> VmSizeName | None:
    """Return what the name of a VM size says by Azure's naming convention, None when it follows another pattern."""
    match = _VM_NAME.fullmatch(name)
    if match is None:
        return None
    return VmSizeName(
        match["family"],
        int(match["constrained"] or match["vcpus"]),
        match["features"],
        int(match["version"] or 1),
    )


def sold_as(name: str) -> str | None:
    """Return the nearest size of the same series that Azure sells; None where it sells `name`, or may."""
    size = parse_vm_size(name)
    if size is None or size.family not in VCPUS or size.version < NAMED_BY_VCPUS[size.family]:
        return None
    known = VCPUS[size.family]
    if size.vcpus in known:
        return None
    near = min(known, key=lambda vcpus: abs(vcpus - size.vcpus))
    return name.replace(f"{size.family}{size.vcpus}", f"{size.family}{near}", 1)


def retired_in_favour_of(name: str) -> str | None:
    """Return the successor of a retired VM size, None for a size that is still sold."""
    return next((new for old, new in RETIRED_SIZES.items() if re.fullmatch(old, name)), None)


_BURSTABLE_GIB = {"B1ms": 2, "B2s": 4, "B2ms": 8, "B4ms": 16, "B8ms": 32, "B12ms": 48, "B16ms": 64, "B20ms": 80}
_VCPUS = (2, 4, 8, 16, 20, 32, 48, 64, 96)
_CONNECTIONS_BY_GIB = {2: 50, 4: 429, 8: 859, 16: 1718, 32: 3437}
_MOST_CONNECTIONS = 5000
_RESERVED_CONNECTIONS = 15
_POSTGRESQL_NAME = re.compile(r"(?P<tier>GP|MO)_Standard_(?P<family>[DE])(?P<vcpus>\d+)(s_v3|ds_v4|ds_v5|ads_v5)")
POSTGRESQL_GIB_PER_VCPU = {"D": 4, "E": 8}
POSTGRESQL_TIER = {"D": "GP", "E": "MO"}


def postgresql_user_connections(sku: str) -> int | None:
    """Return how many connections applications may open to a PostgreSQL server of `sku`, None for an unknown size."""
    if sku.startswith("B_Standard_"):
        memory_gib = _BURSTABLE_GIB.get(sku.removeprefix("B_Standard_"))
    else:
        match = _POSTGRESQL_NAME.fullmatch(sku)
        if match is None or int(match["vcpus"]) not in _VCPUS or POSTGRESQL_TIER[match["family"]] != match["tier"]:
            return None
        memory_gib = int(match["vcpus"]) * POSTGRESQL_GIB_PER_VCPU[match["family"]]
    if memory_gib is None:
        return None
    return _CONNECTIONS_BY_GIB.get(memory_gib, _MOST_CONNECTIONS) - _RESERVED_CONNECTIONS


POSTGRESQL_SIZES: tuple[str, ...] = (
    *(f"B_Standard_{size}" for size in _BURSTABLE_GIB),
    *(
        f"{POSTGRESQL_TIER[family]}_Standard_{family}{vcpus}{generation}"
        for family in ("D", "E")
        for generation in ("ds_v5", "ads_v5", "ds_v4", "s_v3")
        for vcpus in _VCPUS
        if vcpus != 20 or family == "E"
    ),
)
"""Names for suggestions; `postgresql_user_connections` decides what is known."""
