"""Two checkouts deploy one environment in turn, with the real Terraform on fake providers: nobody undoes the other.

They share what people share: the state and the registry. Each has its own environment file, its own copy of the image
lock and its own pins. The registry is one on loopback; its images are locked, not built.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from main import build_app
from scripts.bootstrap import terraform
from scripts.cli.deploy import diff
from scripts.cli.tools import Tools as CommandTools
from scripts.cluster.kubectl import Kubectl
from scripts.core.consent import Consent
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.core.workspace import ROOT, Workspace
from scripts.deployment.bring_up import bring_up
from scripts.deployment.going_back import GoingBack
from scripts.deployment.shared_images import bring_lock
from scripts.images import shared_lock
from scripts.images.environment_images import EnvironmentImages
from scripts.images.registry.client import Registry
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.platform.common import catalogue
from stacks.platform.common.catalogue import Image
from stacks.platform.common.image_lock import LockedImage
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, load_settings
from tests.support.cli.environment_folder import use_environments
from tests.support.images.oci_registry import OciRegistry, digest_of

pytestmark = pytest.mark.rehearsal

NEWER_OPIK = "2.1.30"
NEWER_LITELLM = "v1.102.0"
LITELLM = "litellm/proxy"
WITHOUT = "\nchat: {enabled: false}\nmonitoring: {enabled: false}\n"
"""A third of the cluster's objects, which nobody here upgrades; each step plans everything."""


def unreachable(_environment: str) -> Kubectl:
    raise OperatorError("the cluster does not answer from here")


@dataclass
class Checkout:
    """One person's folder: file, pins, copy of the lock; state, cloud and registry are everybody's."""

    folder: Path
    shared: Rehearsal
    registry: str
    pins: dict[str, Image] = field(default_factory=dict)
    """Images that this checkout pins in another version."""

    def __post_init__(self) -> None:
        environments = self.folder / "environments"
        environments.mkdir(parents=True)
        (environments / "dev.yaml").write_text((ROOT / "environments" / "dev.yaml").read_text() + WITHOUT)
        (self.folder / "state").symlink_to(self.shared.folder / "state", target_is_directory=True)
        self.workspace = Workspace("dev", self.folder, self.shared.workspace.variables)

    @property
    def settings(self) -> Settings:
        return load_settings("dev", self.folder / "environments")

    def write(self, old: str, new: str) -> None:
        path = self.folder / "environments" / "dev.yaml"
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))

    def append(self, text: str) -> None:
        path = self.folder / "environments" / "dev.yaml"
        path.write_text(path.read_text() + text)

    def images(self, _environment: str = "dev") -> EnvironmentImages:
        lock = self.folder / "environments" / "dev.images.lock.json"
        return EnvironmentImages(self.settings, registry_name=self.registry, lock=lock, pinned=catalogue.images())

    def lock_images(self) -> None:
        """Do what `llmctl images ensure` does once everything stands in the registry."""
        with self.here():
            wanted = enabled_components(self.settings).images(catalogue.images())
            locked = {name: _copy(name, image) for name, image in wanted.items()}
            shared_lock.publish(Registry(self.registry), locked)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Within, programs read this checkout."""
        with pytest.MonkeyPatch.context() as patch:
            use_environments(self.folder / "environments", patch)
            for name, image in self.pins.items():
                patch.setitem(catalogue.images(), name, image)
            yield

    @contextmanager
    def rollout(self, job: Job) -> Iterator[Rollout]:
        """As `shared_images.rollout`, in this process."""
        self._synthesize()
        run = partial(Rollout, self.workspace, terraform=terraform.find(), processes=self.shared.processes)
        if job.current and bring_lock(run(self.workspace.stacks()), self.images):
            self._synthesize()
        stacks = self.workspace.stacks()
        begun = run({name: stacks[name] for name in job.targets.select(stacks)})
        try:
            yield begun
        finally:
            begun.discard_plans()

    def deploy(self, *stacks: str) -> None:
        targets = Targets("dev", stacks)
        with self.here(), self.rollout(Job("deploy", targets, self.workspace)) as run:
            done = bring_up(run, targets, Consent("dev", yes=True), back=GoingBack(connect=unreachable))
            assert done, [report.error and report.error.output for report in run.reports.values()]

    def refused(self, *stacks: str) -> OperatorError:
        """Return why a deployment and a diff are refused, which is one and the same; the state stays as it was."""
        before = {path.name: path.read_bytes() for path in sorted((self.folder / "state" / "dev").iterdir())}
        with pytest.raises(OperatorError) as caught:
            self.deploy(*stacks)
        shown = self.diff(*stacks)
        assert isinstance(shown.exception, OperatorError), shown.output
        assert (shown.exception.message, shown.exception.code) == (caught.value.message, ExitCode.REFUSED)
        assert {path.name: path.read_bytes() for path in sorted((self.folder / "state" / "dev").iterdir())} == before
        return caught.value

    def diff(self, *stacks: str) -> Result:
        tools = CommandTools(workspace=lambda _name: self.workspace, rollout=self.rollout, kubectl_of=unreachable)
        with self.here():
            return CliRunner().invoke(diff.app, ["dev", *stacks, "--detailed-exitcode"], obj=tools)

    def _synthesize(self) -> None:
        self.workspace.output.mkdir(parents=True, exist_ok=True)
        build_app(self.settings, self.workspace.output).synth()


def _copy(name: str, image: Image) -> LockedImage:
    tag = f"{image.tag}-0123456789ab" if image.build else image.tag
    content = image.digest or digest_of(f"{name}:{tag}".encode())
    return LockedImage(name if image.build else image.repository, tag, content)


@pytest.fixture(scope="module")
def registry() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as served:
        yield served


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, registry: OciRegistry) -> tuple[Checkout, Checkout]:
    """Return two checkouts of an environment that the first has deployed, images by digest."""
    folder = tmp_path_factory.mktemp("two")
    shared = Rehearsal(load_settings("dev"), folder / "shared")
    (shared.folder / "state").mkdir(exist_ok=True)
    first, second = (Checkout(folder / name, shared, registry.name) for name in ("first", "second"))
    first.lock_images()
    first.deploy("identity", "disks", "acr", "database", "address")
    first.deploy()
    return first, second


def images_of(shared: Rehearsal) -> Mapping[str, str]:
    found: Mapping[str, str] = shared.outputs("platform")["images"]
    return found


def test_the_order_of_events(people: tuple[Checkout, Checkout], registry: OciRegistry) -> None:
    """One story, since each step stands on the one before it; its promises are those of issue 14."""
    first, second = people
    deployed = images_of(first.shared)
    assert {name for name, image in deployed.items() if "@sha256:" not in image} == set()

    # Images: a checkout that never built one carries the digests over.
    assert not (second.folder / "environments" / "dev.images.lock.json").exists()
    same = second.diff()
    assert (same.exit_code, same.exception) == (ExitCode.OK, None), same.output

    # ... and without the registry it plans nothing at all.
    registry.fault = lambda _request: 503
    alone = second.diff("platform")
    registry.fault = lambda _request: None
    assert isinstance(alone.exception, OperatorError)
    assert alone.exception.message.startswith(f"which images are deployed cannot be read from {registry.name}: ")

    # Opik: the first upgrades on its machine; the second has the older file.
    first.append(f"\nopik:\n  version: {NEWER_OPIK}\n")
    first.lock_images()
    first.deploy("disks", "platform")
    refused = second.refused()
    assert refused.message.startswith(f"Opik {NEWER_OPIK} is deployed, this checkout asks for 2.1.23: ")
    assert f"write opik.version: {NEWER_OPIK} into environments/dev.yaml" in refused.fix
    assert images_of(first.shared)["opik/backend"].split(":")[1].startswith(NEWER_OPIK)

    # The second takes the file over: nothing is left to do, and nothing went back meanwhile.
    second.append(f"\nopik:\n  version: {NEWER_OPIK}\n")
    assert second.diff().exit_code == ExitCode.OK

    # The other order: the second grows a disk and takes a newer LiteLLM; the first has neither.
    second.write("mysql_gib: 16", "mysql_gib: 20")
    second.pins[LITELLM] = replace(catalogue.images()[LITELLM], tag=NEWER_LITELLM, digest=None)
    second.lock_images()
    alone_refused = second.refused("platform")
    assert alone_refused.message == (
        f"versions.litellm: {catalogue.images()[LITELLM].tag} is deployed, this checkout has {NEWER_LITELLM}, and the"
        " stack database, which records it, is not selected"
    )
    assert alone_refused.fix == "deploy them together: `llmctl deploy dev database platform`"
    second.deploy("disks", "database", "platform")
    back = first.refused()
    assert "disks.mysql_gib: cannot shrink from 20: disks only grow; write 20" in back.message
    assert f"versions.litellm: cannot go back from {NEWER_LITELLM}: LiteLLM: its database is migrated" in back.message
    assert "would go back to an older image" in back.message
    assert back.fix.startswith("update this checkout (git pull) or environments/dev.yaml to what is deployed; ")

    # Who has updated goes on from there.
    first.write("mysql_gib: 16", "mysql_gib: 20")
    first.pins |= second.pins
    updated = first.diff()
    assert (updated.exit_code, updated.exception) == (ExitCode.OK, None), updated.output
