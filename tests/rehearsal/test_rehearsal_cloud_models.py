"""Models outside the network, keyless and by a key of the vault, deployed by the real Terraform and taken away."""

import json
from pathlib import Path

import pytest

from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.settings import Settings, parse_settings
from tests.support.llm_gateway.cloud_settings import FILE, RESOURCE
from tests.support.rehearsal.settled import deploy_settled

pytestmark = pytest.mark.rehearsal

WITHOUT_THE_REST = "opik: {enabled: false}\nmonitoring: {enabled: false}\n"
"""Parts of half the cluster's objects, which no model outside the network changes."""
ROLE = f"{RESOURCE}/providers/Microsoft.Authorization/roleAssignments/".lower()


def _settings(text: str) -> Settings:
    return parse_settings(text + WITHOUT_THE_REST, FILE.name)


def _roles(rehearsal: Rehearsal) -> list[str]:
    """Return the roles on the Azure OpenAI resource."""
    found = (one for one in Cloud(rehearsal.folder).objects() if one.id.lower().startswith(ROLE))
    return [one.state["role_definition_name"] for one in found]


def _releases(rehearsal: Rehearsal) -> set[str]:
    return {one.state["name"] for one in Cloud(rehearsal.folder).objects() if one.type == "helm_release"}


def test_cloud_models_come_and_go_and_a_second_plan_is_empty(tmp_path: Path) -> None:
    with_them = _settings(FILE.read_text("utf-8"))
    rehearsal = deploy_settled(with_them, tmp_path)
    assert _roles(rehearsal) == ["Cognitive Services OpenAI User"]
    assert "cloud-egress" in _releases(rehearsal)
    # The vault has a key that somebody wrote; Terraform knows its name and makes none.
    state = json.dumps(rehearsal.state("platform"))
    assert "CLOUD_KEY_MISTRAL_KEY" in state
    made = [one.id for one in Cloud(rehearsal.folder).objects() if one.id.endswith("/secrets/mistral-key")]
    assert made == []

    own = [model.model_copy(update={"fallback": None}) for model in with_them.models]
    without = with_them.model_copy(update={"cloud_models": (), "models": tuple(own)})
    rehearsal = deploy_settled(without, tmp_path)
    assert _roles(rehearsal) == []
    assert "cloud-egress" not in _releases(rehearsal)
    assert "CLOUD_KEY_MISTRAL_KEY" not in json.dumps(rehearsal.state("platform"))
