"""The objects that terraform-provider-kubernetes sends for a resource's configuration.

What a configuration leaves out is not always absent in the request: `provider_zeros` beside this has what is sent.
"""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from scripts.lab.kube.api import Object

from .provider_zeros import ZEROS

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
_SINGLE = {"metadata", "spec", "template", "role_ref", "http", "backend", "service", "security_context", "projected"}
_OF_TERRAFORM = {"depends_on", "lifecycle", "provider", "timeouts", "count", "for_each"}
_OF_PROVIDER = {
    "wait_for_completion",
    "wait_for_default_service_account",
    "wait_for_load_balancer",
    "wait_until_bound",
}


def sent(type_name: str, configuration: Mapping[str, Any]) -> Object:
    """Return what is created for a resource of `type_name`, its configuration given as cdktf writes it, resolved.

    Raises KeyError for a type of which this knows nothing.
    """
    api_version, kind = KINDS[type_name]
    arguments = {key: value for key, value in configuration.items() if key not in _OF_TERRAFORM}
    found = _block(type_name, arguments)
    if type_name == "kubernetes_default_service_account_v1":
        found["metadata"]["name"] = "default"
    return {"apiVersion": api_version, "kind": kind, **found}


def _block(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in {**_left_out(path), **given}.items():
        if value is None or key in _OF_PROVIDER:
            continue
        if key in _INLINED:
            found |= _block(f"{path}.{key}", _only(value))
        else:
            found[_name(key, value)] = _value(path, key, value)
    return found


def _left_out(path: str) -> dict[str, Any]:
    """Return what the provider sends for the attributes of a block, each unless it is stated.

    The zero of a number is left out: no field of ours that may be one is a pointer, so that it never reaches the API.
    """
    yaml = YAML(typ="safe")
    sent = {key: yaml.load(zero.sent) for key, zero in ZEROS.get(path, {}).items() if zero.sent != "nothing"}
    return {key: value for key, value in sent.items() if isinstance(value, bool) or value}


def _name(key: str, value: Any) -> str:
    if key in _PLURALS and isinstance(value, list):
        return _PLURALS[key]
    if key in _NAMES:
        return _NAMES[key]
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _value(path: str, key: str, value: Any) -> Any:
    if key in _FREE and isinstance(value, dict):
        return dict(value)
    if key in _SINGLE and isinstance(value, list):
        value = _only(value)
    if isinstance(value, dict):
        return _block(f"{path}.{key}", value)
    if isinstance(value, list):
        return [_block(f"{path}.{key}", item) if isinstance(item, dict) else item for item in value]
    return _scalar(key, value)


def _scalar(key: str, value: Any) -> Any:
    if key in {"default_mode", "mode"}:
        return int(value, 8)
    if key in _NUMBERS or (key == "port" and isinstance(value, str) and value.isdigit()):
        return int(value)
    return value


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value
