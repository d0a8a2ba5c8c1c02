"""Errors happen where, when and as often as their file says."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.fake_provider.faults import FaultFileError, Faults, read_faults
from scripts.lab.rehearsal.fake_provider.protocol.configuration import Configuration
from scripts.lab.rehearsal.fake_provider.service import RefusedError
from scripts.terraform.errors.diagnose import diagnose
from tests.support.rehearsal.fake_providers import LOCATION, Provider, provider

GROUP: dict[str, Any] = {"name": "one", "location": LOCATION}
KIND = "azurerm_resource_group"


def azure(folder: Path, *faults: dict[str, Any]) -> Provider:
    (folder / "faults.json").write_text(json.dumps(faults))
    stack = folder / "stacks" / "network"
    stack.mkdir(parents=True, exist_ok=True)
    groups = {name: {"name": name, "location": "${var.where}"} for name in ("one", "two")}
    (stack / "cdk.tf.json").write_text(json.dumps({"resource": {KIND: groups}}))
    return provider("azurerm", folder)


@pytest.fixture(autouse=True)
def _faults_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_FAULTS", str(tmp_path / "faults.json"))


def test_a_failing_resource_fails_once_and_then_works(tmp_path: Path) -> None:
    found = azure(tmp_path, {"resource": "azurerm_resource_group.one"})
    failed = found.apply(KIND, **GROUP)
    assert failed.state is None
    assert "InternalServerError: azurerm_resource_group.one" in failed.problems[0][1]
    assert found.cloud.objects() == []
    found.create(KIND, **GROUP)


def test_only_the_named_address_fails(tmp_path: Path) -> None:
    found = azure(tmp_path, {"resource": "azurerm_resource_group.one", "times": None, "message": "no {type}"})
    found.create(KIND, **GROUP | {"name": "two"})
    assert found.apply(KIND, **GROUP).problems == [("", f"no {KIND}")]
    assert found.apply(KIND, **GROUP).problems


def test_a_type_or_pattern_in_one_stack_and_operation_fails(tmp_path: Path) -> None:
    found = azure(
        tmp_path,
        {"resource": "azurerm_*", "on": "delete", "stack": "net*", "times": 2},
        {"resource": KIND, "stack": "aks"},
    )
    state = found.create(KIND, **GROUP)
    assert found.delete(KIND, state)
    assert found.cloud.objects()
    assert found.delete(KIND, state)
    assert found.delete(KIND, state) == []


def test_a_lost_answer_leaves_what_must_be_imported(tmp_path: Path) -> None:
    found = azure(tmp_path, {"resource": KIND, "effect": "lose-answer"})
    lost = found.apply(KIND, **GROUP)
    assert lost.state is None
    assert "HTTP response was nil; connection may have been reset" in lost.problems[0][1]
    (existing,) = found.cloud.objects(KIND)
    assert "already exists" in found.apply(KIND, **GROUP).problems[0][1]
    assert found.fake.import_state(KIND, existing.id).state == existing.state


def test_a_throttled_call_takes_longer_and_works(tmp_path: Path) -> None:
    found = azure(tmp_path, {"resource": KIND, "effect": "throttle", "seconds": 0.2})
    started = time.monotonic()
    found.create(KIND, **GROUP)
    assert time.monotonic() - started >= 0.2


def test_a_hanging_call_ends_when_terraform_stops(tmp_path: Path) -> None:
    azure(tmp_path, {"resource": KIND, "effect": "hang", "seconds": 3600})
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(RefusedError, match="context deadline exceeded"):
        Faults(Cloud(tmp_path), "network", stopped).strike("create", KIND, KIND)


@pytest.mark.parametrize("operation", ["validate", "plan", "read"])
def test_other_operations_can_fail_as_well(tmp_path: Path, operation: str) -> None:
    found = azure(tmp_path, {"resource": KIND, "on": operation, "message": "not now"})
    state = {"id": "/x", "name": "one", "location": LOCATION}

    def said() -> list[tuple[str, str]]:
        if operation == "validate":
            return found.fake.validate(KIND, GROUP)
        if operation == "plan":
            return found.plan(KIND, **GROUP).problems
        return found.fake.read(KIND, state).problems

    assert said() == [("", "not now")]
    assert said() == []


def test_the_journal_tells_what_happened(tmp_path: Path) -> None:
    found = azure(tmp_path, {"resource": KIND, "message": "broken"})
    found.apply(KIND, **GROUP)
    state = found.create(KIND, **GROUP)
    found.delete(KIND, state)
    assert [(event.operation, event.address, event.outcome) for event in found.cloud.journal()] == [
        ("create", "azurerm_resource_group.one", "broken"),
        ("create", "azurerm_resource_group.one", "done"),
        ("delete", "azurerm_resource_group.one", "done"),
    ]


def test_faults_may_be_written_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- resource: azurerm_subnet.*\n  on: delete\n  times:\n")
    (fault,) = read_faults(path)
    assert (fault.resource, fault.on, fault.times, fault.effect) == ("azurerm_subnet.*", "delete", None, "fail")
    assert read_faults(tmp_path / "none.yaml") == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("- on: create\n", "entry 1: a mapping with the key 'resource'"),
        ("- resource: a\n- resource: a\n  often: 2\n", "entry 2: unknown key 'often'"),
        ("- resource: a\n  effect: explode\n", "effect is 'explode'"),
        ("- resource: a\n  on: destroy\n", "on is 'destroy'"),
    ],
)
def test_a_wrong_faults_file_is_explained(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(FaultFileError, match=word):
        read_faults(path)


def test_an_address_is_the_one_whose_literals_fit(tmp_path: Path) -> None:
    azure(tmp_path)
    configuration = Configuration(tmp_path / "stacks" / "network")
    assert configuration.address(KIND, {"name": "two", "location": "anywhere"}) == f"{KIND}.two"
    assert configuration.address(KIND, {"name": "three"}) == KIND
    assert configuration.address("azurerm_subnet", {}) == "azurerm_subnet"
    assert configuration.types() == {("resource", KIND)}
    assert configuration.complete
    (tmp_path / "stacks" / "network" / "more.tf").write_text("")
    assert not Configuration(tmp_path / "stacks" / "network").complete


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        ("no-role-yet", "Inner error: ForbiddenByRbac"),
        ("no-capacity", "AllocationFailed: Allocation failed."),
    ],
)
def test_azures_own_refusals_are_answered_with_a_way_out(tmp_path: Path, effect: str, words: str) -> None:
    found = azure(tmp_path, {"resource": KIND, "effect": effect})
    ((_, said),) = found.apply(KIND, **GROUP).problems
    assert words in said
    (diagnosis,) = diagnose(f"\nError: {said}\n", "folder", "`llmctl deploy dev`")
    assert "wait" in diagnosis.fix
    found.create(KIND, **GROUP)


def test_a_wait_cannot_be_interrupted(tmp_path: Path) -> None:
    azure(tmp_path, {"resource": KIND, "effect": "wait", "seconds": 0.2})
    stopped = threading.Event()
    stopped.set()
    started = time.monotonic()
    assert Faults(Cloud(tmp_path), "network", stopped).strike("create", KIND, KIND) is None
    assert time.monotonic() - started >= 0.2


def test_resources_of_one_name_are_told_apart_by_what_they_belong_to(tmp_path: Path) -> None:
    folder = tmp_path / "stacks" / "disks"
    folder.mkdir(parents=True)
    disks = {name: {"name": f"llm-dev-{name}"} for name in ("mysql", "redis")}
    locks = {
        f"{name}_lock": {"name": "keep", "scope": f"${{azurerm_managed_disk.{name}.id}}"} for name in ("mysql", "redis")
    }
    resources = {"azurerm_managed_disk": disks, "azurerm_management_lock": locks}
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": resources}))
    found = [
        Configuration(folder).address("azurerm_management_lock", {"name": "keep", "scope": f"/disks/llm-dev-{name}"})
        for name in ("mysql", "redis")
    ]
    assert found == ["azurerm_management_lock.mysql_lock", "azurerm_management_lock.redis_lock"]
