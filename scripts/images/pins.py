"""Looks up digests that `helm/images.yaml` lacks and writes them there; comments and order stay."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.core.errors import OperatorError

from .lock import write_atomically
from .recipes import Recipe
from .registry.client import Registry
from .registry.references import parse


@dataclass(frozen=True, slots=True)
class Pin:
    """A digest that was looked up."""

    name: str
    """Image in `helm/images.yaml`."""
    reference: str
    """What was looked up: the image itself, or one of its base images."""
    digest: str
    before: str | None


def look_up(references: Iterable[str], connect: Callable[[str], Registry] = Registry.connect) -> dict[str, str]:
    """Return the digest of each image, for all platforms. Raises OperatorError when a registry does not answer."""
    registries: dict[str, Registry] = {}
    digests: dict[str, str] = {}
    for reference in references:
        image = parse(reference)
        registry = registries.setdefault(image.registry, connect(image.registry))
        digest = registry.digest(image.repository, image.selector)
        if digest is None:
            raise OperatorError(f"{reference} does not exist", "correct repository or tag in helm/images.yaml")
        digests[reference] = digest
    return digests


class PinFile:
    """`helm/images.yaml`, edited in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 4096
        self._content: Any = self._yaml.load(path.read_text("utf-8"))

    def set_digest(self, name: str, digest: str) -> str | None:
        """Pin an image and return its former digest."""
        entry = self._entry(name)
        before = entry.get("digest")
        if "digest" not in entry:
            # Before the tag: a comment that follows the tag, or stands above the next entry, belongs to it.
            entry.insert(list(entry).index("tag"), "digest", digest)
        entry["digest"] = digest
        return str(before) if before else None

    def set_base(self, name: str, reference: str, digest: str) -> str | None:
        """Pin a base image of a build and return its former digest."""
        build = self._entry(name)["build"]
        bases = build.setdefault("bases", {})
        before = bases.get(reference)
        bases[reference] = digest
        return str(before) if before else None

    def save(self) -> None:
        """Replace the file in one step."""
        text = io.StringIO()
        self._yaml.dump(self._content, text)
        write_atomically(self._path, text.getvalue())

    def _entry(self, name: str) -> Any:
        release, _, component = name.partition("/")
        return self._content[release][component]


def pin(
    path: Path,
    images: dict[str, str],
    recipes: dict[str, Recipe],
    *,
    again: bool = False,
    connect: Callable[[str], Registry] = Registry.connect,
) -> list[Pin]:
    """Pin `images` (name to reference) and the bases of `recipes`, and return what changed.

    Bases that have a digest keep it unless `again`.

    Raises OperatorError, the file untouched, when one cannot be looked up.
    """
    bases = {
        (name, base)
        for name, recipe in recipes.items()
        for base, digest in recipe.bases.items()
        if "@" not in base and (again or digest is None)
    }
    digests = look_up([*images.values(), *sorted({base for _, base in bases})], connect)
    file = PinFile(path)
    pins = [Pin(name, text, digests[text], file.set_digest(name, digests[text])) for name, text in images.items()]
    pins += [Pin(name, base, digests[base], file.set_base(name, base, digests[base])) for name, base in sorted(bases)]
    changed = [found for found in pins if found.before != found.digest]
    if changed:
        file.save()
    return changed
