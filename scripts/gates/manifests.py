"""Checks rendered Kubernetes objects with checkov's rules for workloads, against one list of accepted findings."""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checkov import PolicyError, accepted, report

SKIPS = Path(__file__).parents[2] / "tests" / "manifest_skips.yaml"
"""The accepted findings: the only place where a check is waived."""


_WORKLOAD = re.compile(r'^ ?"?kind"?: "?(?:Pod|Deployment|DaemonSet|StatefulSet|Job|CronJob)"?,?$', re.MULTILINE)
"""What checkov has something to say about in any case."""


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

    Raises PolicyError when checkov fails or cannot parse a file.
    """
    found = report(folder, "kubernetes")
    results = found["results"]
    judged = {Path(entry["file_path"]).name for kind in ("passed", "failed") for entry in results[f"{kind}_checks"]}
    missed = [
        file.name for file in folder.glob("*.yaml") if file.name not in judged and _WORKLOAD.search(file.read_text())
    ]
    if missed:
        raise PolicyError(f"checkov did not understand {', '.join(sorted(missed))}")
    findings = {
        Finding(entry["check_id"], _address(entry), entry.get("check_name") or "") for entry in results["failed_checks"]
    }
    return sorted(findings), found["summary"]["passed"]


def load_skips(path: Path = SKIPS) -> list[Skip]:
    """Return the accepted findings. Raises PolicyError for an entry without check, resource or reason."""
    return [Skip(**entry) for entry in accepted(path, ("check", "resource", "reason"))]


def judge(
    findings: Iterable[Finding], skips: Sequence[Skip], releases: Iterable[str]
) -> tuple[list[Finding], list[Skip]]:
    """Return the findings that no entry accepts, and the entries for `releases` that accept nothing any more.

    The release `*` stands for the entries for any release: name it where all are checked.
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
