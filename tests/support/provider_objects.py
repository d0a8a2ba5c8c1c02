"""The objects that terraform-provider-kubernetes sends for a resource's configuration.

An attribute left out is not always absent in the request: where the field is a pointer in Kubernetes' Go types, the
provider sends the zero of its kind, or the default of its schema. `LEFT_OUT` has what it sends, each block with its
place in terraform-provider-kubernetes v2.38.0, folder `kubernetes`. What is no pointer is dropped when it is zero
(`omitempty`), so that leaving it out here is the same.
"""

from collections.abc import Mapping
from typing import Any

from scripts.lab.kube.api import Object

KINDS = {
    "kubernetes_config_map_v1": ("v1", "ConfigMap"),
    "kubernetes_default_service_account_v1": ("v1", "ServiceAccount"),
    "kubernetes_ingress_v1": ("networking.k8s.io/v1", "Ingress"),
    "kubernetes_job_v1": ("batch/v1", "Job"),
    "kubernetes_limit_range_v1": ("v1", "LimitRange"),
    "kubernetes_namespace_v1": ("v1", "Namespace"),
    "kubernetes_network_policy_v1": ("networking.k8s.io/v1", "NetworkPolicy"),
    "kubernetes_persistent_volume_claim_v1": ("v1", "PersistentVolumeClaim"),
    "kubernetes_persistent_volume_v1": ("v1", "PersistentVolume"),
    "kubernetes_priority_class_v1": ("scheduling.k8s.io/v1", "PriorityClass"),
    "kubernetes_resource_quota_v1": ("v1", "ResourceQuota"),
    "kubernetes_role_binding_v1": ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    "kubernetes_role_v1": ("rbac.authorization.k8s.io/v1", "Role"),
    "kubernetes_service_account_v1": ("v1", "ServiceAccount"),
    "kubernetes_storage_class_v1": ("storage.k8s.io/v1", "StorageClass"),
}

LEFT_OUT: dict[tuple[str, str], dict[str, Any]] = {
    # structure_job.go:79-137 (`expandJobV1Spec`); defaults: schema_job_spec.go:55, 72, 104
    ("kubernetes_job_v1", "spec"): {"backoff_limit": 6, "completions": 1, "manual_selector": False, "parallelism": 1},
    # structures_pod.go:721-905 (`expandPodSpec`); defaults: schema_pod_spec.go:38, 81, 145, 271, 423, 439
    ("template", "spec"): {
        "automount_service_account_token": True,
        "dns_policy": "ClusterFirst",
        "enable_service_links": True,
        "restart_policy": "Always",
        "share_process_namespace": False,
        "termination_grace_period_seconds": 30,
    },
    # structures_pod.go:1010 (`expandPodSecurityContext`)
    ("spec", "security_context"): {"run_as_non_root": False},
    # structures_container.go:618-661 (`expandContainerSecurityContext`); defaults: schema_container.go:760, 792, 799
    ("container", "security_context"): {
        "allow_privilege_escalation": True,
        "privileged": False,
        "read_only_root_filesystem": False,
        "run_as_non_root": False,
    },
    # structures_pod.go:1065-1078 (`expandSeccompProfile`); default: schema_container.go:183
    ("security_context", "seccomp_profile"): {"type": "Unconfined"},
    # structures_container.go (`expandContainerVolumeMounts`); default: schema_container.go:255
    ("container", "volume_mount"): {"mount_propagation": "None"},
    # structures_container.go (`expandSecretKeyRef`, `expandConfigMapKeyRef`, `expandSecretRef`, `expandConfigMapRef`)
    ("value_from", "secret_key_ref"): {"optional": False},
    ("value_from", "config_map_key_ref"): {"optional": False},
    ("env_from", "secret_ref"): {"optional": False},
    ("env_from", "config_map_ref"): {"optional": False},
    # structures_container.go (`expandProbe`); defaults: schema_container.go:719-745
    **{
        ("container", f"{probe}_probe"): {
            "failure_threshold": 3,
            "period_seconds": 10,
            "success_threshold": 1,
            "timeout_seconds": 1,
        }
        for probe in ("liveness", "readiness", "startup")
    },
    # structures_pod.go (`expandConfigMapVolumeSource`, `expandSecretVolumeSource`); schema_pod_spec.go:613, 919
    ("volume", "config_map"): {"default_mode": "0644", "optional": False},
    ("volume", "secret"): {"default_mode": "0644", "optional": False},
    # structures_pod.go (`expandTolerations`); default: schema_pod_spec.go:469
    ("spec", "toleration"): {"operator": "Equal"},
    # resource_kubernetes_network_policy_v1.go:85, 163
    ("ingress", "ports"): {"protocol": "TCP"},
    ("egress", "ports"): {"protocol": "TCP"},
    # resource_kubernetes_ingress_v1.go:98
    ("http", "path"): {"path_type": "ImplementationSpecific"},
    # resource_kubernetes_persistent_volume_v1.go:115, 197, and 135 for the claim
    ("kubernetes_persistent_volume_v1", "spec"): {
        "persistent_volume_reclaim_policy": "Retain",
        "volume_mode": "Filesystem",
    },
    ("spec", "claim_ref"): {"namespace": "default"},
    # resource_kubernetes_storage_class_v1.go:52, 64, 74
    ("", "kubernetes_storage_class_v1"): {
        "allow_volume_expansion": True,
        "reclaim_policy": "Delete",
        "volume_binding_mode": "Immediate",
    },
    # resource_kubernetes_service_account_v1.go:73
    ("", "kubernetes_service_account_v1"): {"automount_service_account_token": True},
    # resource_kubernetes_priority_class_v1.go:57, 82
    ("", "kubernetes_priority_class_v1"): {"preemption_policy": "PreemptLowerPriority"},
    # schema_rbac.go:91
    ("kubernetes_role_binding_v1", "subject"): {"namespace": "default"},
}
"""Block, below the block that holds it, to what is sent for each attribute that its configuration leaves out."""

_PLURALS = {
    "container": "containers",
    "init_container": "initContainers",
    "limit": "limits",
    "path": "paths",
    "port": "ports",
    "rule": "rules",
    "subject": "subjects",
    "toleration": "tolerations",
    "topology_spread_constraint": "topologySpreadConstraints",
    "volume": "volumes",
    "volume_mount": "volumeMounts",
}
_NAMES = {"storage_provisioner": "provisioner", "host_ipc": "hostIPC", "host_pid": "hostPID"}
_FREE = {
    "annotations",
    "capacity",
    "data",
    "default",
    "default_request",
    "hard",
    "labels",
    "limits",
    "match_labels",
    "max",
    "min",
    "node_selector",
    "parameters",
    "requests",
    "volume_attributes",
}
"""Maps, whose keys are somebody's own."""
_NUMBERS = {"run_as_user", "run_as_group", "fs_group", "toleration_seconds", "ttl_seconds_after_finished"}
_INLINED = {"persistent_volume_source"}
"""Blocks whose content stands in the object one level higher."""
_SINGLE = {"metadata", "spec", "template", "role_ref", "http", "backend", "service", "security_context"}
_OF_TERRAFORM = {"depends_on", "lifecycle", "provider", "timeouts", "count", "for_each"}
_OF_PROVIDER = {"wait_for_completion", "wait_until_bound", "wait_for_default_service_account", "wait_for_rollout"}


def sent(type_name: str, configuration: Mapping[str, Any]) -> Object:
    """Return what is created for a resource of `type_name`, its configuration given as cdktf writes it, resolved.

    Raises KeyError for a type of which this knows nothing.
    """
    api_version, kind = KINDS[type_name]
    arguments = {key: value for key, value in configuration.items() if key not in _OF_TERRAFORM | _OF_PROVIDER}
    found = _block("", type_name, arguments)
    if type_name == "kubernetes_default_service_account_v1":
        found["metadata"]["name"] = "default"
    return {"apiVersion": api_version, "kind": kind, **found}


def _block(parent: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    # An init container is expanded by the same function as a container.
    around = "container" if parent == "init_container" else parent
    found: dict[str, Any] = {}
    for key, value in {**LEFT_OUT.get((around, name), {}), **given}.items():
        if value is None:
            continue
        if key in _INLINED:
            found |= _block(name, key, _only(value))
        else:
            found[_name(key, value)] = _value(name, key, value)
    return found


def _name(key: str, value: Any) -> str:
    if key in _PLURALS and isinstance(value, list):
        return _PLURALS[key]
    if key in _NAMES:
        return _NAMES[key]
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _value(block: str, key: str, value: Any) -> Any:
    if key in _FREE and isinstance(value, dict):
        return dict(value)
    if key in _SINGLE and isinstance(value, list):
        value = _only(value)
    if isinstance(value, dict):
        return _block(block, key, value)
    if isinstance(value, list):
        return [_block(block, key, item) if isinstance(item, dict) else item for item in value]
    return _scalar(key, value)


def _scalar(key: str, value: Any) -> Any:
    if key in {"default_mode", "mode"}:
        return int(value, 8)
    if key in _NUMBERS or (key == "port" and isinstance(value, str) and value.isdigit()):
        return int(value)
    return value


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value
