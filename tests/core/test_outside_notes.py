"""`env check` says of what it compares with nothing who knows it."""

from typing import Any

from scripts.core.notes.outside import outside_notes
from stacks.settings.file.placeholders import placeholders
from tests.support.stacks.durable import settings


def notes(**changes: Any) -> list[str]:
    return list(outside_notes(settings(**changes)))


def test_sizes_are_asked_of_azure_by_preflight() -> None:
    (note,) = notes()
    assert "whether westeurope has Standard_D4ds_v5" in note
    assert note.endswith("is not known here; `llmctl preflight dev` asks Azure")


def test_a_region_that_came_after_this_release_is_named() -> None:
    (first, _) = notes(azure={"region": "eastus9"})
    assert first.startswith("azure.region: eastus9 is newer than this release")


def test_a_range_of_the_internet_as_a_private_one_is_named() -> None:
    ranges = {"private_client_ranges": ["192.168.8.0/24", "8.8.8.0/24"]}
    (_, note) = notes(network=ranges)
    assert note.startswith("network.private_client_ranges: 8.8.8.0/24 is a range of the internet;")


def test_ranges_of_examples_are_placeholders_wherever_they_stand() -> None:
    found = settings(
        operators={"ip_ranges": ["203.0.113.0/24"]},
        vault={"extra_allowed_ranges": ["198.51.100.0/28"]},
        cluster={"api_authorized_ranges": ["20.1.0.0/16", "192.0.2.4/32"]},
        ingress={"allowed_source_ranges": ["203.0.0.0/16"]},
    )
    assert {finding.key for finding in placeholders(found) if len(finding.key) == 3} == {
        ("operators", "ip_ranges", 0),
        ("vault", "extra_allowed_ranges", 0),
        ("cluster", "api_authorized_ranges", 1),
        ("ingress", "allowed_source_ranges", 0),
    }
