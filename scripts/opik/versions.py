"""Versions of Opik: their order, what may follow what, and the steps that some of them ask for."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,4})")


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """A release of Opik; chart, server, images and SDK share the numbers."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Return the version written in `text`. Raises ValueError for anything but three numbers."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no release of Opik; write it like 2.1.23, without a v")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


OLDEST = Version(2, 1, 23)
"""The values in `helm/opik` are written for this chart and later ones; keys of earlier charts differ."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A release that changes more than its schema."""

    version: Version
    what: str
    reversible: bool = True
    """Whether an earlier release can work with what this one leaves behind."""
    supported: bool = True
    """Whether the platform's own values can take an installation across it."""


MILESTONES = (
    # https://github.com/comet-ml/opik: changelog, self-host/kubernetes.mdx
    Milestone(Version(1, 7, 0), "ClickHouse tables become replicated ones and need ZooKeeper", False, supported=False),
    # https://github.com/comet-ml/opik/pull/4342: the Bitnami charts are replaced.
    Milestone(
        Version(1, 9, 40),
        "the charts of the stores are replaced; `chartMigration` of the original chart has to run once before",
        False,
        supported=False,
    ),
    # self-host/configure/dataset_versioning_migration.mdx
    Milestone(
        Version(1, 9, 92),
        "datasets get versions, which takes two to ten minutes with timeouts in between",
        reversible=False,
    ),
    # self-host/v1_to_v2_migration.mdx
    Milestone(
        Version(2, 0, 0),
        "entities move into projects in the background: set the …_PROJECT_MIGRATION_ENABLED switches in the order"
        " EXPERIMENT, DATASET and PROMPT, OPTIMIZATION; AUTOMATION_RULE and ALERT at any time",
        reversible=False,
    ),
)
"""Steps that upstream documents, oldest first."""


def crossed(before: Version, after: Version) -> list[Milestone]:
    """Return the milestones on the way between two versions, in whichever direction."""
    low, high = sorted((before, after))
    return [milestone for milestone in MILESTONES if low < milestone.version <= high]


def refused_upgrade(running: Version | None, desired: Version) -> str:
    """Return why `desired` cannot follow what is running (None for nothing), empty when it can."""
    if desired < OLDEST:
        return f"{desired} is older than {OLDEST}, the oldest chart that helm/opik is written for"
    if running is None:
        return ""
    if desired < running:
        return f"{desired} is older than {running}, which runs; `llmctl opik rollback` goes back"
    unsupported = [milestone for milestone in crossed(running, desired) if not milestone.supported]
    if unsupported:
        step = unsupported[0]
        return f"{running} cannot go to {desired} in one step: in {step.version} {step.what}"
    return ""


def refused_rollback(running: Version, desired: Version) -> str:
    """Return why no schema can make `desired` follow `running` again, empty where the schema decides."""
    if desired >= running:
        return f"{desired} is not older than {running}, which runs; `llmctl opik upgrade` goes forward"
    if desired < OLDEST:
        return f"{desired} is older than {OLDEST}, the oldest chart that helm/opik is written for"
    final = [milestone for milestone in crossed(desired, running) if not milestone.reversible]
    return f"{final[0].version} cannot be undone: {final[0].what}" if final else ""


def sdk_mismatch(sdk: Version, server: Version) -> str:
    """Return what is wrong with an SDK of this version at that server, empty when they fit.

    Upstream asks to keep the two matched. Within one minor version the API only grows, so an SDK may be older there; a
    newer one may call what the server does not have.
    """
    if (sdk.major, sdk.minor) != (server.major, server.minor):
        return f"SDK {sdk} and server {server} are of different releases; pip install opik=={server}"
    if sdk > server:
        return f"SDK {sdk} is newer than server {server} and may call what it does not have; pip install opik=={server}"
    return ""
