"""A disk that exists, as a volume of the cluster, and the one claim that may have it."""

from collections.abc import Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
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
    PersistentVolumeV1SpecNodeAffinity,
    PersistentVolumeV1SpecNodeAffinityRequired,
    PersistentVolumeV1SpecNodeAffinityRequiredNodeSelectorTerm,
    PersistentVolumeV1SpecNodeAffinityRequiredNodeSelectorTermMatchExpressions,
    PersistentVolumeV1SpecPersistentVolumeSource,
    PersistentVolumeV1SpecPersistentVolumeSourceCsi,
)
from constructs import Construct

DISK_DRIVER = "disk.csi.azure.com"
ZONE_LABEL = "topology.disk.csi.azure.com/zone"


class StaticVolume(Construct):
    """The volume `name` on a managed disk and the claim `claim`, which name each other: neither can bind elsewhere.

    Removing both leaves the disk and its contents as they are. A larger `capacity` grows them in place.
    """

    volume: PersistentVolumeV1
    """Bound to the claim before a pod uses it."""
    claim: PersistentVolumeClaimV1
    """What mounts the disk depends on it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        disk_id: str,
        claim: str,
        namespace: str,
        capacity: str,
        storage_class: str,
        zone: str | None = None,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Add volume and claim.

        `zone` is the node label's value of the one zone that the disk attaches in. `depends_on` is what the claim has
        to wait for.
        """
        super().__init__(scope, id_)
        self.volume = PersistentVolumeV1(
            self,
            "volume",
            metadata=PersistentVolumeV1Metadata(
                name=name,
                # Marks the driver as the volume's owner for attaching, growing and detaching.
                annotations={"pv.kubernetes.io/provisioned-by": DISK_DRIVER},
            ),
            spec=[
                PersistentVolumeV1Spec(
                    capacity={"storage": capacity},
                    access_modes=["ReadWriteOnce"],
                    persistent_volume_reclaim_policy="Retain",
                    storage_class_name=storage_class,
                    claim_ref=PersistentVolumeV1SpecClaimRef(name=claim, namespace=namespace),
                    node_affinity=None if zone is None else _only_in(zone),
                    persistent_volume_source=PersistentVolumeV1SpecPersistentVolumeSource(
                        csi=PersistentVolumeV1SpecPersistentVolumeSourceCsi(
                            driver=DISK_DRIVER,
                            volume_handle=disk_id,
                            # Caches do not exist from 4 TiB on, and could not be turned off when a disk grows so far.
                            volume_attributes={"fsType": "ext4", "cachingMode": "None"},
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
                access_modes=["ReadWriteOnce"],
                storage_class_name=storage_class,
                volume_name=self.volume.metadata.name,
                resources=PersistentVolumeClaimV1SpecResources(requests={"storage": capacity}),
            ),
            depends_on=list(depends_on),
            # Operators that adopt a claim mark it as theirs.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["metadata[0].labels", "metadata[0].annotations"]),
        )


def _only_in(zone: str) -> PersistentVolumeV1SpecNodeAffinity:
    return PersistentVolumeV1SpecNodeAffinity(
        required=PersistentVolumeV1SpecNodeAffinityRequired(
            node_selector_term=[
                PersistentVolumeV1SpecNodeAffinityRequiredNodeSelectorTerm(
                    match_expressions=[
                        PersistentVolumeV1SpecNodeAffinityRequiredNodeSelectorTermMatchExpressions(
                            key=ZONE_LABEL, operator="In", values=[zone]
                        )
                    ]
                )
            ]
        )
    )
