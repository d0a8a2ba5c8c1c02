"""Scans and signs images with the tools that are there."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.job_login import JOB
from scripts.core.processes import Processes

from .logged import run_logged
from .registry.credentials import Login, auth_file
from .registry.references import Reference, is_loopback

SCANNERS = ("trivy", "grype")
FOUND = {"trivy": (1,), "grype": (1, 2)}
"""Statuses by which a scanner says that it found something: trivy by its option `--exit-code`, grype by its version."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One image in a registry, by digest, and where work on it is logged."""

    name: str
    image: Reference
    login: Login | None
    log: Path
    processes: Processes

    def run(self, *command: str, accept: Sequence[int] = (0,)) -> int:
        """Run a tool on the image, which takes its login from a file; returns its status. Raises BuildError."""
        with auth_file({self.image.registry: self.login} if self.login else {}) as file:
            return run_logged(
                self.processes,
                command,
                name=self.name,
                log=self.log,
                env={"DOCKER_CONFIG": str(file.parent), "TRIVY_NO_PROGRESS": "true"},
                step=lambda _line: None,
                accept=accept,
            )


def find_scanner() -> str:
    """Return the scanner of this machine. Raises OperatorError when there is none."""
    for tool in SCANNERS:
        if shutil.which(tool):
            return tool
    raise OperatorError("neither trivy nor grype is installed", "install one of them", ExitCode.NOT_READY)


def is_clean(tool: str, subject: Subject, severity: str) -> bool:
    """Tell whether a scanner finds no vulnerability of `severity` and above that has a fix; the log is its report.

    Raises BuildError when the scanner itself fails.
    """
    command = _scan_command(tool, str(subject.image), severity, insecure=is_loopback(subject.image.registry))
    return subject.run(*command, accept=(0, *FOUND[tool])) == 0


COSIGN_MINIMUM = (3, 0)
"""First version that takes a signing configuration, in which no public log is named."""


def require_cosign() -> None:
    """Raise OperatorError where cosign is missing or too old."""
    least = ".".join(map(str, COSIGN_MINIMUM))
    if not shutil.which("cosign"):
        what = "images.signing_key asks for signatures, but cosign is not installed"
        raise OperatorError(what, f"install cosign {least} or newer, or remove images.signing_key", ExitCode.NOT_READY)
    found = _cosign_version()
    if found and found < COSIGN_MINIMUM:
        what = f"cosign is {'.'.join(map(str, found))}, signatures need {least}"
        raise OperatorError(what, f"install cosign {least} or newer", ExitCode.NOT_READY)


def _cosign_version() -> tuple[int, int] | None:
    """Return the version of the cosign on PATH, None where it does not tell (built from a checkout)."""
    try:
        said = subprocess.run(
            ["cosign", "version", "--json"],  # noqa: S607 - the user's own
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        version = re.match(r"v?(\d+)\.(\d+)", str(json.loads(said.stdout)["gitVersion"]))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
    return (int(version[1]), int(version[2])) if version else None


def sign(subject: Subject, key: str) -> None:
    """Sign an image by its digest unless the key has signed it before. Raises BuildError."""
    if is_signed(subject, key):
        return
    with _private_files() as (services, root):
        private = ("--signing-config", services, "--trusted-root", root)
        subject.run("cosign", "sign", "--yes", "--key", key, *private, *_insecure(subject), str(subject.image))


def is_signed(subject: Subject, key: str) -> bool:
    """Tell whether the key has signed the image; the log says why not. Raises BuildError when cosign does not run."""
    JOB.renew()  # a key in a vault is asked with az's login, after builds that took longer than it lasts
    with _private_files() as (_, root):
        offline = ("--insecure-ignore-tlog=true", "--trusted-root", root)
        command = ("cosign", "verify", "--key", key, *offline, *_insecure(subject), str(subject.image))
        return subject.run(*command, accept=range(128)) == 0


def attest(subject: Subject, key: str, kind: str, predicate: Path) -> None:
    """Attach a statement about an image, signed by the key; `kind` is cosign's name of it. Raises BuildError."""
    with _private_files() as (services, root):
        private = ("--signing-config", services, "--trusted-root", root)
        what = ("--type", kind, "--predicate", str(predicate))
        subject.run("cosign", "attest", "--yes", "--key", key, *what, *private, *_insecure(subject), str(subject.image))


def is_attested(subject: Subject, key: str, kind: str) -> bool:
    """Tell whether the image has a statement of this kind that the key signed; the log says why not.

    Raises BuildError when cosign does not run.
    """
    JOB.renew()
    with _private_files() as (_, root):
        offline = ("--insecure-ignore-tlog=true", "--trusted-root", root)
        command = ("cosign", "verify-attestation", "--key", key, "--type", kind, *offline, *_insecure(subject))
        return subject.run(*command, str(subject.image), accept=range(128)) == 0


@contextmanager
def _private_files() -> Iterator[tuple[str, str]]:
    """Within, a signing configuration without services and a trusted root without authorities are there, by path."""
    with tempfile.TemporaryDirectory(prefix="llmctl-") as folder:
        services, root = Path(folder) / "signing-config.json", Path(folder) / "trusted-root.json"
        services.write_text(json.dumps(_NO_SERVICES), "utf-8")
        root.write_text(json.dumps(_NO_ROOT), "utf-8")
        yield str(services), str(root)


_NO_SERVICES = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}
"""Signing configuration without a log, a certificate authority or a time stamp.

A public log would tell everybody what runs here, and need the internet. cosign 3 has deprecated `--tlog-upload`.
"""
_NO_ROOT = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}
"""Trusted root that trusts nobody but the key; without one cosign fetches Sigstore's from the internet."""


def _insecure(subject: Subject) -> Sequence[str]:
    return ["--allow-insecure-registry"] if is_loopback(subject.image.registry) else []


def _scan_command(tool: str, image: str, severity: str, *, insecure: bool) -> Sequence[str]:
    if tool == "grype":
        return ["grype", f"registry:{image}", "--only-fixed", "--fail-on", severity]
    order = ("low", "medium", "high", "critical")
    levels = ",".join(level.upper() for level in order[order.index(severity) :])
    plain = ["--insecure"] if insecure else []
    return ["trivy", "image", "--exit-code", "1", "--ignore-unfixed", "--severity", levels, *plain, image]
