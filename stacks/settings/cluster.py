"""The AKS cluster and its node pools."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .azure_catalog.sizes import GPU_SIZES, Gpu, GpuSize
from .off_hours import OffHoursSettings
from .one_way.marks import GIVEN, DeletesOlder, NoWayBack
from .types import Cidr, Model, ObjectId, PoolName, TimeOfDay, Unique, VmSize, Zones, resource_id, text

MaxPods = Annotated[int, Field(ge=30, le=250)]


class ApiAccess(StrEnum):
    """How the Kubernetes API is reached."""

    PUBLIC = "public"
    PRIVATE = "private"


class ReleaseRecords(StrEnum):
    """The kind of object that Helm keeps its records of releases in."""

    SECRETS = "secrets"
    CONFIG_MAPS = "configmaps"


class SystemPoolSettings(Model):
    """Nodes for critical add-ons only."""

    vm_size: VmSize = "Standard_D4ds_v5"
    """At least 4 vCPU, as AKS asks for system pools."""
    min_nodes: Annotated[int, Field(ge=1, le=100)] = 1
    """Nodes that are always there; three spread over three zones."""
    max_nodes: Annotated[int, Field(ge=1, le=100)] = 3
    """Nodes that the autoscaler may reach."""
    os_disk_gib: Annotated[int, Field(ge=30, le=2048)] = 100
    """Size of each node's operating system disk."""
    ephemeral_os_disk: bool = True
    """Keep the operating system on the VM's local disk, which has to be large enough."""


class WorkloadPoolSettings(Model):
    """Nodes for everything that needs no GPU."""

    vm_size: VmSize = "Standard_D4ds_v5"
    """Any x86-64 size without GPU."""
    min_nodes: Annotated[int, Field(ge=0, le=1000)] = 2
    """Nodes that are always there. The whole platform asks for two of this size; `llmctl env check` says how many
    start."""
    max_nodes: Annotated[int, Field(ge=1, le=1000)] = 4
    """Nodes that the autoscaler may reach."""
    os_disk_gib: Annotated[int, Field(ge=30, le=2048)] = 100
    """Size of each node's operating system disk."""
    ephemeral_os_disk: bool = True
    """Keep the operating system on the VM's local disk, which has to be large enough."""


class Priority(StrEnum):
    """Whether Azure may take the nodes back."""

    SPOT = "spot"
    REGULAR = "regular"


class DescribedGpu(Model):
    """A GPU size that the platform does not know: its card and its node, as Microsoft's page of the size gives them."""

    model: Annotated[str, text(r"^[A-Za-z0-9][A-Za-z0-9 ./-]{0,39}$", "the name of a card such as RTX PRO 6000")]
    """Name of the card, for messages."""
    memory_gib: Annotated[float, Field(gt=0, le=1024)]
    """Memory of one card, or of one part of it (MIG), as CUDA reports it."""
    compute_capability: Annotated[float, Field(ge=7.5, le=20)]
    """CUDA compute capability, such as 12.0."""
    count: Annotated[int, Field(ge=1, le=64)] = 1
    """Cards of a node, or parts of them."""
    mig: Literal["MIG1g", "MIG2g", "MIG3g", "MIG4g", "MIG7g"] | None = None
    """Profile by which AKS cuts every card of the pool into parts (Multi-Instance GPU); `memory_gib` and `count` are
    then those of the parts. Another profile replaces the pool: AKS changes none in place."""
    vcpus: Annotated[int, Field(ge=4, le=1024)]
    """Processors of a node."""
    node_memory_gib: Annotated[int, Field(ge=8, le=8192)]
    """Main memory of a node."""


class GpuPoolSettings(Model):
    """One GPU node pool; it scales from `min_nodes` to `max_nodes` on demand."""

    vm_size: VmSize
    """One of the GPU sizes listed below, or another one with `gpu`."""
    gpu: DescribedGpu | None = None
    """What a size has that is not listed below; where it is, this is used instead, such as for parts of a card."""
    priority: Priority = Priority.SPOT
    """`spot` nodes are cheap and Azure may take them back at any time; `regular` ones stay."""
    max_price_usd_per_hour: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Spot price limit per node; left out means up to the on-demand price."""
    min_nodes: Annotated[int, Field(ge=0, le=1000)] = 0
    """Nodes that are always there; zero costs nothing while no model is used."""
    max_nodes: Annotated[int, Field(ge=1, le=1000)] = 1
    """Nodes that the autoscaler may reach; the GPU quota of the region has to allow it."""
    os_disk_gib: Annotated[int, Field(ge=64, le=2048)] = 128
    """Size of each node's operating system disk, which also holds images and the cache of model weights."""
    ephemeral_os_disk: bool = False
    """Keep the operating system on the VM's local disk, which has to be large enough."""
    zones: Zones | None = None
    """Zones of this pool; left out means the environment's zones."""
    time_slices: Annotated[int, Field(ge=1, le=16)] = 1
    """Into how many schedulable shares one GPU is cut; memory is not isolated between them."""

    @property
    def size(self) -> GpuSize | None:
        """What a node has: as the file describes it, else as the list has it; None for a size that nobody knows."""
        if given := self.gpu:
            card = Gpu(given.model, given.memory_gib, given.compute_capability)
            return GpuSize(card, given.count, given.vcpus, given.node_memory_gib)
        return GPU_SIZES.get(self.vm_size)

    @property
    def known_size(self) -> GpuSize:
        """What a node has, once the file has been checked. Raises KeyError for a size that nobody knows."""
        size = self.size
        if size is None:
            raise KeyError(self.vm_size)
        return size


class MaintenanceSettings(Model):
    """Weekly window in which AKS upgrades the cluster and its nodes."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] = "Sunday"
    """Day on which the window opens."""
    start_time: TimeOfDay = "01:00"
    """Time at which the window opens, at `utc_offset`."""
    utc_offset: Annotated[
        str,
        text(
            r"^(\+(0\d|1[0-3]):(00|30|45)|\+14:00|-(0\d|1[01]):(00|30)|-12:00)$",
            'an offset from UTC, -12:00 to +14:00, such as "+00:00" or "-03:30"',
        ),
    ] = "+00:00"
    """Offset of `start_time` from UTC."""
    duration_hours: Annotated[int, Field(ge=4, le=24)] = 6
    """Length of the window."""
    held: bool = False
    """Whether AKS changes nothing by itself: no patches of Kubernetes and no node images, with which GPU drivers come.
    For weeks in which a new driver must not come; security fixes do not come either."""


class ClusterSettings(Model):
    """The cluster."""

    kubernetes_version: Annotated[
        str,
        text(r"^1\.\d{2}(\.\d{1,3})?$", 'a Kubernetes version in quotes such as "1.36" or "1.36.3"'),
        NoWayBack(stack="aks", why="AKS only upgrades; `llmctl destroy` and a deployment make another cluster"),
    ] = "1.36"
    """Minor version, or one exact patch; the patch channel raises patches by itself."""
    allow_untested_kubernetes_version: bool = False
    """Accept a Kubernetes version that the platform's charts were not tested with."""
    tier: Literal["Free", "Standard", "Premium"] = "Free"
    """AKS price tier; `Standard` and `Premium` come with an uptime guarantee for the API."""
    long_term_support: bool = False
    """Kubernetes versions with two years of support; needs tier Premium."""
    cost_analysis: bool = False
    """Cost per namespace in Azure's cost view; needs tier Standard or Premium."""
    api_access: ApiAccess = ApiAccess.PUBLIC
    """`private` puts the API on a private address inside the virtual network."""
    api_authorized_ranges: Annotated[tuple[Cidr, ...], Unique] = ()
    """Ranges that may reach a public API; the operators' ranges are always among them."""
    max_pods_per_node: MaxPods = 110
    """Pods that one node takes."""
    host_encryption: bool = False
    """Encrypt temporary disks and caches on the hosts; the subscription must have the feature registered."""
    disk_encryption_set_id: Annotated[
        Annotated[str, resource_id("Microsoft.Compute/diskEncryptionSets", "a disk encryption set")] | None,
        NoWayBack(
            stack="disks", why="Azure does not go back to its own key for disks that exist; write it", order=("", GIVEN)
        ),
    ] = None
    """Own key for OS and data disks: resource id of a disk encryption set."""
    system_pool: SystemPoolSettings = SystemPoolSettings()
    """Nodes for critical add-ons only."""
    workload_pool: WorkloadPoolSettings = WorkloadPoolSettings()
    """Nodes for everything that needs no GPU."""
    gpu_pools: dict[PoolName, GpuPoolSettings] = {}
    """GPU node pools by name."""
    maintenance: MaintenanceSettings = MaintenanceSettings()
    """Weekly window in which AKS upgrades the cluster and its nodes."""
    off_hours: OffHoursSettings = OffHoursSettings()
    """When the cluster is stopped."""
    log_analytics_retention_days: Annotated[
        int,
        Field(ge=30, le=730),
        DeletesOlder(stack="aks", why="Log Analytics deletes older logs", agreeable=True),
    ] = 30
    """How long logs of cluster and database are kept."""
    azure_policy: bool = True
    """Run the Azure Policy add-on."""
    release_records: ReleaseRecords = ReleaseRecords.SECRETS
    """Where Helm keeps its records. They hold no secret here; in `configmaps` a pipeline's plan can read them without
    reading every Secret of the cluster. On a deployed environment, change it and run `llmctl pipeline move-records`."""
    extra_admin_group_ids: Annotated[tuple[ObjectId, ...], Unique] = ()
    """Entra groups that get cluster administration besides the operators."""

    @property
    def most_gpu_nodes(self) -> int:
        """Number of GPU nodes when every pool is at its maximum."""
        return sum(pool.max_nodes for pool in self.gpu_pools.values())

    @property
    def most_nodes(self) -> int:
        """Number of all nodes when every pool is at its maximum."""
        return self.system_pool.max_nodes + self.workload_pool.max_nodes + self.most_gpu_nodes
