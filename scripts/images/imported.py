"""Digests of images that an environment has imported, for those that the list knows by a tag alone."""

from collections.abc import Iterable, Mapping

from stacks.platform.common.image_lock import LockedImage

from .desired import mirror
from .registry.references import parse
from .upstream import Upstream


def imported(upstreams: Iterable[Upstream], locked: Mapping[str, LockedImage]) -> dict[Upstream, str]:
    """Return the digest under which each image was imported; what was built or never imported is left out.

    An import copies all platforms byte for byte, so that the digest is the publisher's.
    """
    found = {}
    for each in upstreams:
        if each.kind != "image" or (entry := locked.get(each.name)) is None:
            continue
        reference = parse(each.reference)
        if (entry.repository, entry.tag) == (mirror(reference), reference.tag):
            found[each] = entry.digest
    return found
