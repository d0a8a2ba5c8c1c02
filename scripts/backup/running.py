"""What ran when a set was made: Helm releases, images, and the checkout that describes the environment."""

import base64
import gzip
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts.cluster.kubectl import Kubectl, KubectlError
from scripts.core.errors import OperatorError
from scripts.core.workspace import ROOT
from stacks.settings.cluster import ReleaseRecords

from .manifest import Code, Release

_GIT_S = 30


def releases(kubectl: Kubectl, records_in: ReleaseRecords) -> tuple[Release, ...] | None:
    """Return the deployed revision of every Helm release; None where the login may not read their records.

    An identity that only backs up reads no Secrets. Raises OperatorError.
    """
    try:
        records = kubectl.items(records_in, "--all-namespaces", "-l", "owner=helm,status=deployed")
    except KubectlError as error:
        if "forbidden" in error.message.lower():
            return None
        raise
    return tuple(sorted(map(_release, records), key=lambda release: (release.namespace, release.name)))


def images(kubectl: Kubectl) -> tuple[str, ...]:
    """Return the images of every running pod, with their digests where the node tells them. Raises OperatorError."""
    pods = kubectl.items("pods", "--all-namespaces", "--field-selector", "status.phase=Running")
    return tuple(sorted({image for pod in pods for image in _images(pod)}))


def _images(pod: Mapping[str, Any]) -> Iterable[str]:
    for container in pod.get("status", {}).get("containerStatuses") or []:
        digest = str(container.get("imageID", "")).rpartition("@")[2]
        image = str(container["image"])
        yield f"{image}@{digest}" if digest.startswith("sha256:") and "@" not in image else image


def _release(record: Mapping[str, Any]) -> Release:
    """Return what Helm recorded (scripts/opik/history.py tells the format)."""
    encoded = record["data"]["release"]
    text = encoded if record.get("kind") == "ConfigMap" else base64.b64decode(encoded)
    try:
        found = json.loads(gzip.decompress(base64.b64decode(text)))
        chart = found["chart"]["metadata"]
        return Release(
            namespace=record["metadata"]["namespace"],
            name=found["name"],
            chart=chart["name"],
            version=str(chart["version"]),
            revision=int(found["version"]),
        )
    except (KeyError, ValueError, OSError, EOFError) as error:
        name = record["metadata"]["name"]
        raise OperatorError(f"{name} is no revision of a Helm release ({type(error).__name__})") from None


def code(settings: str, root: Path = ROOT) -> Code:
    """Return the checkout's commit, whether its files differ from it, and the environment file's text `settings`."""
    revision = _git(root, "rev-parse", "HEAD")
    changed = bool(revision) and bool(_git(root, "status", "--porcelain"))
    return Code(revision=revision, changed=changed, settings=settings)


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
