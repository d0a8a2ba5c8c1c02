"""Check synthesized stacks with checkov, against one list of accepted findings."""

import fnmatch
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .checkov import accepted, report

SKIPS = Path(__file__).parents[2] / "tests" / "checkov_skips.yaml"
"""The accepted findings: the only place where a check is waived."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A check that a resource fails."""

    environment: str
    check: str
    resource: str
    """`<stack>/<name of the resource>`."""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A finding that is accepted, and why."""

    check: str
    resource: str
    """`<stack>/<name>`; `*` stands for any text."""
    reason: str
    environments: tuple[str, ...]
    """Environments in which the finding is accepted."""

    def covers(self, finding: Finding) -> bool:
        """Return whether this entry accepts `finding`."""
        return (
            self.check == finding.check
            and finding.environment in self.environments
            and fnmatch.fnmatchcase(finding.resource, self.resource)
        )


def load_skips(path: Path = SKIPS) -> list[Skip]:
    """Return the accepted findings; raises PolicyError for an entry without check, resource, environments or reason."""
    keys = ("check", "resource", "environments", "reason")
    return [Skip(**entry | {"environments": tuple(entry["environments"])}) for entry in accepted(path, keys)]


def judge(findings: Iterable[Finding], skips: Sequence[Skip]) -> tuple[list[Finding], list[Skip]]:
    """Return the findings that no entry accepts, and the entries that accept nothing any more."""
    findings = list(findings)
    open_findings = [finding for finding in findings if not any(skip.covers(finding) for skip in skips)]
    unused = [skip for skip in skips if not any(skip.covers(finding) for finding in findings)]
    return sorted(open_findings), unused


def find(environment: str, folder: Path) -> tuple[list[Finding], set[tuple[str, str]]]:
    """Run checkov over an output folder; return its findings and the (check, resource) pairs that passed.

    `folder` holds `stacks/<stack>/cdk.tf.json`. Nothing is downloaded. Raises PolicyError when checkov fails or
    cannot parse a stack.
    """
    with TemporaryDirectory() as readable:
        _write_readable(folder, Path(readable))
        results = report(Path(readable), "terraform_json")["results"]
    failed = [
        Finding(environment, entry["check_id"], _address(entry), entry.get("check_name") or "")
        for entry in results["failed_checks"]
    ]
    passed = {(entry["check_id"], _address(entry)) for entry in results["passed_checks"]}
    return failed, passed


def _write_readable(folder: Path, target: Path) -> None:
    """Copy the stacks without the block `terraform`, whose required version checkov 3.3 cannot parse."""
    for source in folder.glob("stacks/*/cdk.tf.json"):
        stack = json.loads(source.read_text("utf-8"))
        copy = target / source.parent.name / source.name
        copy.parent.mkdir()
        copy.write_text(json.dumps({key: stack[key] for key in ("data", "resource", "provider") if key in stack}))


def _address(entry: dict[str, Any]) -> str:
    # checkov names a resource of a synthesized stack `resource.<name>` or `<type>.<name>`, depending on the check.
    stack = Path(entry["file_path"]).parent.name
    return f"{stack}/{entry['resource'].rpartition('.')[2]}"
