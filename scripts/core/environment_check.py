"""Checks one environment file: by itself, against the committed version, against what is deployed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stacks.common.one_way_record import deletions_on, refused_changes, refused_on
from stacks.platform.common import catalogue
from stacks.settings import LocatedError, Settings, SettingsError, parse_settings
from stacks.settings.egress import expiry_notes
from stacks.settings.estimates import capacity, cold_start
from stacks.settings.file.loading import Loaded, available_environments, load, load_settings
from stacks.settings.file.placeholders import placeholders
from stacks.settings.file.without_effect import without_effect
from stacks.settings.one_way.steps import Record

from .commits import committed, known
from .deployed_record import local_records
from .errors import OperatorError
from .notes.cloud import cloud_notes
from .notes.domain import domain_findings, joined_networks_notes
from .notes.firewall import firewall_note
from .notes.operators import operators_note
from .notes.outside import outside_notes
from .notes.pins import pin_note, required_pins
from .notes.privacy import privacy_notes
from .notes.restore import restore_findings
from .notes.state import state_note
from .notes.weights import weights_notes
from .notes.zones import zone_notes

Deployed = Callable[[Settings], Mapping[str, Record]]
"""Gives by stack what is deployed, from the states. Raises OperatorError where they cannot be read."""


@dataclass(frozen=True)
class Verdict:
    """What was found in one environment file."""

    name: str
    settings: Settings | None
    """None when the file cannot be used."""
    errors: tuple[LocatedError, ...] = ()
    notes: tuple[str, ...] = ()
    """What is no error, but somebody should know."""
    placeholders: tuple[str, ...] = ()
    """The notes about values that stand in until somebody writes the real ones."""

    @property
    def label(self) -> str:
        """The file, as people name it."""
        return f"environments/{self.name}.yaml"


def verdict_of(name: str, root: Path, previous: str | None, deployed: Deployed | None = None) -> Verdict:
    """Check `environments/<name>.yaml` below `root`.

    `previous` is the commit that says what exists; None checks the file by itself. `deployed` gives what is deployed,
    where that is not to be read from local states alone.
    """
    try:
        loaded = load(name, root / "environments")
    except SettingsError as error:
        return Verdict(name, None, error.errors)
    if unusable := _unusable_pins():
        return Verdict(name, loaded.settings, unusable)
    standing_in = tuple(str(error) for error in loaded.locate(placeholders(loaded.settings)))
    settings = loaded.settings
    waits = cold_start.report(settings.models, settings.cluster.gpu_pools, settings.serving)
    privacy = privacy_notes(settings, root / "state" / name / "identity.tfstate")
    others = dict(other_environments(name, root / "environments"))
    restore = restore_findings(settings.database, datetime.now(UTC))
    together = tuple(loaded.locate([*domain_findings(settings, others), *required_pins(settings), *restore]))
    known = (
        *standing_in,
        *map(str, loaded.locate(without_effect(settings))),
        *joined_networks_notes(settings.network, others),
        *filter(
            None,
            [
                capacity.report(settings),
                operators_note(settings.operators),
                firewall_note(settings.ingress),
                pin_note(settings),
                state_note(settings.name, settings.state),
            ],
        ),
        *waits,
        *privacy,
        *weights_notes(settings),
        *zone_notes(settings),
        *outside_notes(settings),
        *expiry_notes(settings.trust.company_roots, datetime.now(UTC)),
        *cloud_notes(settings.models, settings.cloud_models),
    )
    if previous is None:
        return Verdict(name, loaded.settings, together, known, standing_in)
    since_commit, note = _against_commit(loaded, name, root, previous)
    records, unread = _deployed(deployed, settings, root)
    errors = dict.fromkeys([*together, *loaded.locate(refused_on(records, settings)), *since_commit])
    # A value may have gone back against both; one line about a key is enough, and what is deployed counts.
    by_key = {error.key: error for error in reversed(errors)}
    kept = tuple(error for error in errors if by_key[error.key] is error)
    deleted = map(str, loaded.locate(deletions_on(records, settings)))
    return Verdict(name, loaded.settings, kept, (*known, *note, *unread, *deleted), standing_in)


def _deployed(deployed: Deployed | None, settings: Settings, root: Path) -> tuple[Mapping[str, Record], list[str]]:
    if deployed is None:
        return local_records(root / "state" / settings.name), []
    try:
        return deployed(settings), []
    except OperatorError as error:
        return {}, [f"not compared with what is deployed, since the state cannot be read: {error.message}"]


def _unusable_pins() -> tuple[LocatedError, ...]:
    """Return what is wrong with the lists of pinned charts and images, which every environment is deployed from."""
    found: list[LocatedError] = []
    for read in (catalogue.charts, catalogue.images):
        try:
            read()
        except SettingsError as error:
            found.extend(error.errors)
    return tuple(found)


def other_environments(name: str, folder: Path) -> Iterator[tuple[str, Settings]]:
    """Yield the other environments of `folder` that are sound; errors of one are reported where it is checked."""
    for other in available_environments(folder):
        if other != name:
            with suppress(SettingsError):
                yield other, load_settings(other, folder)


def _against_commit(loaded: Loaded, name: str, root: Path, commit: str) -> tuple[list[LocatedError], list[str]]:
    if commit != "HEAD" and not known(commit, root):
        label = f"environments/{name}.yaml"
        return [LocatedError(label, None, "", "", f"cannot be compared with {commit!r}, which git does not know")], []
    text = committed(f"environments/{name}.yaml", root, commit)
    if text is None:
        return [], []
    try:
        before = parse_settings(text, f"{commit}:environments/{name}.yaml")
    except SettingsError:
        return [], [f"environments/{name}.yaml of {commit} is not sound by today's rules, so changes were not compared"]
    return loaded.locate(refused_changes(before, loaded.settings)), []
