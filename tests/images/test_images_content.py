"""What a build is made of: sources, Dockerfiles, hashes."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.images.dockerfile.base_images import base_images, pin_bases
from scripts.images.recipes import Recipe
from scripts.images.sources import folder, tagged
from scripts.images.sources.git import GitError
from scripts.images.sources.tree import Source
from stacks.platform.common.catalogue import Build, charts, images
from tests.support.images.sources import COMPONENTS, DOCKERFILE, VERSION, commit, git, pinned, workshop, write_source

DIGEST = "sha256:" + "1" * 64
OPIK_LIKE = """\
# syntax=docker/dockerfile:1
ARG NODE=20.19.6
FROM --platform=$BUILDPLATFORM node:${NODE}-alpine AS build
COPY --from=docker.io/library/busybox:1.36 /bin/sh /bin/sh
RUN --mount=type=bind,from=build,target=/x \\
    --mount=type=bind,from=ghcr.io/astral-sh/uv:0.9,target=/uv tool --from=nothing
FROM Build as test
FROM nginx:1.30.1-alpine-otel
COPY --from=build /dist /dist
COPY --from=0 /a /b
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source")


def tags(tmp_path: Path, repository: Path, **options: object) -> dict[str, str]:
    return {image.name: image.tag for image in workshop(tmp_path, pinned(repository), "localhost:1", **options).images}


def test_base_images_are_found_and_stages_are_not() -> None:
    found = base_images(OPIK_LIKE, {"BUILDPLATFORM": "linux/amd64"})
    assert found == [
        "node:20.19.6-alpine",
        "nginx:1.30.1-alpine-otel",
        "docker.io/library/busybox:1.36",
        "ghcr.io/astral-sh/uv:0.9",
    ]


def test_build_arguments_win_over_defaults_in_base_images() -> None:
    assert base_images("ARG NODE=20\nFROM node:$NODE\n", {"NODE": "22"}) == ["node:22"]
    assert base_images("FROM node:${NODE:-18}\n", {}) == ["node:18"]


def test_a_base_image_without_a_value_names_the_argument() -> None:
    with pytest.raises(ValueError, match="needs the build argument NODE"):
        base_images("FROM node:$NODE\n", {})


def test_a_heredoc_and_a_comment_name_no_base_image() -> None:
    text = """# RUN --mount=type=bind,from=example.com/comment:1
FROM node:22 AS build
RUN --mount=type=bind,from=busybox:1,target=/y \\
    true
RUN <<EOF
FROM example.com/heredoc:1
COPY --from=example.com/heredoc:2 a b
EOF
FROM nginx:1
"""
    assert base_images(text, {}) == ["node:22", "nginx:1", "busybox:1"]
    assert pin_bases(text, {}, {"example.com/heredoc:1": DIGEST, "example.com/comment:1": DIGEST}) == text


def test_known_bases_are_replaced_by_digest_and_everything_else_stays() -> None:
    text = pin_bases(OPIK_LIKE, {}, {"node:20.19.6-alpine": DIGEST, "ghcr.io/astral-sh/uv:0.9": DIGEST})
    assert f"FROM --platform=$BUILDPLATFORM node:20.19.6-alpine@{DIGEST} AS build\n" in text
    assert f"from=ghcr.io/astral-sh/uv:0.9@{DIGEST},target=/uv tool --from=nothing" in text
    assert text.count(DIGEST) == 2
    assert pin_bases(text, {}, {}) == text


def test_one_changed_file_changes_the_tag_of_exactly_its_image(tmp_path: Path, repository: Path) -> None:
    before = tags(tmp_path, repository, source_folder=repository)
    (repository / "apps" / "frontend" / "file.txt").write_text("edited, not committed\n")
    after = tags(tmp_path, repository, source_folder=repository)
    assert {name for name in before if before[name] != after[name]} == {"app/frontend"}


def test_the_tag_names_version_and_content(tmp_path: Path, repository: Path) -> None:
    for tag in tags(tmp_path, repository).values():
        version, _, content = tag.partition("-")
        assert version == VERSION
        assert len(content) == 12


def test_a_checkout_and_the_fetched_version_have_the_same_tags(tmp_path: Path, repository: Path) -> None:
    assert tags(tmp_path, repository) == tags(tmp_path, repository, source_folder=repository)
    # A copy without its repository too.
    shutil.copytree(repository, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    assert tags(tmp_path, repository) == tags(tmp_path, repository, source_folder=tmp_path / "copy")


@pytest.mark.parametrize(
    "change",
    [
        {"args": {"OPIK_VERSION": "other"}},
        {"bases": {"alpine:3": DIGEST}},
    ],
)
def test_arguments_and_bases_are_part_of_the_hash(repository: Path, change: dict[str, Any]) -> None:
    (repository / "apps" / "backend" / "Dockerfile").write_text("FROM alpine:3\n")
    commit(repository, VERSION)
    build = Build(git=str(repository), context="apps/backend", args={"OPIK_VERSION": "{tag}"})
    tree = Source(repository, "HEAD")
    one = Recipe.of("app/backend", build, VERSION, tree, "linux/amd64")
    other = Recipe.of("app/backend", replace(build, **change), VERSION, tree, "linux/amd64")
    arm = Recipe.of("app/backend", build, VERSION, tree, "linux/arm64")
    assert len({one.content_hash, other.content_hash, arm.content_hash}) == 3


def test_a_base_without_a_digest_is_said(tmp_path: Path, repository: Path) -> None:
    (repository / "apps" / "backend" / "Dockerfile").write_text("FROM alpine:3\n")
    shop = workshop(tmp_path, pinned(repository), "localhost:1", source_folder=repository)
    assert {image.name: image.unpinned for image in shop.images if image.unpinned} == {"app/backend": ["alpine:3"]}


def test_the_build_gets_what_was_hashed_and_nothing_that_git_ignores(tmp_path: Path, repository: Path) -> None:
    context = repository / "apps" / "backend"
    (repository / ".gitignore").write_text("node_modules/\n")
    (context / "node_modules").mkdir()
    (context / "node_modules" / "huge.js").write_text("x")
    (context / "tool.sh").write_text("#!/bin/sh\n")
    (context / "tool.sh").chmod(0o755)
    (context / "link").symlink_to("file.txt")
    shop = workshop(tmp_path, pinned(repository, ("backend",)), "localhost:1", source_folder=repository)
    recipe = shop.images[0].recipe
    assert recipe is not None
    out = tmp_path / "out"
    out.mkdir()
    recipe.export(out)
    assert sorted(path.name for path in out.iterdir()) == ["Dockerfile", "file.txt", "link", "tool.sh"]
    assert (out / "tool.sh").stat().st_mode & 0o111
    assert (out / "link").readlink() == Path("file.txt")
    assert (out / "Dockerfile").read_text() == DOCKERFILE


def test_a_checkout_is_only_read(tmp_path: Path, repository: Path) -> None:
    (repository / "apps" / "backend" / "new.txt").write_text("new\n")
    before = git(repository, "status", "--porcelain"), sorted((repository / ".git").rglob("*"))
    tags(tmp_path, repository, source_folder=repository)
    assert (git(repository, "status", "--porcelain"), sorted((repository / ".git").rglob("*"))) == before


def test_a_fetched_version_is_not_fetched_again(tmp_path: Path, repository: Path) -> None:
    before = tags(tmp_path, repository)
    shutil.rmtree(repository / ".git")
    assert tags(tmp_path, repository) == before


@pytest.mark.parametrize("damage", ["objects", "HEAD", "refs", "config", "everything"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, repository: Path, damage: str) -> None:
    before = tags(tmp_path, repository)
    (store,) = (tmp_path / "cache" / "source").glob("*.git")
    for path in [store] if damage == "everything" else [store / damage]:
        if path.is_dir():
            for file in [file for file in path.rglob("*") if file.is_file()]:
                file.chmod(0o644)
                file.write_bytes(b"garbage")
        else:
            path.write_bytes(b"garbage")
    assert tags(tmp_path, repository) == before


def test_a_version_that_does_not_exist_is_named_with_the_way_out(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(GitError, match=r"at 9\.9\.9 cannot be fetched") as caught:
        tagged.at_tag(str(repository), "9.9.9", tmp_path / "cache")
    assert "--source" in caught.value.fix
    assert caught.value.code == ExitCode.NOT_READY


@pytest.mark.parametrize("annotated", [False, True])
def test_the_pinned_commit_is_built_and_a_moved_tag_is_refused_with_both(tmp_path: Path, annotated: bool) -> None:
    repository = write_source(tmp_path / "source")
    if annotated:
        git(repository, "tag", "--force", "--annotate", "--message", "release", VERSION)
    dockerfile = "apps/backend/Dockerfile"
    pinned_commit = git(repository, "rev-parse", "HEAD")
    assert tagged.commit_of_tag(str(repository), VERSION) == pinned_commit
    assert tagged.commit_of_tag(str(repository), "9.9.9") is None

    def at(cache: str) -> str:
        return tagged.at_tag(str(repository), VERSION, tmp_path / cache, commit=pinned_commit).text(dockerfile)

    before = at("old")
    (repository / dockerfile).write_text("FROM somebody.example/else\n")
    commit(repository, VERSION)
    moved = git(repository, "rev-parse", "HEAD")
    assert at("old") == before, "what the cache holds is the pinned commit, whatever the tag is now"
    with pytest.raises(
        tagged.MovedTagError, match=rf"{VERSION} of \S+ names commit {moved}, .* {pinned_commit}$"
    ) as no:
        at("new")
    assert no.value.code == ExitCode.REFUSED


def test_a_cache_whose_tag_is_another_commit_is_not_built_from(tmp_path: Path) -> None:
    repository = write_source(tmp_path / "source")
    tagged.at_tag(str(repository), VERSION, tmp_path / "cache")
    (repository / "apps" / "backend" / "Dockerfile").write_text("FROM scratch\n")
    commit(repository, VERSION)
    released = git(repository, "rev-parse", "HEAD")
    found = tagged.at_tag(str(repository), VERSION, tmp_path / "cache", commit=released)
    assert found.root == released
    assert found.text("apps/backend/Dockerfile") == "FROM scratch\n"


def test_a_folder_without_the_contexts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(GitError, match="has no apps/backend"):
        folder.of_folder(tmp_path / "empty", ["apps/backend"], tmp_path / "cache")


def test_an_unknown_image_lists_the_known_ones(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(OperatorError, match="no image is called app/nothing") as caught:
        _ = workshop(tmp_path, pinned(repository), "localhost:1", names=("app/nothing",)).images
    assert all(f"app/{component}" in caught.value.fix for component in COMPONENTS)
    assert caught.value.code == ExitCode.USAGE


def test_what_is_built_is_the_version_that_the_chart_expects_at_run_time() -> None:
    built = {name: image for name, image in images().items() if image.build}
    for name, image in built.items():
        assert image.build is not None
        assert image.build.arguments(image.tag).get("OPIK_VERSION", image.tag) == image.tag, name
    # Opik's entrypoint starts the archive that its build argument named.
    assert {image.tag for image in built.values()} <= {chart.version for chart in charts().values()}


def test_a_token_in_an_address_is_not_repeated_in_errors(tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        tagged.at_tag("http://user:token-of-somebody@127.0.0.1:1/source.git", "1.0", tmp_path / "cache")
    assert "127.0.0.1" in str(caught.value)
    assert "token-of-somebody" not in f"{caught.value}{caught.value.fix}"


def test_damaged_files_in_the_cache_are_said_and_fetched_anew(tmp_path: Path, repository: Path) -> None:
    def export(folder: str) -> str:
        recipe = workshop(tmp_path, pinned(repository, ("backend",)), "localhost:1").images[0].recipe
        assert recipe is not None
        (tmp_path / folder).mkdir()
        recipe.export(tmp_path / folder)
        return (tmp_path / folder / "file.txt").read_text()

    _ = workshop(tmp_path, pinned(repository, ("backend",)), "localhost:1").images[0].tag
    (store,) = (tmp_path / "cache" / "source").glob("*.git")
    blob = git(repository, "rev-parse", "HEAD:apps/backend/file.txt")
    packs = list(store.rglob("pack/*.pack"))
    assert packs, "the fetched version lies in a pack"
    for pack in packs:
        content = bytearray(pack.read_bytes())
        offset = _offset(store, pack, blob)
        content[offset + 1 : offset + 6] = b"\0" * 5
        pack.chmod(0o644)
        pack.write_bytes(content)
    with pytest.raises(GitError, match="cached source is damaged"):
        export("one")
    assert export("two") == "backend\n"


def _offset(store: Path, pack: Path, blob: str) -> int:
    lines = git(store, "verify-pack", "-v", str(pack.with_suffix(".idx"))).splitlines()
    return next(int(line.split()[4]) for line in lines if line.startswith(blob))
