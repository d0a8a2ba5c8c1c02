"""`llmctl images`: every container image of the platform, in the environment's own registry, locked by digest."""

from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode
from scripts.core.processes import Processes
from scripts.deployment.image_step import Tools, ensure, shown
from scripts.images.environment_images import EnvironmentImages
from scripts.images.report import plain, rows, table

from .care import prune, scan, verify
from .options import BuilderName, ImporterName, Jobs, Names, RegistryHost, SourceFolder, locked_images_of, open_shop
from .pin import pin
from .pinned import pinned

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)
app.command("pin")(pin)
app.command("lock", hidden=True)(pin)  # its name before it pinned charts and source, too
app.command("pinned")(pinned)
app.command("prune")(prune)
app.command("scan")(scan)
app.command("verify")(verify)


@app.callback()
def images() -> None:
    """Build, import and lock the platform's container images.

    `helm/images.yaml` names every image once. `ensure` brings all of them into the environment's registry and locks
    them there by digest, for every checkout; from then on the stacks deploy by digest. `llmctl deploy` runs it by
    itself.
    """


@app.command("ensure")
def ensure_all(
    *,
    environment: Environment = None,
    image: Names = None,
    registry: RegistryHost = "",
    source: SourceFolder = None,
    builder: BuilderName = None,
    importer: ImporterName = None,
    jobs: Jobs = 0,
    as_json: AsJson = False,
) -> None:
    """Build and import what the registry lacks, then lock every image by digest, in the registry.

    Images whose content has not changed are left alone. One failure lets the others finish; the lock file is only
    written when all is well. Safe to interrupt and to run again.

    Examples: `llmctl images ensure prod`, `llmctl images ensure dev --image opik/frontend --builder buildx`
    """
    shop = open_shop(environment, image, registry=registry, source=source)
    _ensure(shop, Tools(builder, importer, jobs), "images ensure", as_json)


@app.command("build")
def build(
    *,
    environment: Environment = None,
    image: Names = None,
    registry: RegistryHost = "",
    source: SourceFolder = None,
    builder: BuilderName = None,
    jobs: Jobs = 0,
    as_json: AsJson = False,
) -> None:
    """Like `ensure`, but only images that are built from source.

    Examples: `llmctl images build prod`, `llmctl images build dev --image opik/frontend --source ../opik`
    """
    shop = open_shop(environment, image, registry=registry, source=source, kind="build")
    _ensure(shop, Tools(builder, jobs=jobs), "images build", as_json)


@app.command("import")
def import_(
    *,
    environment: Environment = None,
    image: Names = None,
    registry: RegistryHost = "",
    importer: ImporterName = None,
    as_json: AsJson = False,
) -> None:
    """Like `ensure`, but only images that others publish.

    Examples: `llmctl images import prod`, `llmctl images import dev --importer direct`
    """
    shop = open_shop(environment, image, registry=registry, kind="import")
    _ensure(shop, Tools(importer=importer), "images import", as_json)


@app.command("status")
def status(
    *,
    environment: Environment = None,
    image: Names = None,
    registry: RegistryHost = "",
    source: SourceFolder = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 2 when an image is not current.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show which images are missing, stale, unlocked or current, with what a node downloads for each.

    Examples: `llmctl images status prod`, `llmctl images status prod --detailed-exitcode --json`
    """
    shop = open_shop(environment, image, registry=registry, source=source)
    with err.status("Asking the registry"):
        found = rows(shop)
    if as_json:
        print_json({"registry": shop.registry.name, "lock": shown(shop.lock_path), "images": found})
    else:
        out.print(table(found, f"{shop.settings.name}: {shop.registry.name}"))
    if detailed_exitcode and any(row["state"] != "current" for row in found):
        raise typer.Exit(ExitCode.CHANGES)


def _ensure(shop: EnvironmentImages, tools: Tools, action: str, as_json: bool) -> None:
    with locked_images_of(shop, action):
        outcome = ensure(shop, tools, Processes())
    if as_json:
        print_json(
            {
                "registry": shop.registry.name,
                "worked_on": outcome.worked_on,
                "lock_changed": outcome.lock_changed,
                "images": [plain(found) for found in outcome.findings],
            }
        )
        return
    count = f"{len(outcome.findings)} images stand in {shop.registry.name}"
    copy = shown(shop.lock_path)
    err.print(
        f"{count}, locked there; {copy}, the copy here, {'was renewed' if outcome.lock_changed else 'is current'}."
    )
