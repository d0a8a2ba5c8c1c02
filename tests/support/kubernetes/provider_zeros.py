"""What the kubernetes provider 2.38.0 sends for a boolean or a number that a block leaves out.

Terraform's SDK gives the provider every attribute of a block, an absent one as its schema's default or as the zero of
its type; whether that reaches the API is decided by the expander of the block. Read at tag v2.38.0 of
hashicorp/terraform-provider-kubernetes: `kubernetes/schema_container.go`, `schema_pod_spec.go`, `schema_job_spec.go`,
`structures_container.go`, `structures_pod.go`, `structure_job.go`, `structure_network_policy.go`,
`structure_ingress_spec_v1.go`, `structure_persistent_volume_spec.go` and the `resource_kubernetes_*.go` of the types.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zero:
    """One attribute: what is sent where it is left out, and what that does."""

    sent: str
    """The value in the API's words; `nothing` where the expander leaves the field out."""
    harm: str = ""
    """Why every block has to state the attribute; empty where what is sent equals the API's own default."""


NOTHING = Zero("nothing")
FALSE = Zero("false")

_POD = "kubernetes_job_v1.spec.template.spec"


def _containers(kind: str) -> dict[str, dict[str, Zero]]:
    """Return the attributes of containers and init containers, which have one schema and one expander."""
    return {
        f"{_POD}.{kind}": {"stdin": FALSE, "stdin_once": FALSE, "tty": FALSE},
        f"{_POD}.{kind}.security_context": {
            "allow_privilege_escalation": Zero("true", "`restricted` refuses the pod"),
            "privileged": FALSE,
            "read_only_root_filesystem": FALSE,
            "run_as_non_root": Zero("false", "it overrules the pod's true: `restricted` refuses the pod"),
        },
        f"{_POD}.{kind}.volume_mount": {"read_only": FALSE},
    }


ZEROS: dict[str, dict[str, Zero]] = {
    "kubernetes_config_map_v1": {"immutable": FALSE},
    "kubernetes_default_service_account_v1": {
        "automount_service_account_token": Zero("true", "every pod of the namespace gets a token"),
    },
    "kubernetes_ingress_v1": {"wait_for_load_balancer": FALSE},
    "kubernetes_ingress_v1.spec.rule.http.path": {
        "path_type": Zero("ImplementationSpecific", "each controller matches in its own way"),
    },
    "kubernetes_ingress_v1.spec.rule.http.path.backend.service.port": {
        "number": Zero("0", "a path without a port is refused"),
    },
    "kubernetes_job_v1": {
        "wait_for_completion": Zero("true", "whether a deployment waits for the Job is a decision"),
    },
    "kubernetes_job_v1.spec": {
        "active_deadline_seconds": NOTHING,
        "backoff_limit": Zero("6", "each try may take minutes"),
        "backoff_limit_per_index": NOTHING,
        "completions": Zero("1"),
        "manual_selector": FALSE,
        "max_failed_indexes": NOTHING,
        "parallelism": Zero("1"),
    },
    _POD: {
        "active_deadline_seconds": NOTHING,
        "automount_service_account_token": Zero("true", "the pod gets a token that it does not need"),
        "enable_service_links": Zero("true", "every Service's address becomes a variable, PORT among them"),
        "host_ipc": FALSE,
        "host_network": FALSE,
        "host_pid": FALSE,
        "restart_policy": Zero("Never", "whether a failed pod's log stays is a decision"),
        "share_process_namespace": FALSE,
        "termination_grace_period_seconds": Zero("30"),
    },
    f"{_POD}.security_context": {
        "run_as_non_root": Zero("false", "`restricted` refuses the pod"),
        "run_as_user": Zero("nothing", "the image's user may be a name, which runAsNonRoot cannot judge"),
    },
    f"{_POD}.security_context.seccomp_profile": {"type": Zero("Unconfined", "`baseline` refuses the pod")},
    **_containers("container"),
    **_containers("init_container"),
    f"{_POD}.volume.config_map": {"optional": FALSE},
    f"{_POD}.volume.persistent_volume_claim": {"read_only": FALSE},
    f"{_POD}.volume.projected.sources.service_account_token": {"expiration_seconds": Zero("3600")},
    f"{_POD}.volume.secret": {"optional": FALSE},
    "kubernetes_namespace_v1": {
        "wait_for_default_service_account": Zero("false", "a Job right after the namespace meets no account"),
    },
    "kubernetes_network_policy_v1.spec.egress.ports": {
        "end_port": NOTHING,
        "port": Zero("nothing", "every port is open"),
        "protocol": Zero("TCP"),
    },
    "kubernetes_network_policy_v1.spec.ingress.ports": {
        "end_port": NOTHING,
        "port": Zero("nothing", "every port is open"),
        "protocol": Zero("TCP"),
    },
    "kubernetes_persistent_volume_claim_v1": {"wait_until_bound": Zero("true")},
    "kubernetes_persistent_volume_v1.spec": {
        "persistent_volume_reclaim_policy": Zero("Retain", "what becomes of data is stated, not left to a default"),
    },
    "kubernetes_persistent_volume_v1.spec.persistent_volume_source.csi": {"read_only": FALSE},
    "kubernetes_priority_class_v1": {"global_default": FALSE},
    "kubernetes_service_account_v1": {
        "automount_service_account_token": Zero("true", "its pods get a token that most do not need"),
    },
    "kubernetes_storage_class_v1": {
        "allow_volume_expansion": Zero("true", "the API's default is false: a claim could outgrow what Terraform made"),
        "reclaim_policy": Zero("Delete", "data would go with their claim"),
        "volume_binding_mode": Zero("Immediate", "a zonal disk is made before its pod has a zone"),
    },
}
"""By the path of the block; texts stand here too where their default is unlike the API's or does harm."""
