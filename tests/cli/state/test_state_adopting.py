"""What an adoption of a lost state says before it asks."""

import pytest

from scripts.cli.state.adopting import shown
from scripts.review.changes import Kind, ResourceChange
from scripts.review.plan import Changes, Plan
from scripts.terraform.adopting.adoption import Adopted

RELEASES = ("helm_release.opik", "helm_release.chat")


def _change(address: str, kind: Kind) -> ResourceChange:
    return ResourceChange(address, address.partition(".")[0], kind)


def _found(*changes: ResourceChange, imported: tuple[str, ...] = RELEASES) -> Adopted:
    kinds = [change.kind for change in changes]
    counted = Changes(create=kinds.count(Kind.CREATE), update=kinds.count(Kind.UPDATE))
    return Adopted(imported=dict.fromkeys(imported, "id"), plan=Plan(counted, resources=changes))


def test_that_releases_are_upgraded_once_is_said_before() -> None:
    found = _found(
        *(_change(address, Kind.UPDATE) for address in RELEASES),
        _change("kubernetes_job_v1.prepare", Kind.CREATE),
        _change("kubernetes_namespace_v1.chat", Kind.UPDATE),
    )
    *_, last = shown(found, "platform", "dev")
    assert "Helm tells neither chart nor values of a release that is imported, so that 2 of these upgrade" in last


@pytest.mark.parametrize(
    "found",
    [
        _found(_change("kubernetes_job_v1.prepare", Kind.CREATE)),
        # In the state before the adoption: that one is upgraded for a reason.
        _found(_change("helm_release.opik", Kind.UPDATE), imported=("helm_release.chat",)),
        _found(),
    ],
)
def test_where_none_is_upgraded_for_it_nothing_is_said(found: Adopted) -> None:
    assert not any("Helm tells" in line for line in shown(found, "platform", "dev"))
