"""The manifest of a backup set: what it consists of and what it held. It names resources and counts rows, no contents.

Kept as JSON outside the cluster; `docs/reference/data.md` describes it for whoever reads one without this program.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.core.errors import OperatorError
from stacks.settings.data import DataDisk

SET_ID = re.compile(r"\d{8}t\d{6}z")
_TIME = "%Y%m%dt%H%M%Sz"
UTC_TIME = "%Y-%m-%dT%H:%M:%SZ"

SetId = Annotated[str, Field(pattern=rf"^{SET_ID.pattern}$")]


class Part(BaseModel):
    """A part of a manifest: fixed once written, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Snapshot(Part):
    """The snapshot of one disk."""

    store: DataDisk
    name: str
    id: str
    disk: str
    """Name of the disk that it was made of."""
    disk_id: str
    size_gib: int
    copy_id: str | None = None
    """Its copy in another region."""

    @property
    def copy_region(self) -> str:
        """Region of the copy, which its name ends with; empty without one."""
        return self.copy_id.rsplit("/", 1)[-1].removeprefix(f"{self.name}-") if self.copy_id else ""


class RecoveryPoint(Part):
    """A moment to which PostgreSQL can be restored."""

    server: str
    server_id: str
    moment: str
    """UTC, whole seconds."""
    earliest: str
    """Earliest moment that Azure offered then."""


class ShareSnapshot(Part):
    """The snapshot of the file share of chat uploads."""

    account: str
    share: str
    moment: str
    """Azure's name for it: a time with fractions of a second."""


class SecretVersion(Part):
    """The version of a secret in the vault; never its value."""

    name: str
    version: str


class VaultState(Part):
    """The vault and the current version of each of its secrets."""

    vault: str
    secrets: tuple[SecretVersion, ...]


class Release(Part):
    """A Helm release that ran."""

    namespace: str
    name: str
    chart: str
    version: str
    revision: int


class Code(Part):
    """What the environment was described by."""

    revision: str
    """Commit of the checkout that made the set; empty outside a checkout."""
    changed: bool
    """Whether files of the checkout differed from it."""
    settings: str
    """The environment file."""


class Count(Part):
    """Rows of one kind: a range, where others went on writing while the set was made."""

    low: int
    high: int

    def admits(self, found: int) -> bool:
        """Tell whether a restored store with `found` rows holds what the set held."""
        return self.low <= found <= self.high

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


class Manifest(Part):
    """One backup set."""

    format: Literal[1] = 1
    id: SetId
    environment: str
    subscription_id: str
    region: str
    quiesced_seconds: float
    """How long Opik took no writes."""
    snapshots: tuple[Snapshot, ...] = ()
    database: RecoveryPoint | None = None
    uploads: ShareSnapshot | None = None
    vault: VaultState | None = None
    releases: tuple[Release, ...] = ()
    images: tuple[str, ...] = ()
    code: Code
    deployed: Mapping[str, str] = {}
    """Deployed versions, and other values that the data depends on (`scripts.backup.versions`)."""
    counts: Mapping[str, Count] = {}
    left_out: tuple[str, ...] = ()
    """Parts that the operator did not want, or that the environment does not have."""
    verified: str | None = None
    """When `llmctl backup verify` last found all of it, UTC."""

    @property
    def moment(self) -> datetime:
        """When the set was begun."""
        return moment_of(self.id)

    @property
    def size_gib(self) -> int:
        """Size of all its disks: the most that its snapshots can hold."""
        return sum(snapshot.size_gib for snapshot in self.snapshots)

    def snapshot(self, store: DataDisk) -> Snapshot:
        """Return the snapshot of a store's disk. Raises OperatorError when the set has none."""
        for snapshot in self.snapshots:
            if snapshot.store == store:
                return snapshot
        raise OperatorError(f"the set {self.id} has no snapshot of {store}")


def new_id(now: datetime) -> str:
    """Return the id of a set that is begun `now`: sortable, and fit for tags and names in Azure."""
    return now.astimezone(UTC).strftime(_TIME)


def moment_of(set_id: str) -> datetime:
    """Return when a set was begun."""
    return datetime.strptime(set_id, _TIME).replace(tzinfo=UTC)


def parse(text: str, name: str) -> Manifest:
    """Return the manifest that `text` holds. Raises OperatorError for anything else."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise OperatorError(
            f"{name} is no manifest of a backup set that this version reads ({place}: {first['msg']})",
            "look at it in the container of backup sets; a newer checkout may have written it",
        ) from None
