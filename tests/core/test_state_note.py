"""Whoever checks or deploys an environment hears that its state lies in one checkout, and where it could lie."""

import pytest

from scripts.core.environment_check import verdict_of
from scripts.core.notes.state import state_note
from scripts.core.workspace import ROOT
from tests.support.stacks.durable import settings

AZURERM = {"backend": "azurerm", "azurerm": {"resource_group": "tfstate", "storage_account": "tfstate0001"}}
HCP = {"backend": "hcp", "hcp": {"organization": "acme"}}


def test_a_state_in_the_checkout_is_noted_with_what_follows() -> None:
    (note,) = [note for note in verdict_of("prod", ROOT, None).notes if note.startswith("state: ")]
    assert note.startswith("state: state/prod/ of this checkout alone says what is deployed: keep it;")
    assert "nobody else and no pipeline can deploy" in note
    assert "docs/how-to/remote-runs.md" in note


@pytest.mark.parametrize("state", [AZURERM, HCP], ids=["azurerm", "hcp"])
def test_a_shared_state_needs_no_note(state: dict[str, object]) -> None:
    environment = settings(state=state)
    assert state_note(environment.name, environment.state) is None
