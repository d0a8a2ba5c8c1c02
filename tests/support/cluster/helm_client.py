"""Real Helm against one cluster, with the flags that terraform-provider-helm sets as settings of its actions."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.lab.kube.api import Object


class HelmError(Exception):
    """Helm refused; the text is its own."""


@dataclass(frozen=True)
class Helm:
    """Helm with a kubeconfig and folders of its own."""

    program: str
    kubeconfig: Path
    folder: Path

    def run(self, *arguments: str) -> str:
        environment = os.environ | {
            "KUBECONFIG": str(self.kubeconfig),
            "HELM_CACHE_HOME": str(self.folder / "helm-cache"),
            "HELM_CONFIG_HOME": str(self.folder / "helm-config"),
            "HELM_DATA_HOME": str(self.folder / "helm-data"),
        }
        done = subprocess.run(
            [self.program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise HelmError(done.stderr.strip())
        return done.stdout

    def apply(self, verb: str, release: dict[str, Any], chart: str, *, timeout_s: int) -> None:
        """Install or upgrade a release, and wait as the provider does. Raises HelmError."""
        files = []
        for number, text in enumerate(release["values"]):
            file = self.folder / f"{release['namespace']}-{release['name']}-{number}.yaml"
            file.write_text(text)
            files += ["--values", str(file)]
        flags = ["--wait", "--timeout", f"{timeout_s}s", "--namespace", release["namespace"]]
        flags += ["--wait-for-jobs"] if release.get("wait_for_jobs") else []
        flags += ["--skip-crds"] if release.get("skip_crds") else []
        for renderer in _blocks(release.get("postrender")):
            flags += ["--post-renderer", renderer["binary_path"]]
            flags += [f"--post-renderer-args={argument}" for argument in renderer.get("args") or []]
        # The provider's default is to give up without taking anything back; what is left tells why.
        self.run(verb, release["name"], chart, *files, *flags)

    def manifest(self, namespace: str, name: str) -> list[Object]:
        """Return the objects of a release as Helm last sent them."""
        return _documents(self.run("get", "manifest", name, "--namespace", namespace))

    def hooks(self, namespace: str, name: str) -> list[Object]:
        """Return the hooks of a release."""
        return _documents(self.run("get", "hooks", name, "--namespace", namespace))

    def revisions(self) -> dict[str, int]:
        """Return the revision of every release by `namespace/name`."""
        found = json.loads(self.run("list", "--all-namespaces", "--output", "json", "--max", "1000"))
        return {f"{item['namespace']}/{item['name']}": int(item["revision"]) for item in found}


def _blocks(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else [value] if value else []


def _documents(text: str) -> list[Object]:
    return [document for document in YAML(typ="safe").load_all(text) if document]
