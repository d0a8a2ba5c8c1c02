"""A source repository with small images made from nothing, and a workshop around it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.images.environment_images import EnvironmentImages
from stacks.platform.common.catalogue import Build, Image
from stacks.settings import load_settings

VERSION = "2.1.0"
COMPONENTS = ("backend", "frontend", "worker")
UPSTREAM = "127.0.0.1:9"
DOCKERFILE = "FROM scratch\nARG OPIK_VERSION\nCOPY file.txt /file.txt\nLABEL version=$OPIK_VERSION\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false")
    run = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def write_source(folder: Path, components: tuple[str, ...] = COMPONENTS) -> Path:
    """Write a git repository with one context for each component, and tag it."""
    for component in components:
        context = folder / "apps" / component
        context.mkdir(parents=True)
        (context / "Dockerfile").write_text(DOCKERFILE)
        (context / "file.txt").write_text(f"{component}\n")
    git(folder, "init", "--quiet")
    commit(folder, VERSION)
    return folder


def commit(folder: Path, tag: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "change")
    git(folder, "tag", "--force", tag)


def built(source: Path, component: str, **build: Any) -> Image:
    options = {"args": {"OPIK_VERSION": "{tag}"}, "memory_gib": 0.5, **build}
    return Image(
        repository=f"{UPSTREAM}/opik-{component}",
        tag=VERSION,
        build=Build(git=str(source), context=f"apps/{component}", **options),
    )


def pinned(source: Path, components: tuple[str, ...] = COMPONENTS) -> dict[str, Image]:
    return {f"app/{component}": built(source, component) for component in components}


def workshop(folder: Path, images: Mapping[str, Image], registry: str, **options: Any) -> EnvironmentImages:
    return EnvironmentImages(
        load_settings("dev"),
        registry_name=registry,
        pinned=images,
        lock=folder / "dev.images.lock.json",
        cache=folder / "cache",
        **options,
    )
