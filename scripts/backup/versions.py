"""Which deployed values decide whether the data of a set can be lived on, and whether an environment's do.

Opik, Open WebUI and LiteLLM migrate their databases forward as they start, and nothing takes a migration back. A
restored PostgreSQL has version and storage of its source, and vectors their length, whatever an environment file says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scripts.core.deployed_record import ONE_WAY
from scripts.core.errors import ExitCode, OperatorError
from stacks.common.one_way_record import whole_record_of
from stacks.settings import Settings
from stacks.settings.one_way.marks import version

from .manifest import Manifest
from .restoring import RestorePart


class Rule(StrEnum):
    """What the value of an environment that takes data over may not be, compared with the set's."""

    NOT_OLDER = "older"
    THE_SAME = "other"
    NOT_SMALLER = "smaller"

    def broken(self, ours: str, theirs: str) -> bool:
        """Tell whether `ours` does not go with the set's value."""
        if self is Rule.THE_SAME:
            return ours != theirs
        return version(ours) < version(theirs)


@dataclass(frozen=True)
class Deployed:
    """A deployed value that data depends on."""

    title: str
    part: RestorePart
    """Part of a set that holds the data."""
    rule: Rule = Rule.NOT_OLDER
    switch: str = ""
    """Key that says whether an environment has what the value is of; what always is there has none."""
    in_file: bool = True
    """Whether the environment file decides it, and not the checkout."""


VALUES: Mapping[str, Deployed] = {
    "opik.version": Deployed("Opik", RestorePart.DISKS, switch="opik.enabled"),
    "database.version": Deployed("PostgreSQL", RestorePart.DATABASE, Rule.THE_SAME),
    "database.storage_gib": Deployed("PostgreSQL's storage in GiB", RestorePart.DATABASE, Rule.NOT_SMALLER),
    "versions.open-webui": Deployed("Open WebUI", RestorePart.DATABASE, switch="chat.enabled", in_file=False),
    "versions.litellm": Deployed("LiteLLM", RestorePart.DATABASE, switch="gateway.enabled", in_file=False),
    "chat.embeddings.model": Deployed("embedding model", RestorePart.DATABASE, Rule.THE_SAME, switch="chat.enabled"),
    "chat.embeddings.dimensions": Deployed(
        "length of vectors", RestorePart.DATABASE, Rule.THE_SAME, switch="chat.enabled"
    ),
}
"""By key of the record of what is deployed (`stacks.common.one_way_record`)."""


def deployed(outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the values that the states of `disks` and `database` record, of what is on."""
    return _of({key: str(value) for stack in outputs.values() for key, value in stack.get(ONE_WAY, {}).items()})


def _of(record: Mapping[str, str]) -> dict[str, str]:
    return {
        key: record[key]
        for key, value in VALUES.items()
        if key in record and record.get(value.switch, "true") == "true"
    }


def require_readable(manifest: Manifest, parts: tuple[RestorePart, ...], settings: Settings) -> None:
    """Return when an environment can live on these parts of a set. Raises OperatorError (REFUSED) that says why not.

    A restore deploys what the environment file and this checkout ask for: they are compared with the set.
    """
    broken = list(_broken(manifest, parts, settings))
    if not broken:
        return
    here = settings.name
    raise OperatorError(
        f"{here} cannot live on the set {manifest.id} of {manifest.environment}: "
        + "; ".join(
            f"{value.title} is {ours or 'the default'} in {here} and {theirs or 'the default'} in the set"
            for _, value, ours, theirs in broken
        ),
        "; ".join(dict.fromkeys(_fix(key, value, theirs, manifest, here) for key, value, _, theirs in broken)),
        ExitCode.REFUSED,
    )


def _broken(
    manifest: Manifest, parts: tuple[RestorePart, ...], settings: Settings
) -> Iterator[tuple[str, Deployed, str, str]]:
    here = _of(whole_record_of(settings))
    if settings.database.storage_auto_grow:
        # Terraform leaves a size alone that Azure changes by itself.
        here.pop("database.storage_gib", None)
    for key, theirs in manifest.deployed.items():
        value, ours = VALUES.get(key), here.get(key)
        if value is None or ours is None or value.part not in parts:
            continue
        if value.rule.broken(ours, theirs):
            yield key, value, ours, theirs


def _fix(key: str, value: Deployed, theirs: str, manifest: Manifest, here: str) -> str:
    if value.in_file:
        written = f'"{theirs}"' if key == "database.version" else theirs or "null"
        return f"write {key}: {written} into environments/{here}.yaml"
    commit = manifest.code.revision[:12]
    return f"use a checkout with {value.title} {theirs}" + (f", such as {commit}, the set's" if commit else "")
