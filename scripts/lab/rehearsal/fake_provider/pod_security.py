"""Pod Security's answer to the pods of a kubernetes_* resource, with the zeros that the real provider sends.

Where a container has a security context, terraform-provider-kubernetes 2.38.0 sends every boolean in it, false (or the
schema's default) where the configuration is silent: kubernetes/structures_container.go:618-661
(`expandContainerSecurityContext`), defaults in schema_container.go:760-799. False overrules the pod's own setting.
The checks: k8s.io/pod-security-admission, policy/check_runAsNonRoot.go, check_allowPrivilegeEscalation.go,
check_capabilities_restricted.go, check_privileged.go. Seen with both on kube-apiserver 1.36.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .protocol.values import is_unknown, lookup

LEVEL = "pod-security.kubernetes.io/enforce"
_ZERO = {"run_as_non_root": False, "allow_privilege_escalation": True, "privileged": False}


def violations(pod: Any, level: str) -> list[str]:
    """Return what a namespace's level refuses in a pod as the provider sends it; empty where it is admitted.

    `pod` is the block `spec` of a pod template. A value that is not known yet is not checked.
    """
    containers = [*(lookup(pod, "init_container") or []), *(lookup(pod, "container") or [])]
    found = []
    if level in ("baseline", "restricted"):
        found += [
            _told("privileged", "must not set securityContext.privileged=true", *_where(containers, "privileged"))
        ]
    if level == "restricted":
        found += [
            _told(
                "allowPrivilegeEscalation != false",
                "must set securityContext.allowPrivilegeEscalation=false",
                *_where(containers, "allow_privilege_escalation"),
            ),
            _told(
                "unrestricted capabilities",
                'must set securityContext.capabilities.drop=["ALL"]',
                *(name for name, context in _contexts(containers) if "ALL" not in _dropped(context)),
            ),
            _told(
                "runAsNonRoot != true", "must not set securityContext.runAsNonRoot=false", *_as_root(pod, containers)
            ),
        ]
    return [text for text in found if text]


def _told(fault: str, need: str, *names: str) -> str:
    if not names:
        return ""
    kind = "container" if len(names) == 1 else "containers"
    quoted = ", ".join(json.dumps(name) for name in names)
    return f"{fault} ({kind} {quoted} {need})"


def _contexts(containers: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for container in containers:
        context = lookup(container, "security_context.0")
        yield str(container["name"]), context if isinstance(context, dict) else {}


def _where(containers: list[Any], setting: str) -> Iterator[str]:
    """Yield the containers in which a boolean is true as it is sent."""
    for name, context in _contexts(containers):
        value = context.get(setting)
        # Without a security context nothing is sent, and Kubernetes' own default is the provider's.
        if (_ZERO[setting] if value is None else value) is True:
            yield name


def _as_root(pod: Any, containers: list[Any]) -> Iterator[str]:
    of_pod = lookup(pod, "security_context.0.run_as_non_root")
    for name, context in _contexts(containers):
        value = context.get("run_as_non_root")
        sent = (_ZERO["run_as_non_root"] if context else of_pod) if value is None else value
        if not sent and not is_unknown(sent):
            yield name


def _dropped(context: dict[str, Any]) -> list[str]:
    dropped = lookup(context, "capabilities.0.drop")
    return ["ALL"] if is_unknown(dropped) else list(dropped or [])
