"""`llmctl images pin`: digests of upstream images and charts, and commits of the source that is built."""

from typing import Annotated

import typer

from scripts.cli.options import AsJson
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import load_environment
from scripts.core.workspace import CACHE
from scripts.images import pins, upstream
from scripts.images.desired import chosen
from scripts.images.environment_images import EnvironmentImages
from scripts.images.imported import imported
from scripts.images.upstream import Upstream
from stacks.platform.common import catalogue

from .options import Names


def pin(
    *,
    image: Names = None,
    charts_only: Annotated[bool, typer.Option("--charts", help="Only charts.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Look up what is pinned already, too, and renew it.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit code 3 when a publisher has something else."),
    ] = False,
    imported_by: Annotated[
        str | None,
        typer.Option("--from", metavar="ENV", help="Ask no publisher: take the digests of what ENV imported."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pin images, base images, charts and source by digest or commit, in helm/images.yaml and helm/charts.yaml.

    Needs the publishers' registries, chart repositories and git. Pins that are there stay, unless `--again`. With
    `--check`, a version that has another content at its source than the pin is named with both. `--from ENV` reads the
    image lock in the registry of ENV instead: the next environment gets what that one runs.

    Examples: `llmctl images pin --check`, `llmctl images pin --image opik/backend --again`
    """
    if imported_by and (charts_only or again or check):
        raise OperatorError("--from goes with --image and --json alone", code=ExitCode.USAGE)
    again = again or check
    images = {} if charts_only else chosen(catalogue.images(), image or ())
    charts = {} if image else catalogue.charts()

    def selected(found: list[Upstream]) -> list[Upstream]:
        return [each for each in found if again or each.pinned is None]

    if imported_by:
        shop = EnvironmentImages(load_environment(imported_by))
        with err.status(f"Asking {shop.registry.name}"):
            found = imported(selected(upstream.images_and_sources(images)), shop.shared())
    else:
        with err.status("Asking publishers"):
            everything = [*upstream.images_and_sources(images), *upstream.of_charts(charts)]
            found = upstream.look_up(selected(everything), charts)
            commits = {each.name: commit for each, commit in found.items() if each.kind == "source"}
            found |= upstream.look_up(selected(upstream.bases(images, commits, CACHE / "images")), charts)
    if check:
        _report(found, as_json)
        return
    changed = pins.write(catalogue.HELM, found)
    if as_json:
        print_json([_plain(each, found) for each in changed])
        return
    for each in changed:
        out.print(f"{each.reference}  {found[each]}", markup=False)
    err.print(f"{len(changed)} pins written to helm/." if changed else "Nothing to pin.")


def _report(found: dict[Upstream, str], as_json: bool) -> None:
    moved, open_ = pins.differing(found), pins.unpinned(found)
    if as_json:
        print_json({name: [_plain(each, found) for each in of] for name, of in (("moved", moved), ("unpinned", open_))})
    else:
        for each in moved:
            out.print(f"{each.reference} is {found[each]} now, pinned is {each.pinned}", markup=False)
        for each in open_:
            out.print(f"{each.reference} is pinned by its version only", markup=False)
        err.print(f"{len(found)} looked up: {len(moved)} moved, {len(open_)} not pinned.")
    if moved:
        raise typer.Exit(ExitCode.REFUSED)


def _plain(each: Upstream, found: dict[Upstream, str]) -> dict[str, str | None]:
    return {
        "kind": each.kind,
        "name": each.name,
        "reference": each.reference,
        "pinned": each.pinned,
        "found": found[each],
    }
