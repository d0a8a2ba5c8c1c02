"""Synthesizes whole environments for tests, exactly as they are deployed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from stacks.settings import Settings, load_settings
from stacks.settings.azure import AzurermStateSettings, HcpStateSettings, StateBackend, StateSettings

DURABLE = ("identity", "disks", "acr", "database", "address")
DISPOSABLE = ("network", "aks", "platform")
STACKS = DURABLE + DISPOSABLE

VARIANTS = {"dev-nginx": "dev", "prod-application-gateway": "prod"}
"""Snapshot folder to the environment that it shows."""

STATES = {
    "local": StateSettings(),
    "azurerm": StateSettings(
        backend=StateBackend.AZURERM,
        azurerm=AzurermStateSettings(resource_group="tfstate", storage_account="tfstate0001"),
    ),
    "hcp": StateSettings(backend=StateBackend.HCP, hcp=HcpStateSettings(organization="example")),
}


@dataclass(frozen=True)
class Synthesized:
    """The synthesized form of one environment."""

    stacks: dict[str, dict[str, Any]]
    """Stack id to its parsed `cdk.tf.json`."""
    dependencies: dict[str, set[str]]
    """Stack id to the stacks that cdktf deploys before it."""

    def resources(self, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """All resources of the Terraform type `kind`, by name; empty when there is none."""
        found: dict[str, dict[str, Any]] = self.stacks[stack].get("resource", {}).get(kind, {})
        return found


def synthesize(settings: Settings, outdir: Path, *, extra_components: Sequence[Path] = ()) -> Synthesized:
    """Write the environment's stacks to `outdir` and return them parsed; for `extra_components` see `build_app`."""
    # Tests that synthesize nothing should not pay for starting jsii.
    from main import build_app

    build_app(settings, outdir, extra_components=extra_components).synth()
    return read(outdir)


def synthesized_once(settings: Settings, folder: Path) -> Synthesized:
    """Return these settings' stacks, which the first process of a test run that asks for them writes under `folder`."""
    outdir = folder_of(settings, folder)
    with FileLock(f"{outdir}.lock"):
        # The manifest is written last.
        return read(outdir) if (outdir / "manifest.json").exists() else synthesize(settings, outdir)


def folder_of(settings: Settings, folder: Path) -> Path:
    """Return where `synthesized_once` writes these settings' stacks under `folder`."""
    return folder / hashlib.sha256(settings.model_dump_json().encode()).hexdigest()


def read(outdir: Path) -> Synthesized:
    """Return the stacks that lie in `outdir`."""
    manifest = json.loads((outdir / "manifest.json").read_text())["stacks"]
    return Synthesized(
        stacks={
            name: json.loads((outdir / entry["synthesizedStackPath"]).read_text()) for name, entry in manifest.items()
        },
        dependencies={name: set(entry["dependencies"]) for name, entry in manifest.items()},
    )


def with_state(environment: str, state: StateSettings) -> Settings:
    """Return the settings of an environment with another state backend."""
    return load_settings(environment).model_copy(update={"state": state})
