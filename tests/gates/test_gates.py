"""The gates fail when they should: credentials in files, software without a licence, pods that may too much."""

import datetime
import itertools
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scripts.cli.develop import policy
from scripts.core.errors import ExitCode, OperatorError
from scripts.gates import licences, manifests, pods, secrets
from scripts.gates.findings import PolicyError, Skip, compare, ended, load_skips
from scripts.gates.licences import Licence
from scripts.gates.pods import Deployed
from stacks.platform.common.catalogue import charts
from tests.support.kubernetes import releases, third_party
from tests.support.kubernetes.deployed import deployed
from tests.support.stacks.synthesis import Synthesized, synthesize

ROOT = Path(__file__).parents[2]

# Put together here, so that this file holds none of them.
CREDENTIALS = {
    "Entra client secret": "abc8" + "Q~" + "dEfGhIjKlMnOpQrStUvWxYz0123456789",
    "Platform token": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "Private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Basic Auth Credentials": "https://someone:" + "hunter2@example.org",
    "GitHub Token": "ghp_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
    "Azure Storage Account access key": "AccountKey=" + "A" * 86 + "==",
}


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_credential_is_found_by_its_form_and_not_repeated(kind: str, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(f"first line\nit is {CREDENTIALS[kind]}\n")
    found = secrets.scan(["notes.md"], tmp_path)
    assert [(it.resource, it.line, it.check) for it in found] == [("notes.md", 2, kind)]
    assert CREDENTIALS[kind] not in repr(found)


def test_digests_and_ids_are_no_credentials(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(f'"integrity": "sha512-{"A" * 86}=="\nsha256:{"0a" * 32}\n{"0" * 8}-1111-2222\n')
    assert secrets.scan(["lock"], tmp_path) == []


@pytest.mark.slow
def test_the_repository_holds_no_credential_and_every_acceptance_is_used() -> None:
    assert compare(secrets.scan(secrets.repository_files()), load_skips(secrets.SKIPS)) == ([], [])


def test_a_new_file_is_scanned_before_it_is_committed(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "new.env").write_text(CREDENTIALS["Platform token"])
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "ignored").write_text(CREDENTIALS["Platform token"])
    assert [it.resource for it in secrets.scan(secrets.repository_files(tmp_path), tmp_path)] == ["new.env"]


def test_the_command_fails_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(CREDENTIALS["Private key"])
    ended = CliRunner().invoke(policy.app, ["secrets", str(file)])
    assert f"{file}:1: Private key" in ended.stdout
    assert isinstance(ended.exception, OperatorError)
    assert ended.exception.code == ExitCode.FAILED
    (tmp_path / "clean").write_text("nothing")
    assert CliRunner().invoke(policy.app, ["secrets", str(tmp_path / "clean")]).exit_code == ExitCode.OK


def test_every_chart_and_image_has_a_licence_and_the_page_says_so() -> None:
    known, names = licences.load(), licences.deployed()
    assert list(licences.errors(known, names)) == []
    assert licences.PAGE.read_text() == licences.page(known, names)
    assert all(f"`{name}`" in licences.page(known, names) for name in names)


@pytest.mark.parametrize(
    ("known", "error"),
    [
        ([], "x/new has no entry"),
        ([Licence("MIT", "s", ("x/*",)), Licence("MIT", "s", ("x/new",))], "x/new has 2 entries"),
        ([Licence("MIT", "s", ("x/new", "x/gone"))], "x/gone covers nothing"),
        ([Licence("AGPL-3.0-only", "s", ("x/new",))], "AGPL-3.0-only .* needs a note"),
    ],
)
def test_a_licence_that_is_missing_or_silent_about_its_duties_is_an_error(known: list[Licence], error: str) -> None:
    (found,) = licences.errors(known, ["x/new"])
    assert re.search(error, found)


POD = """
apiVersion: v1
kind: Pod
metadata: {name: loose, namespace: serving}
spec:
  hostPID: true
  containers:
    - {name: c, image: "docker.io/library/busybox:latest", securityContext: {privileged: true}}
"""


@pytest.mark.policy
def test_a_pod_that_may_everything_is_found(tmp_path: Path) -> None:
    (tmp_path / "loose.yaml").write_text(POD)
    findings, _ = manifests.find(tmp_path)
    failed = {finding.check for finding in findings}
    assert {"CKV_K8S_16", "CKV_K8S_17", "CKV_K8S_14"} <= failed
    left, _ = compare(findings, load_skips(manifests.SKIPS))
    assert {"CKV_K8S_16", "CKV_K8S_17", "CKV_K8S_14"} <= {finding.check for finding in left}
    assert {finding.resource for finding in left} == {"loose/Pod/loose"}


@pytest.mark.policy
def test_a_file_that_checkov_does_not_understand_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(POD)
    (tmp_path / "odd.yaml").write_text(POD.replace("hostPID: true", "hostPID: {"))
    with pytest.raises(PolicyError, match=r"odd\.yaml"):
        manifests.find(tmp_path)


def test_an_acceptance_of_manifests_needs_a_reason(tmp_path: Path) -> None:
    (tmp_path / "skips.yaml").write_text("- {check: CKV_K8S_16, resource: '*', until: 2099-01-01}\n")
    with pytest.raises(PolicyError, match=r"skips\.yaml: entry 1 has no reason"):
        load_skips(tmp_path / "skips.yaml")


needs_helm = pytest.mark.skipif(releases.HELM is None, reason="helm is not on PATH; the CI set brings it")


@pytest.fixture(scope="module")
def everything(
    environment: Callable[[str], Synthesized], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Deployed]]:
    """Return what stands in the cluster of each environment, and of one that uses what those two leave out."""
    synthesized = {name: environment(name) for name in ("dev", "prod")}
    synthesized["all"] = synthesize(third_party.everything_on(), tmp_path_factory.mktemp("synthesized"))
    return {name: list(deployed(found, tmp_path_factory.mktemp(name))) for name, found in synthesized.items()}


@pytest.mark.policy
@needs_helm
def test_rendered_charts_pods_and_roles_are_accepted_and_every_acceptance_is_used(
    everything: dict[str, list[Deployed]], tmp_path: Path
) -> None:
    sources: dict[str, list[str]] = {}
    for part in itertools.chain(*everything.values()):
        sources.setdefault(part.source, []).extend(json.dumps(item, indent=1) for item in part.objects)
    for source in sources.keys() - {"terraform", "run-time", "llmctl"}:
        (tmp_path / f"{source}.yaml").write_text("\n---\n".join(sources[source]))
    findings, passed = manifests.find(tmp_path)
    assert passed > 400
    findings += [finding for found in everything.values() for finding in pods.find(found)]
    # Without the charts of third parties entries for any of them may be of no use.
    named = [*sources, *(["*"] if third_party.FOLDER else [])]
    left, unused = compare(findings, manifests.accepted())
    assert left == []
    assert [skip for skip in unused if skip.resource.split("/")[0] in named] == []


@pytest.mark.programs
@needs_helm
def test_every_pod_of_an_own_chart_of_terraform_and_of_a_command_is_confined(
    everything: dict[str, list[Deployed]],
) -> None:
    own = {"terraform", "llmctl", "litellm", "valkey", "vllm", "serving-front", "rights"}
    mine = [part for found in everything.values() for part in found if part.source in own]
    assert len(list(pods.pods(mine))) > 20
    assert pods.find(mine) == []


CONFINED = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "c",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
}


@pytest.mark.parametrize(
    ("kind", "change", "check"),
    [
        ("Deployment", {"automountServiceAccountToken": None}, "pod-token"),
        ("StatefulSet", {"automountServiceAccountToken": True}, "pod-token"),
        ("Job", {"hostNetwork": True}, "pod-host"),
        ("DaemonSet", {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "pod-host"),
        ("CronJob", {"initContainers": [{"name": "i", "securityContext": {"runAsUser": 0}}]}, "pod-root"),
        ("Pod", {"initContainers": [{"name": "i", "securityContext": {"privileged": True}}]}, "pod-privileged"),
        ("Pod", {"initContainers": [{"name": "i"}]}, "pod-root-filesystem"),
        ("Pod", {"initContainers": [{"name": "i"}]}, "pod-escalation"),
        ("Job", {"initContainers": [{"name": "i"}]}, "pod-capabilities"),
        ("Deployment", {"securityContext": {"runAsNonRoot": True}}, "pod-seccomp"),
    ],
)
def test_a_pod_that_may_more_than_it_needs_is_found_in_every_kind(
    kind: str, change: dict[str, Any], check: str
) -> None:
    def found(spec: dict[str, Any]) -> set[str]:
        template = {"spec": {"template": {"spec": spec}}}
        body = {"Pod": {"spec": spec}, "CronJob": {"spec": {"jobTemplate": template}}}.get(kind, template)
        item = {"kind": kind, "metadata": {"name": "n", "namespace": "ns"}, **body}
        return {finding.check for finding in pods.find([Deployed("chart", "ns", (item,))])}

    assert found(CONFINED) == set()
    assert check in found(CONFINED | change)


def test_the_token_is_judged_by_the_pods_account_wherever_it_is_made() -> None:
    spec = {key: value for key, value in CONFINED.items() if key != "automountServiceAccountToken"}
    pod = {"kind": "Pod", "metadata": {"name": "n"}, "spec": spec | {"serviceAccountName": "quiet"}}
    account = {"kind": "ServiceAccount", "metadata": {"name": "quiet"}, "automountServiceAccountToken": False}
    assert pods.find([Deployed("chart", "ns", (pod,)), Deployed("other", "ns", (account,))]) == []
    (found,) = pods.find([Deployed("chart", "ns", (pod,)), Deployed("other", "elsewhere", (account,))])
    assert (found.check, found.resource) == ("pod-token", "chart/Pod/n")


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}, True),
        ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, True),
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}, False),
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["one"]}, False),
        ({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, False),
    ],
)
def test_a_role_that_reads_the_clusters_secrets_is_found(rule: dict[str, Any], found: bool) -> None:
    role = {"kind": "ClusterRole", "metadata": {"name": "wide"}, "rules": [rule]}
    assert bool(pods.find([Deployed("chart", "ns", (role,))])) is found


@pytest.mark.parametrize(
    ("until", "over"),
    [("2027-01-01", False), ("2026-12-31", True), ("2026-12-30", True), ("a-chart 1.10", False), ("a-chart 1.9", True)],
)
def test_an_acceptance_ends_on_its_day_or_with_its_version(until: str, over: bool) -> None:
    skip = Skip(check="c", resource="r", reason="r", until=until)
    assert bool(ended([skip], datetime.date(2026, 12, 31), {"a-chart": "v1.9.3"})) is over


def test_an_end_that_is_none_is_refused() -> None:
    for until in ("soon", "no-chart 2", "a-chart later"):
        skip = Skip(check="c", resource="r", reason="r", until=until)
        with pytest.raises(PolicyError, match="neither date nor chart"):
            ended([skip], datetime.date(2026, 12, 31), {"a-chart": "1.0.0"})


def test_no_acceptance_is_over() -> None:
    versions = {release: pin.version for release, pin in charts().items()}
    assert ended(manifests.accepted(), datetime.date.today(), versions) == []
