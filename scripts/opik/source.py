"""Opik's changelogs, out of the source that its images are built from."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.core.errors import OperatorError
from scripts.images.sources.tagged import at_tag
from stacks.platform.common.catalogue import Image, images

from .changelog import FOLDER, ChangeSet, ChangeSetId, changelog
from .versions import Version

BACKEND = "apps/opik-backend"


def changelog_at(
    version: Version, cache: Path, pinned: Mapping[str, Image] | None = None
) -> dict[ChangeSetId, ChangeSet]:
    """Return the schema migrations that a release brings, from its git tag, or the commit pinned for that version.

    Raises MovedTagError where the tag names another commit than the pinned one, OperatorError when the source cannot be
    had or holds no migrations where they have always been.
    """
    backend = _backend(images() if pinned is None else pinned)
    assert backend.build is not None
    commit = backend.build.commit if backend.tag == str(version) else None
    source = at_tag(backend.build.git, str(version), cache, commit=commit)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "liquibase"
        root.mkdir()
        source.export(FOLDER, root)
        found = changelog({str(path.relative_to(root)): path.read_text("utf-8") for path in root.rglob("*.sql")})
    if not found:
        raise OperatorError(
            f"Opik {version} has no migrations in {FOLDER}", "its source has been rearranged; look there"
        )
    return found


def _backend(pinned: Mapping[str, Image]) -> Image:
    for image in pinned.values():
        if image.build and image.build.context.startswith(BACKEND):
            return image
    raise OperatorError(f"helm/images.yaml names no image that is built from {BACKEND}, so its migrations are unknown")
