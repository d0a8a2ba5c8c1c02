"""`llmctl bench images`: nothing to do, parallel against serial, one edited file against rebuilding everything."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console

from scripts.images.registry.client import Registry
from scripts.images.registry.manifests import MANIFEST_TYPES, Descriptor, Manifest
from stacks.platform.common.catalogue import images
from stacks.settings import load_settings

from . import noop_images, report
from .image_scenes import IMAGES, Scene, forget_layers, write_repository
from .loopback import buildah_environment, registry_program, running
from .measure import run
from .processes import ROOT
from .wire import Wire

DOCUMENT = ROOT / "docs" / "reference" / "performance.md"
NOOP_TARGET_S = 1.5
MIB = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One measured case, the median of its runs."""

    case: str
    way: str
    seconds: float
    built: int
    sent_mib: float


@dataclass(frozen=True)
class Figures:
    """Everything that one benchmark run found."""

    machine: dict[str, str]
    runs: int
    noop_images: int
    noop_s: float
    rows: list[Row]


def measure(runs: int) -> Figures:
    """Run the whole benchmark in a temporary folder."""
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "registry") as registry:
        folder = Path(name)
        noop_s = _noop(folder / "noop", registry.name, runs)
        with Wire(registry.name).relaying() as wire, _builder(folder / "buildah"):
            rows = _builds(folder, wire, runs)
    machine = report.machine("not used")
    kept = {key: machine[key] for key in ("processor", "memory", "system", "load average before", "python")}
    return Figures(kept, runs, len(images()), noop_s, rows)


def _noop(folder: Path, registry: str, runs: int) -> float:
    folder.mkdir()
    client = Registry(registry)
    entries, contents = [], (b'{"os": "linux", "architecture": "amd64"}', os.urandom(1024))
    for content in contents:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        entries.append({"mediaType": "application/octet-stream", "digest": digest, "size": len(content)})
    body = {"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": entries[0], "layers": entries[1:]}
    manifest = Manifest(MANIFEST_TYPES[0], json.dumps(body).encode())

    def put(repository: str, tag: str) -> None:
        for entry, content in zip(entries, contents, strict=True):
            client.put_blob(repository, Descriptor(str(entry["digest"]), len(content)), [content])
        client.put_manifest(repository, tag, manifest)

    (folder / "digest").write_text(manifest.digest, "utf-8")
    contexts = [image.build.context for image in images().values() if image.build]
    write_repository(folder / "source", contexts, noop_images.VERSION)
    shop = noop_images.shop(folder, registry)
    for image in shop.images:
        if image.recipe:
            put(image.repository, image.tag)
        else:
            put(image.upstream.repository, noop_images.VERSION)
    command = [sys.executable, "-m", "scripts.lab.bench.noop_images", str(folder), registry]
    run([*command, "fill"], os.environ, ROOT)
    return median(run(command, os.environ, ROOT).wall_s for _ in range(runs))


def _builds(folder: Path, wire: Wire, runs: int) -> list[Row]:
    cores = os.cpu_count() or 1
    samples: dict[tuple[str, str], list[tuple[float, int, int]]] = {}

    def sample(case: str, way: str, result: tuple[float, int]) -> None:
        samples.setdefault((case, way), []).append((*result, wire.taken()))

    for number in range(runs):
        scene = Scene(folder / f"scene-{number}", load_settings("dev"), wire.name)
        scene.write_source()
        for jobs in (1, cores):
            # A fresh machine and a tag of its own for each way, so that every one builds and pushes everything.
            forget_layers()
            scene.edit(f"{number} {jobs}\n")
            for name in IMAGES:
                (scene.source / "apps" / name / "program.bin").write_bytes(os.urandom(MIB) * 24)
            wire.taken()
            sample("all images, fresh machine", f"llmctl, {jobs} at once", scene.ensure(jobs))
        sample("nothing changed", f"llmctl, {cores} at once", scene.ensure(cores))
        scene.rebuild_everything()
        wire.taken()
        sample("nothing changed", "rebuild everything", scene.rebuild_everything())
        for machine in ("same machine", "fresh machine"):
            case = f"one file edited, {machine}"
            for way in ("rebuild everything", f"llmctl, {cores} at once"):
                scene.edit(f"{number} {machine} {way}\n")
                if machine == "fresh machine":
                    forget_layers()
                wire.taken()
                again = scene.rebuild_everything() if way == "rebuild everything" else scene.ensure(cores)
                sample(case, way, again)
        shutil.rmtree(scene.folder)
    return [
        Row(
            case,
            way,
            median(seconds for seconds, _, _ in found),
            found[0][1],
            median(sent for _, _, sent in found) / MIB,
        )
        for (case, way), found in samples.items()
    ]


@contextmanager
def _builder(folder: Path) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(buildah_environment(folder))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def tables(figures: Figures) -> list[report.Table]:
    """Return the figures as tables."""
    met = "met" if figures.noop_s <= NOOP_TARGET_S else "missed"
    noop = [["at most 1.5 s with nothing to do", f"{figures.noop_images}", f"{figures.noop_s:.2f}", met]]
    rows = [
        [row.case, row.way, f"{row.seconds:.2f}", f"{row.built}", f"{row.sent_mib:.1f}"]
        for row in sorted(figures.rows, key=lambda row: row.case)
    ]
    return [
        report.Table(
            f"All images of helm/images.yaml, median of {figures.runs}",
            ["promise", "images", "wall s", "verdict"],
            noop,
        ),
        report.Table(
            f"{len(IMAGES)} images of two 24 MiB layers, median of {figures.runs}",
            ["case", "way", "wall s", "images built", "MiB sent"],
            rows,
        ),
    ]


def markdown(figures: Figures) -> str:
    """Return the machine and the tables as Markdown."""
    return "\n\n".join([report.bullet_list(figures.machine.items()), *(table.markdown() for table in tables(figures))])


def main(
    runs: Annotated[int, typer.Option(min=1, help="Measured runs of each case; the median counts.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    write: Annotated[
        bool, typer.Option("--markdown", help="Also write the tables into docs/reference/performance.md.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="End with status 1 when the target is missed.")] = False,
) -> None:
    """Measure work on images against a registry on loopback; needs docker-registry (or crane) and buildah.

    Examples: `llmctl bench images --runs 5`, `llmctl bench images --markdown`
    """
    if registry_program() is None or shutil.which("buildah") is None:
        typer.echo("the benchmark needs a registry (docker-registry, registry or crane) and buildah", err=True)
        raise typer.Exit(5)
    figures = measure(runs)
    if write:
        DOCUMENT.write_text(report.replace_block(DOCUMENT.read_text("utf-8"), "images", markdown(figures)), "utf-8")
    if as_json:
        typer.echo(json.dumps(asdict(figures), indent=2))
    else:
        console = Console()
        console.print(*report.bullet_list(figures.machine.items()).splitlines(), sep="\n", highlight=False)
        for table in tables(figures):
            console.print(table.rich())
    if check and figures.noop_s > NOOP_TARGET_S:
        raise typer.Exit(1)
