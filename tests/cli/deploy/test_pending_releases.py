"""A deployment is not begun while a release is pending; where the cluster cannot be asked, Terraform says why."""

from types import SimpleNamespace
from typing import Any

import pytest

from scripts.cli.deploy.pending_releases import require_none_pending
from scripts.core.errors import ExitCode, OperatorError

PENDING = {
    "kind": "Secret",
    "metadata": {
        "name": "sh.helm.release.v1.opik.v5",
        "namespace": "opik",
        "creationTimestamp": "2026-11-30T10:00:00Z",
        "labels": {"owner": "helm", "name": "opik", "version": "5", "status": "pending-upgrade"},
    },
}


def _run(*stacks: str, deployed: bool = True) -> Any:
    outputs: dict[str, Any] = {"namespaces": {}} if deployed else {}
    return SimpleNamespace(stacks=dict.fromkeys(stacks), runner=lambda _name: SimpleNamespace(outputs=lambda: outputs))


def _kubectl(*records: dict[str, Any]) -> Any:
    return SimpleNamespace(items=lambda *words: list(records) if "status in" in words[-1] else [])


def test_a_pending_release_stops_a_deployment_with_the_command_that_frees_it() -> None:
    with pytest.raises(OperatorError, match="opik/opik \\(pending-upgrade since 2026-11-30T10:00:00Z\\)") as refused:
        require_none_pending(_run("aks", "platform"), "prod", lambda _: _kubectl(PENDING))
    assert refused.value.code is ExitCode.REFUSED
    assert "`llmctl state unlock-release prod`" in refused.value.fix


def test_nothing_stops_what_does_not_concern_the_platform_or_comes_first() -> None:
    def nobody(_environment: str) -> Any:
        raise AssertionError("the cluster was asked")

    assert require_none_pending(_run("aks"), "prod", nobody)
    require_none_pending(_run("platform", deployed=False), "prod", nobody)
    require_none_pending(_run("platform"), "prod", lambda _: _kubectl())


def test_a_cluster_that_cannot_be_asked_is_left_to_terraform() -> None:
    def unreachable(_environment: str) -> Any:
        raise OperatorError("no context")

    assert not require_none_pending(_run("platform"), "prod", unreachable)
