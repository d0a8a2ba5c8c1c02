"""What the pods of Jobs state so that the Pod Security level `restricted` takes them."""


def pod_context(user_id: int, *, owns_volumes: bool = False) -> dict[str, object]:
    """Run as user and group `user_id`; `owns_volumes` gives the group the roots of the pod's volumes."""
    user = str(user_id)
    volumes = {"fs_group": user, "fs_group_change_policy": "OnRootMismatch"} if owns_volumes else {}
    return {
        "run_as_non_root": True,
        "run_as_user": user,
        "run_as_group": user,
        "seccomp_profile": {"type": "RuntimeDefault"},
        **volumes,
    }


def container_context() -> dict[str, object]:
    """Drop every right that a container of the pod could have beyond its user's."""
    return {
        "allow_privilege_escalation": False,
        # The provider sends false where nothing is said, which overrules the pod's.
        "run_as_non_root": True,
        "read_only_root_filesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
