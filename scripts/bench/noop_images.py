"""One run over all images with nothing to do, as a process: `python -m scripts.bench.noop_images FOLDER REGISTRY`."""

import sys
from pathlib import Path

from scripts.cli.image_step import Tools, ensure
from scripts.cli.processes import Processes
from scripts.images.workshop import Workshop
from stacks.kubernetes.catalogue import Image, images
from stacks.settings import load_settings


def shop(folder: Path, registry: str) -> Workshop:
    """Return as many imported images as `helm/images.yaml` has."""
    pinned = {
        name: Image(repository=f"{registry}/upstream/{name}", tag="v1", digest=digest)
        for name in images()
        for digest in [(folder / "digest").read_text("utf-8")]
    }
    return Workshop(load_settings("dev"), registry_name=registry, pinned=pinned, lock=folder / "lock", cache=folder)


if __name__ == "__main__":
    outcome = ensure(shop(Path(sys.argv[1]), sys.argv[2]), Tools(importer="direct"), Processes())
    sys.exit(1 if outcome.worked_on and len(sys.argv) < 4 else 0)
