"""The programs of a control plane, built from `go.mod` beside this file and kept outside the repository."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import user_cache

MODULE = Path(__file__).parent
VERSION = "v1.36.3"
"""Of Kubernetes, as `go.mod` requires it."""

PACKAGES = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "etcd": "go.etcd.io/etcd/server/v3",
}
"""Program to its Go package, the longest build first."""

STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)
"""What kwok's module brings to say how fake nodes and pods live; kwok itself starts with none."""

_STAMPS = {"gitVersion": VERSION, "gitMajor": "1", "gitMinor": "36"}
_FLAGS = (
    "-trimpath",
    "-ldflags",
    "-s -w " + " ".join(f"-X k8s.io/component-base/version.{key}={value}" for key, value in _STAMPS.items()),
)
_KWOK = "sigs.k8s.io/kwok"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Programs:
    """Built programs, and what they read."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    @property
    def stages(self) -> list[Path]:
        """The files of `STAGES`."""
        return [self.folder / "stages" / Path(stage).name for stage in STAGES]

    def missing(self) -> list[str]:
        """Return what is not built yet."""
        names = [name for name in PACKAGES if not Path(self[name]).is_file()]
        return names + [file.name for file in self.stages if not file.is_file()]


def programs() -> Programs:
    """Return where the programs of this checkout are or will be, by what they are built from."""
    text = b"".join((MODULE / name).read_bytes() for name in ("go.mod", "go.sum"))
    key = hashlib.sha256(text + repr((_FLAGS, PACKAGES, STAGES)).encode()).hexdigest()[:16]
    return Programs(user_cache() / "kubernetes" / key)


def build(say: Say = lambda _text: None) -> Programs:
    """Build what is missing: 5 to 10 minutes on two cores the first time, nothing afterwards.

    A second builder waits for the first. Raises OperatorError where Go is missing or a build fails.
    """
    found = programs()
    if not found.missing():
        return found
    if shutil.which("go") is None:
        raise OperatorError(
            "Go is not on PATH, and the programs of a Kubernetes API are not built yet",
            "install Go 1.26 or newer, or name the kubeconfig of kind, minikube or AKS by KUBECONFIG",
            ExitCode.NOT_READY,
        )
    with alone(found.folder, say):
        missing = [name for name in PACKAGES if name in found.missing()]
        for position, name in enumerate(missing, 1):
            say(f"building {name} ({position} of {len(missing)})")
            _build(name, found)
        _copy_stages(found)
    return found


def _build(name: str, found: Programs) -> None:
    unfinished = Path(f"{found[name]}.new")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    go("build", *_FLAGS, "-o", str(unfinished), PACKAGES[name])
    unfinished.rename(found[name])


def _copy_stages(found: Programs) -> None:
    source = Path(go("list", "-m", "-f", "{{.Dir}}", _KWOK).strip()) / "kustomize" / "stage"
    (found.folder / "stages").mkdir(parents=True, exist_ok=True)
    for stage, file in zip(STAGES, found.stages, strict=True):
        shutil.copyfile(source / stage, file)


def go(*arguments: str, module: Path = MODULE) -> str:
    """Run Go in the folder of a module; return what it prints. Raises OperatorError."""
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    done = subprocess.run(["go", *arguments], cwd=module, env=environment, capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OperatorError(f"go {arguments[0]} {arguments[-1]} failed: {reason}", "see the network, GOPROXY, the disk")
    return done.stdout


@contextmanager
def alone(folder: Path, say: Say = lambda _text: None) -> Iterator[None]:
    """Within, nobody else builds into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        build(print)
    except OperatorError as error:
        sys.exit(f"{error.message}; {error.fix}")
