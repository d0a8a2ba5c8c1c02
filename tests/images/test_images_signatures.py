"""With `images.verify_signatures` only signed images are deployed, and the cluster runs no others."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import Targets
from scripts.deployment.bring_up import bring_up
from scripts.deployment.image_step import ImageStep, require_signed
from scripts.images.admission import require_signatures, verify_locked
from scripts.images.builders.local import Buildah
from scripts.images.environment_images import EnvironmentImages
from scripts.images.lock import write_lock
from scripts.images.prune import superseded
from scripts.images.work import Work
from scripts.lab.bench.loopback import RealRegistry, buildah_environment, registry_program, running
from stacks.platform.common.catalogue import images
from stacks.platform.common.image_lock import LockedImage, lock_file
from stacks.platform.common.images import login_server
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.image_policy.policy import image_policy
from stacks.settings import Settings, load_settings
from tests.support.cli.environment_folder import copy_environments
from tests.support.cli.terraform_projects import rollout, write_project
from tests.support.images.sources import VERSION, git, pinned, workshop, write_source
from tests.support.stacks.components import images_of, namespaces
from tests.support.stacks.synthesis import synthesize

from .test_images_work import Quiet

KEY = "azurekms://vault.vault.azure.net/images"
COSIGN = """#!/bin/sh
if [ "$1" = version ]; then echo '{{"gitVersion": "v3.0.2"}}'; exit; fi
for word; do last=$word; done
echo "$last" >> {record}
grep -qxF "$last" {signed}
"""


def verifying(key: str = KEY) -> Settings:
    settings = load_settings("dev")
    chosen = settings.images.model_copy(update={"signing_key": key, "verify_signatures": True})
    return settings.model_copy(update={"images": chosen})


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, LockedImage]:
    """Return a lock of every image, which the environment `dev` then has."""
    copy_environments(tmp_path, monkeypatch)
    found = {
        name: LockedImage(f"mirror/{name}", image.tag, image.digest or f"sha256:{number:064x}")
        for number, (name, image) in enumerate(sorted(images().items()))
    }
    write_lock(lock_file("dev"), found)
    return found


@pytest.fixture
def cosign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file with the references that a fake cosign takes as signed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    signed = tmp_path / "signed"
    signed.touch()
    program = folder / "cosign"
    program.write_text(COSIGN.format(record=tmp_path / "asked", signed=signed))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return signed


def shop(tmp_path: Path) -> EnvironmentImages:
    return EnvironmentImages(verifying(), registry_name="127.0.0.1:1", lock=lock_file("dev"), cache=tmp_path / "cache")


def references(locked: dict[str, LockedImage]) -> dict[str, str]:
    return {name: f"127.0.0.1:1/{entry.repository}@{entry.digest}" for name, entry in locked.items()}


def test_every_image_that_is_deployed_is_verified_by_digest(
    tmp_path: Path, locked: dict[str, LockedImage], cosign: Path
) -> None:
    cosign.write_text("\n".join(references(locked).values()))
    count = require_signatures(shop(tmp_path), Processes(), Quiet())
    asked = (tmp_path / "asked").read_text().splitlines()
    deployed = enabled_components(verifying()).images()
    built = [name for name, image in deployed.items() if images()[name].build]
    assert built
    # Built ones are asked for their provenance, too.
    assert sorted(asked) == sorted(references(locked)[name] for name in (*deployed, *built))
    assert count == len(deployed)


def test_an_unsigned_image_is_named_and_refused(tmp_path: Path, locked: dict[str, LockedImage], cosign: Path) -> None:
    others = {name: reference for name, reference in references(locked).items() if name != "opik/backend"}
    cosign.write_text("\n".join(others.values()))
    with pytest.raises(OperatorError, match=rf"1 of \d+ images are not signed by {KEY}: opik/backend$") as caught:
        require_signatures(shop(tmp_path), Processes(), Quiet())
    assert caught.value.code == ExitCode.REFUSED


def test_a_built_image_without_a_signed_provenance_is_named_and_refused(
    tmp_path: Path, locked: dict[str, LockedImage], cosign: Path
) -> None:
    cosign.write_text("\n".join(references(locked).values()))
    program = tmp_path / "bin" / "cosign"
    backend = references(locked)["opik/backend"]
    program.write_text(f'#!/bin/sh\ncase "$*" in verify-attestation*{backend}) exit 1;; esac\n' + program.read_text())
    with pytest.raises(
        OperatorError, match=rf"1 of \d+ images have no provenance signed by {KEY}: opik/backend$"
    ) as why:
        require_signatures(shop(tmp_path), Processes(), Quiet())
    assert why.value.code == ExitCode.REFUSED


def test_an_image_that_is_not_locked_is_refused_before_anything_is_verified(
    tmp_path: Path, locked: dict[str, LockedImage], cosign: Path
) -> None:
    write_lock(lock_file("dev"), {name: entry for name, entry in locked.items() if name != "opik/mysql"})
    with pytest.raises(OperatorError, match=r"not in the images' lock file, so not verified: opik/mysql$"):
        require_signatures(shop(tmp_path), Processes(), Quiet())
    assert cosign.read_text() == ""
    assert not (tmp_path / "asked").exists()


@pytest.mark.programs
@pytest.mark.parametrize("with_images", [True, False])
def test_a_deployment_leaves_the_cluster_alone_when_a_signature_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cosign: Path, locked: dict[str, LockedImage], with_images: bool
) -> None:
    assert locked
    assert cosign.read_text() == ""
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(tmp_path / "plugins"))
    step = ImageStep(
        pending=lambda _environment: [],
        bring=lambda _workspace, _processes: False,
        require_signed=partial(require_signed, images_of=lambda _environment: EnvironmentImages(verifying())),
    )
    folder = tmp_path / "project"
    folder.mkdir()
    project = write_project(folder)
    with pytest.raises(OperatorError, match="images are not signed"):
        bring_up(rollout(project), Targets("dev"), Consent("dev", yes=True), with_images=with_images, image_step=step)
    deployed = {path.stem for path in (project.base / "state" / "dev").glob("*.tfstate")}
    assert deployed == {"identity", "disks"}


def releases(settings: Settings, outdir: Path) -> dict[str, Any]:
    found: dict[str, Any] = synthesize(settings, outdir).stacks["platform"]["resource"]["helm_release"]
    return found


@pytest.mark.slow
def test_the_policy_stands_in_the_cluster_only_where_signatures_are_asked_for(tmp_path: Path) -> None:
    assert "image-policy" in releases(verifying(), tmp_path / "verifying")
    assert "image-policy" not in releases(load_settings("dev"), tmp_path / "plain")


def test_the_policy_holds_in_every_namespace_of_the_platform(locked: dict[str, LockedImage]) -> None:
    names = [rules.name for rules in namespaces(verifying())]
    values = image_policy(images_of(verifying()), registry=login_server(verifying().azure_names), namespaces=names)
    assert values["registry"] == login_server(verifying().azure_names)
    assert values["namespaces"] == sorted(names)
    without_digest = [name for name in locked if name.startswith("keda-http-add-on/")]
    assert sorted(values["byTag"]) == [
        f"{values['registry']}/{locked[name].repository}:{locked[name].tag}" for name in sorted(without_digest)
    ]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealRegistry]:
    for name, value in buildah_environment(tmp_path / "buildah").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with running(tmp_path / "registry") as found:
        yield found


@pytest.mark.images
@pytest.mark.skipif(registry_program() is None, reason="no registry program: install docker-registry or crane")
@pytest.mark.skipif(shutil.which("buildah") is None, reason="no builder: install buildah")
@pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is not installed")
def test_what_is_built_is_signed_with_the_real_cosign_and_another_key_is_refused(
    tmp_path: Path, registry: RealRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "")
    for name in ("own", "other"):
        command = ["cosign", "generate-key-pair", "--output-key-prefix", name]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    built = pinned(write_source(tmp_path / "source"))
    mine = replace(workshop(tmp_path, built, registry.name), settings=verifying(str(tmp_path / "own.key")))
    outcome = Work(mine, Quiet(), Processes(), Buildah(), None).run(mine.inspect())
    assert outcome.failures == {}

    def verified_with(key: str) -> int:
        checked = replace(mine, settings=verifying(str(tmp_path / key)))
        return verify_locked(checked, Processes(), Quiet())

    assert verified_with("own.pub") == len(built)
    said = mine.log("app/backend-verification").read_text().splitlines()
    (statement,) = (json.loads(line) for line in said if line.startswith('{"payload'))
    payload = json.loads(base64.b64decode(statement["payload"]))
    source = payload["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert source["digest"]["gitCommit"] == git(tmp_path / "source", "rev-parse", "HEAD")
    assert source["uri"].endswith(f"@refs/tags/{VERSION}")
    repositories = [entry.repository for entry in mine.locked().values()]
    assert superseded(mine.registry, repositories, [mine.locked()], keep=1) == [], "pruning would take signatures"
    with pytest.raises(OperatorError, match=rf"{len(built)} of {len(built)} images are not signed"):
        verified_with("other.pub")
