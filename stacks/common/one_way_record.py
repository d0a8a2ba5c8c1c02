"""What each stack records of the values that cannot go back, and what a changed file may not do to it.

The record is the output `one_way` of the stack that holds what keeps a value from going back: disks and databases
outlive the cluster, and so does the version of the schema in them.
"""

from collections.abc import Iterable, Iterator, Mapping

from stacks.platform.common.catalogue import images
from stacks.platform.components.opik.version import opik_version
from stacks.settings import Settings
from stacks.settings.azure import StateSettings
from stacks.settings.file.errors import dotted
from stacks.settings.file.placeholders import placeholders
from stacks.settings.one_way.marks import DeletesOlder, NoWayBack
from stacks.settings.one_way.steps import Marked, Record, StepBack, as_text, marks_of, steps_back, value_at
from stacks.settings.rules.base import Finding

DURABLE = frozenset({"identity", "disks", "acr", "database", "address"})

MIGRATED = "its database is migrated, and nothing takes a migration back; restore the database of that time"
VERSIONS = {
    ("versions", "open-webui"): ("open-webui/server", "chat.enabled", f"Open WebUI: {MIGRATED}"),
    ("versions", "litellm"): ("litellm/proxy", "gateway.enabled", f"LiteLLM: {MIGRATED}"),
}
"""Versions that no setting chooses, pinned in `helm/images.yaml`: key to image, what switches it on, and why."""


def every_mark() -> tuple[Marked, ...]:
    """Return the marked settings and the versions that are pinned, which go forward only as well."""
    return (
        *marks_of(Settings),
        *(
            Marked(
                key,
                NoWayBack(
                    stack="database",
                    effect="platform",
                    why=why,
                    unless="database.generation",
                    only_while=((switch, "true"),),
                    agreeable=True,
                ),
            )
            for key, (_, switch, why) in VERSIONS.items()
        ),
    )


def record_of(settings: Settings, stack: str) -> dict[str, str]:
    """Return what `stack` records: its marked values, and those that decide whether a mark binds."""
    mine = [marked for marked in every_mark() if marked.mark.stack == stack]
    entries = [(key, value) for marked in mine for key, value in _values(settings, marked)]
    context = {key for marked in mine for key in marked.mark.context}
    return dict(sorted({**{key: _context(settings, key) for key in context}, **dict(entries)}.items()))


def whole_record_of(settings: Settings) -> dict[str, str]:
    """Return what all stacks record together."""
    stacks = {marked.mark.stack for marked in every_mark()}
    return {key: value for stack in sorted(stacks) for key, value in record_of(settings, stack).items()}


def refused_changes(previous: Settings, current: Settings) -> Iterator[Finding]:
    """Yield the changes from `previous` to `current` that what outlives the cluster cannot follow.

    For two versions of one file, of which nobody knows whether the first was deployed as a whole; what goes with the
    cluster is only compared with its state. A placeholder of `previous` binds nobody: nothing was deployed with it.
    """
    standing_in = {dotted(finding.key) for finding in placeholders(previous)}
    durable = (marked for marked in _refusing() if marked.mark.stack in DURABLE)
    for step in steps_back(whole_record_of(previous), whole_record_of(current), durable):
        if step.key not in standing_in:
            yield finding_of(step)
    yield from _state(previous.state, current.state)


def refused_on(deployed: Mapping[str, Record], settings: Settings) -> Iterator[Finding]:
    """Yield the values of a file that what is deployed, by stack, cannot follow."""
    yield from _against(deployed, settings, _refusing())


def deletions_on(deployed: Mapping[str, Record], settings: Settings) -> Iterator[Finding]:
    """Yield the values of a file by which its deployment deletes what is older, which a plan asks about."""
    yield from _against(deployed, settings, [one for one in every_mark() if isinstance(one.mark, DeletesOlder)])


def _refusing() -> list[Marked]:
    return [marked for marked in every_mark() if not isinstance(marked.mark, DeletesOlder)]


def _against(deployed: Mapping[str, Record], settings: Settings, marks: Iterable[Marked]) -> Iterator[Finding]:
    chosen = list(marks)
    for stack, record in deployed.items():
        mine = (marked for marked in chosen if marked.mark.stack == stack)
        yield from map(finding_of, steps_back(record, record_of(settings, stack), mine))


def finding_of(step: StepBack) -> Finding:
    """Return a step back as what is wrong with a file."""
    return Finding(tuple(step.key.split(".")), step.message)


def check_change(previous: Settings, current: Settings) -> list[str]:
    """Return one line for each change from `previous` to `current` that what exists cannot follow."""
    return [f"{dotted(finding.key)}: {finding.message}" for finding in refused_changes(previous, current)]


def _values(settings: Settings, marked: Marked) -> Iterable[tuple[str, str]]:
    if marked.key in VERSIONS:
        return [(dotted(marked.key), images()[VERSIONS[marked.key][0]].tag)]
    name = dotted(marked.key)
    if name == "opik.version":
        return [(name, opik_version(settings.opik))]
    value = value_at(settings, name)
    if marked.mapping:
        return [(f"{name}.{as_text(entry)}", as_text(number)) for entry, number in value.items()]
    return [(name, as_text(value))]


def _context(settings: Settings, key: str) -> str:
    value = value_at(settings, key)
    # The one mapping that a mark looks into counts generations, which begin with 1.
    return as_text(1 if value is None and key.startswith("disks.generations.") else value)


def _state(before: StateSettings, after: StateSettings) -> Iterator[Finding]:
    if _place(before) != _place(after):
        key = ("state", "backend") if before.backend is not after.backend else ("state", after.backend.value)
        yield Finding(
            key,
            "points Terraform at another state, where nothing exists yet; move the state of every stack there"
            " first with `llmctl state migrate`, then commit this change",
        )


def _place(state: StateSettings) -> tuple[object, ...]:
    """Return what of the settings decides where the state is; how it is reached and who runs it does not."""
    hcp = state.hcp and (state.hcp.hostname, state.hcp.organization)
    blob = state.azurerm and (state.azurerm.resource_group, state.azurerm.storage_account, state.azurerm.container)
    return state.backend, blob, hcp
