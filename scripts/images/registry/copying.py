"""Copies an image from one registry to another, every platform of it, byte for byte."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .client import Registry
from .manifests import Descriptor, Manifest

PARALLEL_BLOBS = 4
Count = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Place:
    """A repository in a registry."""

    registry: Registry
    repository: str


def copy(source: Place, selector: str, target: Place, tag: str, count: Count = lambda _bytes: None) -> str:
    """Copy an image and return its digest, which stays the same.

    What the target holds already is not sent again, so that a broken copy continues where it stopped; the tag is set
    last, so that it never names half an image. `count` gets the bytes that were sent. Raises RegistryError.
    """
    manifest = source.registry.manifest(source.repository, selector)
    pool = ThreadPoolExecutor(PARALLEL_BLOBS)
    try:
        _content(source, target, manifest, pool, count)
    finally:
        pool.shutdown(cancel_futures=True)
    target.registry.put_manifest(target.repository, tag, manifest)
    return manifest.digest


def _content(source: Place, target: Place, manifest: Manifest, pool: ThreadPoolExecutor, count: Count) -> None:
    for child in manifest.children():
        inner = source.registry.manifest(source.repository, child.digest)
        _content(source, target, inner, pool, count)
        target.registry.put_manifest(target.repository, child.digest, inner)
    futures = [pool.submit(_blob, source, target, blob, count) for blob in manifest.blobs()]
    for future in futures:
        future.result()


def _blob(source: Place, target: Place, blob: Descriptor, count: Count) -> None:
    if target.registry.has_blob(target.repository, blob.digest):
        return
    with source.registry.blob(source.repository, blob.digest) as pieces:
        target.registry.put_blob(target.repository, blob, _counted(pieces, count))


def _counted(pieces: Iterator[bytes], count: Count) -> Iterator[bytes]:
    for piece in pieces:
        count(len(piece))
        yield piece
