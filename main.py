"""The platform of one environment: eight Terraform stacks, wired in deploy order."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import stacks  # noqa: F401 - first: it prepares how cdktf and the provider bindings load

# isort: split
from cdktf import App

from scripts.core.errors import OperatorError
from scripts.images.charts.archives import NEVER, SWITCH, bring
from stacks.acr import AcrStack
from stacks.address import AddressStack
from stacks.aks import AksStack
from stacks.common.output_folder import output_folder
from stacks.database import DatabaseStack
from stacks.disks import DisksStack
from stacks.identity import IdentityStack
from stacks.network import NetworkStack
from stacks.platform.common.catalogue import charts
from stacks.platform.common.image_lock import LockError
from stacks.platform.components.certificates.kept import every_vault_name
from stacks.platform.components.enabled import enabled_components
from stacks.platform.stack import PlatformStack
from stacks.settings import Settings, SettingsError, load_settings

UNUSABLE_FILE = 4
"""Exit status for a file that cannot be used: that of `llmctl` (scripts/core/errors.py), which reads it."""


def build_app(settings: Settings, outdir: Path | None = None, *, extra_components: Sequence[Path] = ()) -> App:
    """Return the application with every stack of the environment; `synth()` writes it to `outdir`.

    `extra_components` are folders with components besides those of `stacks/platform/components`.
    """
    components = enabled_components(settings, extra_paths=extra_components)
    # cdktf would start Terraform for its version, which each stack states itself (`required_version`), and look for a
    # provider that a stack forgot, which tests/stacks/invariants/test_references.py does.
    app = App(outdir=str(outdir) if outdir else None, skip_validation=True)

    identity = IdentityStack(app, settings, redirect_uris=components.redirect_uris())
    disks = DisksStack(app, settings)
    acr = AcrStack(app, settings)
    database = DatabaseStack(
        app, settings, kept_secrets=every_vault_name(components.known_hosts(), is_private=settings.is_private)
    )
    address = AddressStack(app, settings)

    routes = components.routes()
    network = NetworkStack(app, settings, routes=routes, disks=disks, acr=acr, database=database, address=address)
    aks = AksStack(
        app,
        components,
        network=network,
        identity=identity,
        disks=disks,
        acr=acr,
        database=database,
        address=address,
    )
    PlatformStack(
        app,
        components,
        aks=aks,
        identity=identity,
        disks=disks,
        database=database,
        address=address,
    )
    return app


def main() -> None:
    """Synthesize the environment that `PLATFORM_ENV` names."""
    environment = os.environ.get("PLATFORM_ENV", "dev")
    try:
        settings = load_settings(environment)
        outdir = output_folder(environment, os.environ)
        outdir.mkdir(parents=True, exist_ok=True)
        app = build_app(settings, outdir)
    except (SettingsError, LockError) as error:
        print(error, file=sys.stderr)
        sys.exit(UNUSABLE_FILE)
    app.synth()
    bring_charts(outdir / "stacks" / "platform")


def bring_charts(stack: Path) -> None:
    """Put the archives of pinned charts beside the stack in folder `stack`; ends the program where one was replaced."""
    allowed = os.environ.get(SWITCH) != NEVER
    try:
        bring(stack, charts(), lambda text: print(f"Warning: {text}", file=sys.stderr), allowed=allowed)
    except OperatorError as error:
        sys.exit(f"{error.message}; {error.fix}")


if __name__ == "__main__":
    main()
