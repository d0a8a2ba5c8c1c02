"""What `env check` says of who sees what people write."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.core.environment_check import verdict_of
from scripts.core.notes.privacy import privacy_notes
from stacks.settings import Settings, load_settings

GROUP = "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90"
IDS = {"client_id": GROUP, "application_object_id": GROUP, "access_group_object_id": GROUP}


def notes(folder: Path, outputs: dict[str, Any] | None = None, **changes: dict[str, Any]) -> list[str]:
    plain = load_settings("dev").model_dump()
    for section, keys in changes.items():
        plain[section] |= keys
    state = folder / "identity.tfstate"
    if outputs is not None:
        state.write_text(json.dumps({"outputs": outputs}))
    return list(privacy_notes(Settings.model_validate(plain), state))


def test_a_new_environment_needs_no_note(tmp_path: Path) -> None:
    assert notes(tmp_path) == []
    assert notes(tmp_path, {"access_group_object_id": {}, "opik_access_group_object_id": {}}) == []


def test_an_upgrade_tells_that_opik_is_closed_and_chats_are_no_longer_traced(tmp_path: Path) -> None:
    (note,) = notes(tmp_path, {"access_group_object_id": {}})
    assert "closes Opik to everybody but the operators and the members of the group llm-dev traces" in note
    assert "Texts of chats are no longer traced" in note
    assert notes(tmp_path, {"access_group_object_id": {}}, opik={"enabled": False}) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gateway": {"trace_chats": True}}, "gateway.trace_chats: whoever is in Opik's access group reads"),
        ({"identity": {"manage": False, **IDS}}, "everybody in the access group reads all traces"),
    ],
)
def test_what_opens_traces_is_said(tmp_path: Path, changes: dict[str, dict[str, Any]], told: str) -> None:
    (note,) = notes(tmp_path, **changes)
    assert told in note


def test_env_check_prints_them(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    text = Path("environments/dev.yaml").read_text("utf-8")
    (tmp_path / "environments" / "dev.yaml").write_text(text.replace("gateway:\n", "gateway:\n  trace_chats: true\n"))
    assert any("reads what people write" in note for note in verdict_of("dev", tmp_path, None).notes)
