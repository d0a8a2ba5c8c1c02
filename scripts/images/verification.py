"""Scans and signs images with the tools that are there."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.cli.errors import ExitCode, OperatorError
from scripts.cli.processes import Processes

from .logged import run_logged
from .registry.credentials import Login, auth_file
from .registry.references import Reference, is_loopback

SCANNERS = ("trivy", "grype")
FOUND = {"trivy": (1,), "grype": (1, 2)}
"""Statuses by which a scanner says that it found something: trivy as it is told, grype by its version."""


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


def require_cosign() -> None:
    """Raise OperatorError where cosign is missing."""
    if not shutil.which("cosign"):
        what = "images.signing_key asks for signatures, but cosign is not installed"
        raise OperatorError(what, "install cosign, or remove images.signing_key", ExitCode.NOT_READY)


def sign(subject: Subject, key: str) -> None:
    """Sign an image by its digest unless the key has signed it before. Raises BuildError."""
    if not is_signed(subject, key):
        subject.run("cosign", "sign", "--yes", "--key", key, *_PRIVATE_SIGNING, *_insecure(subject), str(subject.image))


def is_signed(subject: Subject, key: str) -> bool:
    """Tell whether the key has signed the image; the log says why not. Raises BuildError when cosign does not run."""
    command = ("cosign", "verify", "--key", key, "--insecure-ignore-tlog=true", *_insecure(subject), str(subject.image))
    return subject.run(*command, accept=range(128)) == 0


_PRIVATE_SIGNING = ("--tlog-upload=false", "--use-signing-config=false")
"""A public log would tell everybody what runs here, and need the internet."""


def _insecure(subject: Subject) -> Sequence[str]:
    return ["--allow-insecure-registry"] if is_loopback(subject.image.registry) else []


def _scan_command(tool: str, image: str, severity: str, *, insecure: bool) -> Sequence[str]:
    if tool == "grype":
        return ["grype", f"registry:{image}", "--only-fixed", "--fail-on", severity]
    order = ("low", "medium", "high", "critical")
    levels = ",".join(level.upper() for level in order[order.index(severity) :])
    plain = ["--insecure"] if insecure else []
    return ["trivy", "image", "--exit-code", "1", "--ignore-unfixed", "--severity", levels, *plain, image]
