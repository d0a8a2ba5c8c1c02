"""An environment whose images stand in a registry on loopback, rehearsed from the lock file that this made."""

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.core.processes import Processes
from scripts.images.builders.local import Buildah
from scripts.images.environment_images import EnvironmentImages
from scripts.images.importers.copy import DirectCopy
from scripts.images.work import Outcome, Work
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.platform.common.catalogue import charts, images, pinned_release
from stacks.platform.common.images import login_server
from stacks.platform.components.opik.version import OPIK
from tests.images.test_images_work import Quiet
from tests.support.kubernetes.third_party import FOLDER, chart

from .oci_registry import OciRegistry
from .sources import DOCKERFILE, commit, git

HELM = shutil.which("helm")
APP = """\
import sys
from dataclasses import replace
from pathlib import Path
sys.path[0] = {root!r}
from stacks.platform.common import catalogue
from stacks.settings.file import loading
# The publisher on loopback has other content than the real ones.
pinned = catalogue.images()
pinned.update({{name: replace(image, digest=None) for name, image in pinned.items()}})
loading.ENVIRONMENTS = Path({environments!r})
import main
main.main()
"""


@dataclass
class Life:
    """An environment whose images stand in a registry on loopback."""

    folder: Path
    registry: str
    publisher: OciRegistry
    rehearsal: Rehearsal

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def server(self) -> str:
        return login_server(self.rehearsal.settings.azure_names)

    def shop(self) -> EnvironmentImages:
        pinned = {
            name: replace(image, repository=f"{self.publisher.name}/{image.repository}", digest=None)
            for name, image in images().items()
        }
        return EnvironmentImages(
            self.rehearsal.settings,
            registry_name=self.registry,
            source_folder=self.source,
            pinned=pinned,
            lock=self.folder / "environments" / f"{self.rehearsal.settings.name}.images.lock.json",
            cache=self.folder / "cache",
        )

    def ensure(self) -> Outcome:
        shop = self.shop()
        outcome = Work(shop, Quiet(), Processes(), Buildah(), DirectCopy()).run(shop.inspect())
        assert outcome.failures == {}
        return outcome

    def locked(self) -> dict[str, str]:
        """Return the reference of every locked image in the environment's own registry."""
        return {name: f"{self.server}/{entry}" for name, entry in self.shop().locked().items()}

    def releases(self) -> dict[str, dict[str, Any]]:
        """Return what Terraform knows of every Helm release, its final values among it."""
        return {
            attributes["name"]: attributes
            for address, attributes in self.rehearsal.instances("platform").items()
            if address.startswith("helm_release.")
        }

    def render(self, release: str) -> list[dict[str, Any]] | None:
        """Return the objects of a release as Helm makes them; None where its chart is not at hand."""
        attributes = self.releases()[release]
        source = self._chart(attributes)
        if source is None or HELM is None:
            return None
        files = []
        for number, text in enumerate(attributes["values"] or []):
            file = self.folder / f"{release}-{number}.yaml"
            file.write_text(text)
            files += ["--values", str(file)]
        minor = ".".join(self.rehearsal.settings.cluster.kubernetes_version.split(".")[:2])
        where = ["--namespace", attributes["namespace"], "--kube-version", f"{minor}.0", "--skip-crds"]
        command = [HELM, "template", release, source, *files, *where]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return [document for document in YAML(typ="safe").load_all(result.stdout) if document]

    def _chart(self, attributes: dict[str, Any]) -> str | None:
        release = pinned_release(attributes["chart"])
        if release is None:
            return str(self.rehearsal.workspace.stacks()["platform"].folder / attributes["chart"])
        if not FOLDER and not os.environ.get("PULL_CHARTS"):
            return None
        try:
            return chart(release, self.folder / "charts")[0]
        except pytest.skip.Exception:
            return None


def write_source_like_opiks(folder: Path) -> None:
    """Write a repository with the folders that images are built from, each with a Dockerfile that needs nothing."""
    built = [image for image in images().values() if image.build]
    for image in built:
        assert image.build
        context = folder / image.build.context
        context.mkdir(parents=True)
        (context / "Dockerfile").write_text(DOCKERFILE)
        (context / "file.txt").write_text(f"{image.build.context}\n")
    git(folder, "init", "--quiet")
    commit(folder, charts()[OPIK].version)
