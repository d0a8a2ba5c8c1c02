"""What a Dockerfile asks of its builder is known before anything is built."""

from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.images import recipes
from scripts.images.builders.acr_tasks import AcrTasks
from scripts.images.builders.base import Builder, require_able
from scripts.images.builders.local import Buildah, Buildx
from scripts.images.dockerfile.features import Feature, uses
from scripts.images.recipes import Recipe
from scripts.images.sources.tagged import at_tag
from stacks.platform.common.catalogue import Build, images
from tests.support.images.sources import commit, write_source

from .test_images_tools import install, programs  # noqa: F401 - a fixture

OPTIONAL_ARCHIVE = """\
FROM docker:28.4.0 AS builder
COPY requirements.txt .
FROM docker:28.4.0
COPY --from=builder /opt/venv /opt/venv
ENV ASSET_NAME="sandbox-python"
# Optionally copies the file.
COPY *${ASSET_NAME}.tar.gz ./images/${ASSET_NAME}.tar.gz
COPY src ./src
"""
"""As Opik's Python backend is written."""
FILES = frozenset({"Dockerfile", "requirements.txt", "src/app.py", "package.json"})

SHAPES = {
    "a pattern that matches": ("FROM scratch\nCOPY package*.json ./\n", []),
    "a pattern that matches in a folder": ("FROM scratch\nCOPY src/*.py ./\n", []),
    "a folder that matches": ("FROM scratch\nCOPY s* ./\n", []),
    "a pattern that matches nothing": ("FROM scratch\nCOPY *.lock ./\n", [(2, Feature.EMPTY_PATTERN, "*.lock")]),
    "one of several that matches nothing": ('FROM scratch\nCOPY ["package.json", "yarn*.lock", "./"]\n', []),
    "several that match nothing": (
        'FROM scratch\nCOPY ["*.none", "yarn*.lock", "./"]\n',
        [(2, Feature.EMPTY_PATTERN, "*.none yarn*.lock")],
    ),
    "the name in a variable": (OPTIONAL_ARCHIVE, [(7, Feature.EMPTY_PATTERN, "*sandbox-python.tar.gz")]),
    "a pattern in another stage": ("FROM a AS b\nFROM scratch\nCOPY --from=b /x/*.jar ./\n", []),
    "an argument": ("FROM scratch\nARG NAME=none\nCOPY ${NAME}*.json ./\n", []),
    "a mount over lines": (
        "FROM a\nRUN --mount=type=cache,target=/var/cache/pip \\\n    # why\n    pip install x\n",
        [(2, Feature.MOUNT, "--mount=type=cache,target=/var/cache/pip")],
    ),
    "a heredoc": ("FROM a\nRUN <<EOF\nCOPY *.nothing .\nEOF\nCOPY *.none .\n", [
        (2, Feature.HEREDOC, "EOF"), (5, Feature.EMPTY_PATTERN, "*.none"),
    ]),
    "a file by heredoc": ("FROM a\nCOPY <<'END' /etc/x\nline\nEND\n", [(2, Feature.HEREDOC, "END")]),
    "a shift is no heredoc": ("FROM a\nENV X=1<<EOF\nLABEL a=b\n", []),
    "a linked copy": ("FROM a\nCOPY --link src /src\n", [(2, Feature.OPTION, "COPY --link")]),
    "a checked download": (
        "FROM a\nADD --checksum=sha256:0 https://x/y*z /z\n",
        [(2, Feature.OPTION, "ADD --checksum")],
    ),
    "the usual frontend": ("# syntax=docker/dockerfile:1\nFROM a\n", []),
    "a frontend of one's own": ("# syntax=example.com/mine:2\nFROM a\n", [(1, Feature.FRONTEND, "example.com/mine:2")]),
    "options of old": (
        "FROM --platform=linux/amd64 a\nCOPY --chown=1:1 --chmod=0755 src /src\nHEALTHCHECK --interval=5s CMD x\n",
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_dockerfile_asks_for_is_found(shape: str) -> None:
    text, expected = SHAPES[shape]
    assert [(use.line, use.feature, use.what) for use in uses(text, {"NAME": "package"}, FILES)] == expected


BUILDAH = {
    "1.28.2": {Feature.EMPTY_PATTERN, Feature.FRONTEND, Feature.HEREDOC, Feature.OPTION},
    "1.33.7": {Feature.EMPTY_PATTERN, Feature.FRONTEND, Feature.OPTION},
    "1.41.0": {Feature.EMPTY_PATTERN, Feature.FRONTEND},
}


@pytest.mark.parametrize("version", BUILDAH)
@pytest.mark.parametrize("program", ["buildah", "podman"])
def test_a_builder_lacks_what_its_version_lacks(program: str, version: str, programs: Path) -> None:  # noqa: F811
    said = f"buildah version {version} (image-spec 1.0.2)" if program == "buildah" else version
    install(programs, program, f"echo '{said}'")
    assert Buildah("podman" if program == "podman" else "buildah").lacks == BUILDAH[version]


def test_buildkit_lacks_nothing() -> None:
    assert Buildx().lacks == AcrTasks().lacks == frozenset()


def recipe(folder: Path, dockerfile: str, **build: object) -> Recipe:
    context = write_source(folder, ("backend",)) / "apps" / "backend"
    (context / "Dockerfile").write_text(dockerfile)
    commit(folder, "2.1.0")
    made = Build(git=str(folder), context="apps/backend", **build)  # type: ignore[arg-type]
    return Recipe.of("app/backend", made, "2.1.0", at_tag(str(folder), "2.1.0", folder / "cache"), "linux/amd64")


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("builder", [Buildah("buildah"), Buildah("podman")], ids=["buildah", "podman"])
def test_a_builder_that_cannot_is_refused_with_lines_and_ways_on(builder: Builder, tmp_path: Path) -> None:
    asked = recipe(
        tmp_path / "source", "FROM scratch\nCOPY *archive.tar.gz /x\nRUN --mount=type=cache,target=/c <<EOF\nls\nEOF\n"
    )
    with pytest.raises(OperatorError) as refusal:
        require_able(builder, asked)
    assert refusal.value.code == ExitCode.NOT_READY
    assert "app/backend" in refusal.value.message
    assert "line 2 copies a pattern that matches no file: *archive.tar.gz" in refusal.value.message
    assert "line 3 has a heredoc (<<): EOF" in refusal.value.message
    assert "build.files of app/backend in helm/images.yaml" in refusal.value.fix
    require_able(Buildx(), asked)
    require_able(AcrTasks(), asked)


def test_an_added_file_is_in_the_context_and_in_the_hash(tmp_path: Path) -> None:
    text = "FROM scratch\nCOPY *archive.tar.gz /x/\n"
    plain = recipe(tmp_path / "a", text)
    added = recipe(tmp_path / "b", text, files={"archive.tar.gz": ""})
    other = recipe(tmp_path / "c", text, files={"archive.tar.gz": "x"})
    assert len({plain.content_hash, added.content_hash, other.content_hash}) == 3
    assert [use.feature for use in plain.uses] == [Feature.EMPTY_PATTERN]
    assert added.uses == []
    folder = tmp_path / "context"
    folder.mkdir()
    added.export(folder)
    assert (folder / "archive.tar.gz").read_bytes() == b""


def test_a_file_that_the_source_has_itself_is_not_replaced(tmp_path: Path) -> None:
    kept = recipe(tmp_path / "source", "FROM scratch\nCOPY file.txt /\n", files={"file.txt": "ours"})
    folder = tmp_path / "context"
    folder.mkdir()
    kept.export(folder)
    assert (folder / "file.txt").read_text() == "backend\n"


def test_images_without_added_files_keep_their_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash stands in tags of images that were built before; a literal of before the change."""
    monkeypatch.setattr(recipes.Recipe, "bases", {})
    monkeypatch.setattr(
        "scripts.images.sources.tree.Source.tree", lambda _self, _context: "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    )
    assert recipe(tmp_path / "source", "FROM scratch\n").content_hash == "fb6e53ec8d95"


def test_opiks_python_backend_gets_the_empty_archive_that_it_copies_if_there_is_one() -> None:
    build = images()["opik/python-backend"].build
    assert build
    assert dict(build.files) == {"opik-sandbox-executor-python.tar.gz": ""}
