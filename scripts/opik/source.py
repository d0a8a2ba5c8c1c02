"""Opik's changelogs, out of the source that its images are built from."""

import tempfile
from pathlib import Path

from scripts.core.errors import OperatorError
from scripts.images.source import at_tag
from stacks.platform.common.catalogue import images

from .changelog import FOLDER, ChangeSet, ChangeSetId, changelog
from .versions import Version

BACKEND = "apps/opik-backend"


def repository() -> str:
    """Return the git repository of Opik's source. Raises OperatorError when no image is built from it."""
    for image in images().values():
        if image.build and image.build.context.startswith(BACKEND):
            return image.build.git
    raise OperatorError(f"helm/images.yaml names no image that is built from {BACKEND}, so its migrations are unknown")


def changelog_at(version: Version, cache: Path, url: str | None = None) -> dict[ChangeSetId, ChangeSet]:
    """Return the schema migrations that a release brings, from its git tag.

    Raises OperatorError when the source cannot be had or holds no migrations where they have always been.
    """
    source = at_tag(url or repository(), str(version), cache)
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
