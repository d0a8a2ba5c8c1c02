"""Pods that were made before the present proxy or roots are named, others are not."""

from datetime import UTC, datetime
from typing import Any

from scripts.diagnostics.doctor import egress
from scripts.diagnostics.doctor.snapshot import Snapshot

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def policy(name: str, mark: str, *values: str, key: str = "kubernetes.io/metadata.name") -> dict[str, Any]:
    selector = {"matchExpressions": [{"key": key, "values": list(values)}]}
    meta = {"name": name, "annotations": {f"platform/{name}": mark}}
    return {"metadata": meta, "spec": {"matchConstraints": {"namespaceSelector": selector}}}


def pod(name: str, namespace: str, phase: str = "Running", **marks: str) -> dict[str, Any]:
    annotations = {f"platform/{key.replace('_', '-')}": mark for key, mark in marks.items()}
    return {"metadata": {"name": name, "namespace": namespace, "annotations": annotations}, "status": {"phase": phase}}


def test_pods_of_an_older_policy_are_named_by_namespace() -> None:
    policies = [policy("egress-proxy", "new", "chat", "opik"), policy("images", "x", "chat")]
    pods = [
        pod("web-1", "chat", egress_proxy="old"),
        pod("web-2", "chat"),
        pod("opik-1", "opik", egress_proxy="new"),
        pod("job-1", "opik", "Succeeded"),
        pod("dns", "kube-system"),
    ]
    (found,) = egress.find(Snapshot(NOW, {egress.POLICIES: policies, "pods": pods}))
    assert (found.where, found.detail) == ("chat", "web-1 and 1 more: made before the present policy egress-proxy")
    assert "kubectl rollout restart deployment,statefulset -n chat" in found.fix("dev")


def test_pods_of_a_namespace_with_the_label_are_among_them() -> None:
    policies = [policy("bundled-roots", "new", "true", key="platform/trusted-roots")]
    spaces = [{"metadata": {"name": "research", "labels": {"platform/trusted-roots": "true"}}}]
    spaces.append({"metadata": {"name": "chat"}})
    pods = [pod("ask", "research", bundled_roots="old"), pod("web-1", "chat")]
    (found,) = egress.find(Snapshot(NOW, {egress.POLICIES: policies, "namespaces": spaces, "pods": pods}))
    assert (found.where, found.detail) == ("research", "ask: made before the present policy bundled-roots")


def test_nothing_is_said_without_a_policy() -> None:
    assert list(egress.find(Snapshot(NOW, {"pods": [pod("web-1", "chat")]}))) == []
