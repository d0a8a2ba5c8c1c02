"""Judges rendered Kubernetes objects with checkov's rules for workloads, against one list of accepted findings."""

import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

SKIPS = Path(__file__).parents[2] / "tests" / "manifest_skips.yaml"
"""The accepted findings: the only place where a check is waived."""


_WORKLOAD = re.compile(r'^ ?"?kind"?: "?(?:Pod|Deployment|DaemonSet|StatefulSet|Job|CronJob)"?,?$', re.MULTILINE)
"""What checkov has something to say about in any case."""


class ManifestError(Exception):
    """checkov could not judge the objects, or the list of accepted findings is faulty."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A check that an object fails."""

    check: str
    resource: str
    """`<release>/<kind>/<name>`."""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A finding that is accepted, and why."""

    check: str
    resource: str
    """`*` stands for any text."""
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Return whether this entry accepts `finding`."""
        return self.check == finding.check and fnmatch.fnmatchcase(finding.resource, self.resource)


def find(folder: Path) -> tuple[list[Finding], int]:
    """Return the findings in `<release>.yaml` files of a folder, and how many checks passed. Nothing is downloaded.

    Raises ManifestError when checkov fails or cannot parse a file.
    """
    command = [sys.executable, "-m", "checkov.main", "-d", str(folder), "--framework", "kubernetes"]
    run = subprocess.run(  # noqa: S603
        [*command, "-o", "json", "--skip-download", "--soft-fail"], capture_output=True, text=True, check=False
    )
    try:
        report: dict[str, Any] = json.loads(run.stdout)
        summary = report.get("summary", report)
    except json.JSONDecodeError:
        raise ManifestError(f"checkov ended with {run.returncode} and no report: {run.stderr[-500:]}") from None
    if summary["parsing_errors"]:
        raise ManifestError(f"checkov could not parse {report['results'].get('parsing_errors')}")
    if not summary["passed"]:
        raise ManifestError(f"checkov found nothing to judge in {folder}")
    judged = {
        Path(entry["file_path"]).name for kind in ("passed", "failed") for entry in report["results"][f"{kind}_checks"]
    }
    missed = [
        file.name for file in folder.glob("*.yaml") if file.name not in judged and _WORKLOAD.search(file.read_text())
    ]
    if missed:
        raise ManifestError(f"checkov did not understand {', '.join(sorted(missed))}")
    findings = {
        Finding(entry["check_id"], _address(entry), entry.get("check_name") or "")
        for entry in report["results"]["failed_checks"]
    }
    return sorted(findings), summary["passed"]


def load_skips(path: Path = SKIPS) -> list[Skip]:
    """Return the accepted findings. Raises ManifestError for an entry without check, resource or reason."""
    skips = []
    for number, entry in enumerate(YAML(typ="safe").load(path.read_text("utf-8")) or [], start=1):
        missing = [key for key in ("check", "resource", "reason") if not entry.get(key)]
        if missing:
            raise ManifestError(f"{path.name}: entry {number} has no {' and no '.join(missing)}")
        skips.append(Skip(**entry))
    return skips


def judge(
    findings: Iterable[Finding], skips: Sequence[Skip], releases: Iterable[str]
) -> tuple[list[Finding], list[Skip]]:
    """Return the findings that no entry accepts, and the entries for `releases` that accept nothing any more.

    The release `*` stands for the entries for any release: name it where all are judged.
    """
    findings, releases = list(findings), set(releases)
    unused = [
        skip
        for skip in skips
        if skip.resource.split("/")[0] in releases and not any(skip.covers(finding) for finding in findings)
    ]
    return [finding for finding in findings if not any(skip.covers(finding) for skip in skips)], unused


def _address(entry: dict[str, Any]) -> str:
    # checkov names an object `<kind>.<namespace>.<name>`; names may hold dots, kinds and namespaces may not.
    kind, _, name = entry["resource"].split(".", 2)
    return f"{Path(entry['file_path']).stem}/{kind}/{name}"
