"""checkov finds nothing in Opik's rendered objects that is not accepted with a reason."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.settings.opik import OpikProfile
from tests.support.opik.rendering import RENDERING, THIRD_PARTY, render, settings_with

pytestmark = [*RENDERING, pytest.mark.policy]

NOT_IN_CHARTS = {
    "CKV2_K8S_6": "network policies are Terraform's: stacks/platform/components/opik/traffic.py",
    "CKV_K8S_15": "images have fixed tags, so a node may keep them",
    "CKV_K8S_21": "Helm gives objects without a namespace the release's",
    "CKV_K8S_40": "users of the images, whose files belong to them",
    "CKV_K8S_43": "digests stand in the environment's lock file",
    "CKV_K8S_35": "what the images read; no code of users runs there but the python-backend's",
}
"""Check to the reason why it says nothing here."""

ACCEPTED = {
    "CKV_K8S_8": ("the operator's chart has no key for probes", {"altinity-clickhouse-operator"}),
    "CKV_K8S_9": ("the operator's chart has no key for probes", {"altinity-clickhouse-operator"}),
    "CKV_K8S_22": (
        "they write beside their program",
        {
            "altinity-clickhouse-operator",
            "altinity-clickhouse-operator-crd-install",
            "opik-backend",
            "opik-frontend",
            "opik-guardrails",
            "opik-minio-post-job",
            "opik-mysql",
        },
    ),
    "CKV_K8S_29": (
        "what counts is set for each container",
        {
            "altinity-clickhouse-operator-crd-install",
            "oauth2-proxy",
            "opik-backend",
            "opik-frontend",
            "opik-python-backend",
        },
    ),
    "CKV_K8S_38": (
        "the account has no token, or the operator and its hook need theirs",
        {
            "altinity-clickhouse-operator",
            "altinity-clickhouse-operator-crd-install",
            "opik-backend",
            "opik-frontend",
            "opik-minio",
            "opik-minio-post-job",
            "opik-mysql",
            "opik-python-backend",
        },
    ),
}
"""Check to the reason why it is accepted, and for which workloads."""


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_finding_is_accepted_with_a_reason_and_every_acceptance_is_used(environment: str, tmp_path: Path) -> None:
    settings = settings_with(environment, OpikProfile.SMALL)
    for name in (*THIRD_PARTY, "login-sessions", "opik-guardrails"):
        for number, item in enumerate(render(name, settings, tmp_path)):
            folder = tmp_path / "objects" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.json").write_text(json.dumps(item))
    checkov = Path(sys.executable).with_name("checkov")
    command = [str(checkov), "-d", str(tmp_path / "objects"), "--framework", "kubernetes", "-o", "json", "--compact"]
    result = subprocess.run(
        [*command, "--skip-check", ",".join(NOT_IN_CHARTS)], capture_output=True, text=True, check=False
    )
    report = json.loads(result.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 1000
    found: dict[str, set[str]] = {}
    for failed in report["results"]["failed_checks"]:
        found.setdefault(failed["check_id"], set()).add(failed["resource"].split(".")[-1])
    assert found == {check: workloads for check, (_, workloads) in ACCEPTED.items()}
