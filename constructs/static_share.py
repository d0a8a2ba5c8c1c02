"""A file share that exists, as a volume that many pods mount at the same time."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.persistent_volume_claim_v1 import (
    PersistentVolumeClaimV1,
    PersistentVolumeClaimV1Metadata,
    PersistentVolumeClaimV1Spec,
    PersistentVolumeClaimV1SpecResources,
)
from cdktf_cdktf_provider_kubernetes.persistent_volume_v1 import (
    PersistentVolumeV1,
    PersistentVolumeV1Metadata,
    PersistentVolumeV1Spec,
    PersistentVolumeV1SpecClaimRef,
    PersistentVolumeV1SpecPersistentVolumeSource,
    PersistentVolumeV1SpecPersistentVolumeSourceCsi,
)
from cdktf_cdktf_provider_kubernetes.storage_class_v1 import StorageClassV1, StorageClassV1Metadata
from constructs import Construct

FILE_DRIVER = "file.csi.azure.com"
STORAGE_CLASS = "static-share"
NOMINAL_SIZE = "32Gi"
"""What volume and claim say. The share's own quota bounds it; a number that followed the quota would make Kubernetes
resize the share, which only its owner may."""


class StaticShare(Construct):
    """The volume `name` on an NFS share and the claim `claim`, which name each other: neither can bind elsewhere.

    Removing both leaves the share and its files as they are. The network is its only guard, so that mounting needs
    neither key nor role. Pods have to name an `fsGroup`, which then owns the root of the share.
    """

    claim: PersistentVolumeClaimV1
    """What mounts the share depends on it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        resource_group_name: str,
        storage_account_name: str,
        share_name: str,
        encrypted: bool,
        claim: str,
        namespace: str,
        depends_on: Sequence[ITerraformDependable],
        storage_class_name: str = STORAGE_CLASS,
        mount_options: Sequence[str] = ("noresvport", "actimeo=30"),
    ) -> None:
        """Add class, volume and claim; `encrypted` mounts by TLS, as the account may demand.

        The class belongs to this share alone: its name is one that no other share of the cluster has.
        """
        super().__init__(scope, id_)
        storage_class = StorageClassV1(
            self,
            "class",
            metadata=StorageClassV1Metadata(name=storage_class_name),
            storage_provisioner="kubernetes.io/no-provisioner",
            reclaim_policy="Retain",
            volume_binding_mode="Immediate",
            # The share's size is Terraform's, and the provider's own default is true.
            allow_volume_expansion=False,
        )
        volume = PersistentVolumeV1(
            self,
            "volume",
            metadata=PersistentVolumeV1Metadata(
                name=name, annotations={"pv.kubernetes.io/provisioned-by": FILE_DRIVER}
            ),
            spec=[
                PersistentVolumeV1Spec(
                    capacity={"storage": NOMINAL_SIZE},
                    access_modes=["ReadWriteMany"],
                    persistent_volume_reclaim_policy="Retain",
                    storage_class_name=storage_class.metadata.name,
                    claim_ref=PersistentVolumeV1SpecClaimRef(name=claim, namespace=namespace),
                    # Options of SMB, or a version of NFS, would make the mount fail.
                    mount_options=list(mount_options),
                    persistent_volume_source=PersistentVolumeV1SpecPersistentVolumeSource(
                        csi=PersistentVolumeV1SpecPersistentVolumeSourceCsi(
                            driver=FILE_DRIVER,
                            volume_handle=f"{resource_group_name}#{storage_account_name}#{share_name}",
                            volume_attributes={
                                "resourceGroup": resource_group_name,
                                "storageAccount": storage_account_name,
                                "shareName": share_name,
                                "protocol": "nfs",
                                "encryptInTransit": str(encrypted).lower(),
                                # The driver's own mode, 0777, would be set at every mount, and undo the owner's.
                                "mountPermissions": "0",
                                # The root's group is set once; going through all files takes days when they are many.
                                "fsGroupChangePolicy": "OnRootMismatch",
                            },
                        )
                    ),
                )
            ],
        )
        self.claim = PersistentVolumeClaimV1(
            self,
            "claim",
            metadata=PersistentVolumeClaimV1Metadata(name=claim, namespace=namespace),
            spec=PersistentVolumeClaimV1Spec(
                access_modes=["ReadWriteMany"],
                storage_class_name=storage_class.metadata.name,
                volume_name=volume.metadata.name,
                resources=PersistentVolumeClaimV1SpecResources(requests={"storage": NOMINAL_SIZE}),
            ),
            depends_on=list(depends_on),
        )
