"""A premium NFS share that the engines of all nodes read weights from."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.persistent_volume_claim_v1 import (
    PersistentVolumeClaimV1,
    PersistentVolumeClaimV1Metadata,
    PersistentVolumeClaimV1Spec,
    PersistentVolumeClaimV1SpecResources,
)
from cdktf_cdktf_provider_kubernetes.storage_class_v1 import StorageClassV1, StorageClassV1Metadata
from constructs import Construct

FILE_DRIVER = "file.csi.azure.com"


class ModelStoreClass(StorageClassV1):
    """A class of shares that outlive their claim, grow in place, and are made as soon as they are claimed."""

    def __init__(
        self, scope: Construct, name: str, *, parameters: Mapping[str, str], mount_options: Sequence[str]
    ) -> None:
        """Add the class `name`; `parameters` are those of the file driver."""
        super().__init__(
            scope,
            name,
            metadata=StorageClassV1Metadata(name=name),
            storage_provisioner=FILE_DRIVER,
            parameters=dict(parameters),
            mount_options=list(mount_options),
            reclaim_policy="Retain",
            allow_volume_expansion=True,
            volume_binding_mode="Immediate",
        )


class SharedStore(PersistentVolumeClaimV1):
    """A share that many pods mount at the same time."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        namespace: str,
        storage_class: StorageClassV1,
        size_gib: int,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        """Add the claim `name`; `size_gib` can grow later."""
        super().__init__(
            scope,
            name,
            metadata=PersistentVolumeClaimV1Metadata(name=name, namespace=namespace),
            spec=PersistentVolumeClaimV1Spec(
                access_modes=["ReadWriteMany"],
                storage_class_name=storage_class.metadata.name,
                resources=PersistentVolumeClaimV1SpecResources(requests={"storage": f"{size_gib}Gi"}),
            ),
            wait_until_bound=True,
            depends_on=list(depends_on),
        )
