"""What was deployed is kept in the environment's registry, for whoever asks from another checkout."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.bootstrap.terraform import Terraform
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.schedule import Outcome
from scripts.core.workspace import ROOT, Workspace
from scripts.deployment import history
from scripts.deployment.history import DOCUMENT, Deployment, add, note, read
from scripts.images.registry.client import Registry
from scripts.images.registry.document import TAG
from scripts.images.registry.manifests import Manifest
from scripts.review.plan import Changes
from scripts.terraform.rollout import Report, Rollout
from tests.support.images.oci_registry import OciRegistry

NOW = datetime(2026, 11, 30, 19, 40, 5, tzinfo=UTC)


@pytest.fixture
def served() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as registry:
        yield registry


def client(served: OciRegistry) -> Registry:
    return Registry(served.name, pause=lambda _seconds: None)


def deployment(time: str, who: str = "ada@acme.io") -> Deployment:
    return Deployment(time, who, "abc123", "0.9.0", "deploy", ok=True, changes={"platform": "2 changed"})


def run(base: Path, **reports: Report) -> Rollout:
    return Rollout(Workspace("dev", base), {}, Terraform("terraform", "1.11.0"), Processes(), reports=reports)


def changed(outcome: Outcome = Outcome.DONE) -> Report:
    return Report(outcome, Changes(create=1, update=2))


def test_a_run_is_kept_with_who_did_it_from_which_commit(served: OciRegistry) -> None:
    ended = run(ROOT, platform=changed(), aks=Report(Outcome.DONE))
    note(ended, ok=True, now=lambda: NOW, who=lambda: "ada@acme.io", registry=lambda _name: client(served))
    (kept,) = read(client(served))
    assert (kept.time, kept.who, kept.action, kept.ok) == ("2026-11-30T19:40:05Z", "ada@acme.io", "deploy", True)
    assert kept.changes == {"platform": "1 created, 2 updated"}
    assert kept.commit


def test_a_run_that_changed_nothing_and_a_rehearsal_are_not(served: OciRegistry, tmp_path: Path) -> None:
    for ended in (run(ROOT, aks=Report(Outcome.DONE)), run(tmp_path, aks=changed())):
        note(ended, ok=True, registry=lambda _name: client(served))
    assert served.requests == []


def test_a_registry_that_does_not_answer_is_one_line_and_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = Registry("127.0.0.1:1", pause=lambda _seconds: None)
    note(run(ROOT, platform=changed()), ok=True, who=lambda: "ada", registry=lambda _name: nobody)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("This is not in the history of deployments (llmctl env history): ")
    note(run(ROOT, identity=changed()), ok=True, who=lambda: "ada", registry=lambda _name: nobody)
    assert capsys.readouterr().err == "", "before there is a registry, there is nothing to say"


def test_the_newest_come_first_and_the_oldest_leave(served: OciRegistry) -> None:
    for time in ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-01T00:00:00Z"):
        add(client(served), deployment(time), keep=2)
    assert [one.time for one in read(client(served))] == ["2026-11-03T00:00:00Z", "2026-11-02T00:00:00Z"]


class Interrupted(Registry):
    """Somebody else writes theirs between our reading and our writing, once."""

    others: Deployment | None = None

    def put_manifest(self, repository: str, selector: str, manifest: Manifest) -> None:
        """Store ours, and then theirs over it."""
        super().put_manifest(repository, selector, manifest)
        if self.others and selector == TAG:
            theirs, self.others = self.others, None
            DOCUMENT.write(self, history._rendered((theirs,)))


def test_two_who_deploy_at_once_are_both_kept(served: OciRegistry) -> None:
    ours = Interrupted(served.name)
    ours.others = deployment("2026-11-02T00:00:00Z", "grace@acme.io")
    add(ours, deployment("2026-11-01T00:00:00Z"))
    assert [one.who for one in read(client(served))] == ["grace@acme.io", "ada@acme.io"]


@pytest.mark.parametrize("content", [b'{"format": 9}', b"[]", b"no json", b'{"format": 1, "deployments": [{"a": 1}]}'])
def test_what_is_no_history_is_one_sentence(served: OciRegistry, content: bytes) -> None:
    add(client(served), deployment("2026-11-01T00:00:00Z"))
    stored = served.blobs[DOCUMENT.repository]
    (digest,) = [digest for digest, blob in stored.items() if b"deployments" in blob]
    stored[digest] = content
    with pytest.raises(OperatorError, match="is no history that this version reads") as caught:
        read(client(served))
    assert caught.value.code is ExitCode.NOT_READY


def test_the_artifact_says_what_it_is(served: OciRegistry) -> None:
    add(client(served), deployment("2026-11-01T00:00:00Z"))
    _, body = served.manifests[DOCUMENT.repository][served.tags[DOCUMENT.repository][TAG]]
    assert json.loads(body)["artifactType"] == "application/vnd.llm-platform.deployments.v1+json"
