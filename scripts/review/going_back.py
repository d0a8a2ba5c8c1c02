"""What a plan takes back of what is deployed: settings that cannot go back, and images.

Both are read from the plan itself. Its outputs `one_way` and `images` have the deployed values, as the state records
them, beside those of this checkout.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stacks.common.one_way_record import every_mark
from stacks.settings.one_way.marks import version
from stacks.settings.one_way.steps import steps_back

from .changes import Kind, ResourceChange

IMAGES = "images"
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_OWN_REGISTRY = re.compile(r"[a-z0-9]+\.azurecr\.io")
_RUNS_IMAGES = ("helm_release", "kubernetes_job_v1")


def going_back(document: Mapping[str, Any]) -> Iterator[ResourceChange]:
    """Yield what the plan takes back, each as a change at the key of the setting or at `images.NAME`."""
    outputs = document.get("output_changes", {})
    yield from settings_back(*_values(outputs.get("one_way")))
    before, after = _values(outputs.get(IMAGES))
    if before and after:
        yield from _images(before, after, older=_older(outputs.get("images_serial", {})))
    elif after:
        yield from _unrecorded(document)


def _values(change: Mapping[str, Any] | None) -> tuple[dict[str, str], dict[str, str]]:
    change = change or {}
    return change.get("before") or {}, change.get("after") or {}


def _older(serial: Mapping[str, Any]) -> bool:
    return (serial.get("after") or 0) < (serial.get("before") or 0)


def settings_back(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[ResourceChange]:
    """Yield the settings of the record `after` that cannot follow the record `before`."""
    for step in steps_back(before, after, every_mark()):
        yield _back(step.key, step.message, final=not step.mark.agreeable, before=step.before, after=step.after)


def _images(before: Mapping[str, str], after: Mapping[str, str], *, older: bool) -> Iterator[ResourceChange]:
    for name, deployed in sorted(before.items()):
        planned = after.get(name)
        if planned is None or planned == deployed or not _DIGEST.search(deployed):
            continue
        if why := _why(deployed, planned, older=older):
            yield _back(f"{IMAGES}.{name}", f"{why}: {deployed} is deployed, this checkout has {planned}")


def _why(deployed: str, planned: str, *, older: bool) -> str:
    if _OWN_REGISTRY.match(deployed) and not (_OWN_REGISTRY.match(planned) and _DIGEST.search(planned)):
        return "would leave the digest in the environment's registry"
    ours, theirs = _tag(planned), _tag(deployed)
    if version(ours) < version(theirs) or (version(ours) == version(theirs) and older):
        return "would go back to an older image"
    return ""


def _tag(reference: str) -> str:
    return reference.partition("@")[0].rpartition(":")[2]


def _unrecorded(document: Mapping[str, Any]) -> Iterator[ResourceChange]:
    """Yield what leaves the registry on an environment whose state, of an earlier release, records no images."""
    for resource in document.get("resource_changes", []):
        change = resource["change"]
        before, after = str(change.get("before") or ""), str(change.get("after") or "")
        if resource["type"] in _RUNS_IMAGES and after and "@sha256:" in before:
            host = _OWN_REGISTRY.search(before)
            if host and host[0] not in after:
                yield _back(
                    f"{IMAGES}.{resource['address']}", f"would leave the digests in {host[0]}, which are deployed"
                )


def _back(address: str, why: str, *, final: bool = False, before: str = "", after: str = "") -> ResourceChange:
    return ResourceChange(address, "one_way", Kind.BACK, because=(why,), final=final, versions=(before, after))
