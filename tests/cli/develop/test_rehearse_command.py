"""A rehearsal says beforehand what comes, how long it takes and what it fills."""

import pytest

from scripts.cli.develop.rehearse import Providers, coming


@pytest.mark.parametrize(
    ("providers", "takes"),
    [
        (Providers.FAKE, "about 2 to 3 minutes on two cores, less than 0.1 GB below "),
        (Providers.REAL, "about 10 minutes on two cores"),
    ],
)
def test_minutes_and_disk_are_said_before_anything_starts(providers: Providers, takes: str) -> None:
    said = coming("dev", providers, prove=False)
    assert said.startswith(f"Deploys the 8 stacks of dev on {providers.value} providers: ")
    assert takes in said
    assert said.endswith("No cloud is touched.")
    assert "Then come the tests of the whole life cycle" in coming("dev", providers, prove=True)
