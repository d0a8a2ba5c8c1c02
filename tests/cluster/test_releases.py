"""What a killed Helm run leaves, as the labels of its records tell it."""

from typing import Any

import pytest

from scripts.cli.state.releases import unlock
from scripts.cluster.releases import pending_releases
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from tests.support.cli.terminals import answering


def _record(namespace: str, name: str, version: int, status: str, kind: str = "Secret") -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{version}",
            "namespace": namespace,
            "creationTimestamp": "2026-11-30T10:00:00Z",
            "labels": {"owner": "helm", "name": name, "version": str(version), "status": status},
        },
    }


class FakeKubectl:
    """Records by the selectors that are asked for."""

    context = ""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = list(records)

    def items(self, kinds: str, *arguments: str) -> list[dict[str, Any]]:
        assert kinds == "secrets,configmaps"
        selector = arguments[arguments.index("-l") + 1]
        found = []
        for record in self.records:
            labels = record["metadata"]["labels"]
            pending = "status in" in selector
            if pending and not labels["status"].startswith("pending-"):
                continue
            if not pending and selector != f"owner=helm,name={labels['name']},status={labels['status']}":
                continue
            if arguments[0] == "-n" and record["metadata"]["namespace"] != arguments[1]:
                continue
            found.append(record)
        return found

    def run(self, action: str, record: str, *arguments: str) -> str:
        assert action == "delete"
        kind, _, name = record.partition("/")
        self.records = [
            it
            for it in self.records
            if (it["kind"].lower(), it["metadata"]["name"], it["metadata"]["namespace"]) != (kind, name, arguments[1])
        ]
        return ""


@pytest.fixture
def kubectl() -> Any:
    return FakeKubectl(
        _record("opik", "opik", 3, "superseded"),
        _record("opik", "opik", 4, "deployed"),
        _record("opik", "opik", 5, "pending-upgrade"),
        _record("chat", "open-webui", 1, "pending-install", "ConfigMap"),
        _record("gateway", "litellm", 2, "deployed"),
        _record("other", "opik", 9, "deployed"),
    )


def test_a_pending_release_is_told_with_the_revision_that_stays(kubectl: Any) -> None:
    found = [(it.path, it.revision, it.status, it.kept) for it in pending_releases(kubectl)]
    assert found == [("chat/open-webui", 1, "pending-install", None), ("opik/opik", 5, "pending-upgrade", 4)]


def test_only_the_record_of_what_never_ended_is_removed_and_only_after_the_question(kubectl: Any) -> None:
    before = list(kubectl.records)
    unlock(kubectl, Consent("dev", yes=True), "", dry_run=True)
    with pytest.raises(OperatorError, match="not confirmed"):
        unlock(kubectl, Consent("dev", terminal=answering("n")), "", dry_run=False)
    assert kubectl.records == before
    assert unlock(kubectl, Consent("dev", yes=True), "opik/opik", dry_run=False) == [
        {"release": "opik/opik", "status": "pending-upgrade", "revision": 5, "kept": 4}
    ]
    assert kubectl.records == [it for it in before if it["metadata"]["name"] != "sh.helm.release.v1.opik.v5"]


def test_a_release_that_is_not_pending_is_left_alone(kubectl: Any) -> None:
    with pytest.raises(OperatorError, match="gateway/litellm is not pending") as refused:
        unlock(kubectl, Consent("dev", yes=True), "gateway/litellm", dry_run=False)
    assert refused.value.code is ExitCode.USAGE
