"""The AKS cluster and its node pools."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .types import Cidr, Guid, Model, PoolName, VmSize, Zones

MaxPods = Annotated[int, Field(ge=30, le=250)]


class ApiAccess(StrEnum):
    """How the Kubernetes API is reached."""

    PUBLIC = "public"
    PRIVATE = "private"


class SystemPoolSettings(Model):
    """Nodes for critical add-ons only."""

    vm_size: VmSize = "Standard_D4ds_v5"
    """At least 4 vCPU, as AKS asks for system pools."""
    min_nodes: Annotated[int, Field(ge=1, le=100)] = 1
    max_nodes: Annotated[int, Field(ge=1, le=100)] = 3
    os_disk_gib: Annotated[int, Field(ge=30, le=2048)] = 100
    ephemeral_os_disk: bool = True
    """Keep the operating system on the VM's local disk."""


class WorkloadPoolSettings(Model):
    """Nodes for everything that needs no GPU."""

    vm_size: VmSize = "Standard_D4ds_v5"
    min_nodes: Annotated[int, Field(ge=0, le=1000)] = 1
    max_nodes: Annotated[int, Field(ge=1, le=1000)] = 4
    os_disk_gib: Annotated[int, Field(ge=30, le=2048)] = 100
    ephemeral_os_disk: bool = True


class Priority(StrEnum):
    """Whether Azure may take the nodes back."""

    SPOT = "spot"
    REGULAR = "regular"


class GpuPoolSettings(Model):
    """One GPU node pool; it scales from `min_nodes` to `max_nodes` on demand."""

    vm_size: VmSize
    """A GPU size; the known ones are listed in docs/environment.md."""
    priority: Priority = Priority.SPOT
    max_price_usd_per_hour: Annotated[float, Field(gt=0)] | None = None
    """Spot price limit per node; left out means up to the on-demand price."""
    min_nodes: Annotated[int, Field(ge=0, le=1000)] = 0
    max_nodes: Annotated[int, Field(ge=1, le=1000)] = 1
    os_disk_gib: Annotated[int, Field(ge=64, le=2048)] = 128
    ephemeral_os_disk: bool = False
    zones: Zones | None = None
    """Zones of this pool; left out means the environment's zones."""
    time_slices: Annotated[int, Field(ge=1, le=16)] = 1
    """Into how many schedulable shares one GPU is cut; memory is not isolated between them."""


class MaintenanceSettings(Model):
    """Weekly window in which AKS upgrades the cluster and its nodes."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] = "Sunday"
    start_time: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "01:00"
    utc_offset: Annotated[str, StringConstraints(pattern=r"^[+-](0\d|1[0-4]):(00|30|45)$")] = "+00:00"
    duration_hours: Annotated[int, Field(ge=4, le=24)] = 6


class ClusterSettings(Model):
    """The cluster."""

    kubernetes_version: Annotated[str, StringConstraints(pattern=r"^1\.\d{2}(\.\d+)?$")] = "1.36"
    tier: Literal["Free", "Standard", "Premium"] = "Free"
    long_term_support: bool = False
    """Kubernetes versions with two years of support; needs tier Premium."""
    api_access: ApiAccess = ApiAccess.PUBLIC
    """`private` puts the API on a private address inside the virtual network."""
    api_authorized_ranges: tuple[Cidr, ...] = ()
    """Ranges that may reach a public API; the operators' ranges are always among them."""
    max_pods_per_node: MaxPods = 110
    host_encryption: bool = False
    """Encrypt temporary disks and caches on the hosts; the subscription must have the feature registered."""
    disk_encryption_set_id: str | None = None
    """Own key for OS and data disks: resource id of a disk encryption set."""
    system_pool: SystemPoolSettings = SystemPoolSettings()
    workload_pool: WorkloadPoolSettings = WorkloadPoolSettings()
    gpu_pools: dict[PoolName, GpuPoolSettings] = {}
    """GPU node pools by name."""
    maintenance: MaintenanceSettings = MaintenanceSettings()
    log_analytics_retention_days: Annotated[int, Field(ge=30, le=730)] = 30
    azure_policy: bool = True
    extra_admin_group_ids: tuple[Guid, ...] = ()
    """Entra groups that get cluster administration besides the operators."""
