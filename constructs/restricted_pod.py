"""What the pods of Jobs state so that the Pod Security level `restricted` takes them."""

from cdktf_cdktf_provider_kubernetes.job_v1 import (
    JobV1SpecTemplateSpecContainerSecurityContext,
    JobV1SpecTemplateSpecContainerSecurityContextCapabilities,
    JobV1SpecTemplateSpecSecurityContext,
    JobV1SpecTemplateSpecSecurityContextSeccompProfile,
)


def pod_context(user_id: int, *, owns_volumes: bool = False) -> JobV1SpecTemplateSpecSecurityContext:
    """Run as user and group `user_id`; `owns_volumes` gives the group the roots of the pod's volumes."""
    user = str(user_id)
    return JobV1SpecTemplateSpecSecurityContext(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        fs_group=user if owns_volumes else None,
        fs_group_change_policy="OnRootMismatch" if owns_volumes else None,
        seccomp_profile=JobV1SpecTemplateSpecSecurityContextSeccompProfile(type="RuntimeDefault"),
    )


def container_context(*, read_only_root: bool | None = None) -> JobV1SpecTemplateSpecContainerSecurityContext:
    """Drop every right that a container of the pod could have beyond its user's."""
    return JobV1SpecTemplateSpecContainerSecurityContext(
        allow_privilege_escalation=False,
        # The provider sends false where nothing is said, which overrules the pod's.
        run_as_non_root=True,
        read_only_root_filesystem=read_only_root,
        capabilities=JobV1SpecTemplateSpecContainerSecurityContextCapabilities(drop=["ALL"]),
    )
