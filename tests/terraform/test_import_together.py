"""Many imports in one plan: nothing but imports is applied, and what is not there is left with Terraform's reason."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from scripts.review.plan import Changes, Plan
from scripts.terraform.adopting.together import import_together
from scripts.terraform.stack import StackRunner, TerraformError

GONE = """
Error: Cannot import non-existent remote object

  on asked.tf.json line 1, in import[0]:

While attempting to import an existing object to "{address}", the provider
detected that no object exists with the given id.
"""
REFUSED = """
Error: ID was missing the `roleAssignments` element

  with {address},
  on cdk.tf.json line 7, in resource.azurerm_role_assignment:
"""


@dataclass
class Folder:
    folder: Path


@dataclass
class Runner:
    """Answers plans one after the other: actions by address, or what Terraform prints."""

    stack: Folder
    answers: Iterator[dict[str, list[str]] | str]
    asked: list[list[str]] = field(default_factory=list)
    applied: int = 0

    @property
    def plan_file(self) -> Path:
        return self.stack.folder / "plan"

    def plan(self, *, targets: Sequence[str]) -> Plan:
        blocks = json.loads((self.stack.folder / "asked.tf.json").read_text())["import"]
        assert [block["to"] for block in blocks] == [it for it in targets if not it.startswith("terraform_data.")]
        self.asked.append(list(targets))
        self.plan_file.touch()
        answer = next(self.answers)
        if isinstance(answer, str):
            raise TerraformError("aks", "plan", answer)
        changes: list[dict[str, Any]] = [{"address": it, "change": {"actions": how}} for it, how in answer.items()]
        return Plan(Changes(), document={"resource_changes": changes})

    def apply(self) -> None:
        self.applied += 1


SYNTHESIZED = {
    "helm_release": {
        "one": {"namespace": "${kubernetes_namespace_v1.two.metadata[0].name}"},
        "apart": {"namespace": "elsewhere"},
    },
    "kubernetes_namespace_v1": {"two": {"metadata": {"name": "${azurerm_thing.base.name}"}}},
    "azurerm_thing": {"base": {"name": "base"}},
}


def runner(folder: Path, *answers: dict[str, list[str]] | str) -> Runner:
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": SYNTHESIZED}))
    return Runner(Folder(folder), iter(answers))


IDS = {"a.one": "/1", "a.two": "/2", "a.three": "/3"}


def test_imports_that_change_nothing_are_applied_at_once(tmp_path: Path) -> None:
    found = runner(tmp_path, {"a.one": ["no-op"], "a.two": ["no-op"], "a.three": ["no-op"], "data.x": ["read"]})
    imports = import_together(cast("StackRunner", found), IDS)
    assert imports.done == IDS.keys()
    assert imports.refused == {}
    assert found.applied == 1
    assert [it.name for it in tmp_path.iterdir()] == ["cdk.tf.json"], "neither the blocks nor the plan are left"


@pytest.mark.parametrize("text", [GONE, REFUSED])
def test_what_is_not_there_is_left_with_the_reason_and_the_others_are_imported(tmp_path: Path, text: str) -> None:
    found = runner(tmp_path, text.format(address="a.two"), {"a.one": ["no-op"], "a.three": ["no-op"]})
    imports = import_together(cast("StackRunner", found), IDS)
    assert imports.done == {"a.one", "a.three"}
    assert imports.refused.keys() == {"a.two"}
    assert imports.refused["a.two"].startswith("Error: ")
    assert found.asked == [["a.one", "a.two", "a.three"], ["a.one", "a.three"]]


def test_what_would_be_changed_is_imported_by_itself(tmp_path: Path) -> None:
    found = runner(
        tmp_path,
        {"a.one": ["no-op"], "a.two": ["update"], "a.three": ["no-op"]},
        {"a.one": ["no-op"], "a.three": ["no-op"]},
    )
    imports = import_together(cast("StackRunner", found), IDS)
    assert imports.done == {"a.one", "a.three"}
    assert imports.refused == {}
    assert found.applied == 1


@pytest.mark.parametrize("actions", [["create"], ["update"], ["delete", "create"], ["delete"]])
def test_nothing_is_applied_where_something_else_would_be_made_or_changed(tmp_path: Path, actions: list[str]) -> None:
    found = runner(tmp_path, {**{address: ["no-op"] for address in IDS}, "b.parent": actions})
    imports = import_together(cast("StackRunner", found), IDS)
    assert imports.done == set()
    assert imports.refused == {}
    assert found.applied == 0
    assert [it.name for it in tmp_path.iterdir()] == ["cdk.tf.json"]


def test_what_depends_on_something_that_would_be_made_waits_for_it(tmp_path: Path) -> None:
    ids = {"helm_release.one": "/1", "helm_release.apart": "/2", "kubernetes_namespace_v1.two": "/3"}
    found = runner(
        tmp_path,
        {**{address: ["no-op"] for address in ids}, "azurerm_thing.base": ["create"]},
        {"helm_release.apart": ["no-op"]},
    )
    imports = import_together(cast("StackRunner", found), ids)
    assert imports.waiting == {"helm_release.one", "kubernetes_namespace_v1.two"}
    assert imports.done == {"helm_release.apart"}


def test_records_that_are_in_the_state_alone_are_made_with_the_imports(tmp_path: Path) -> None:
    found = runner(tmp_path, {**{address: ["no-op"] for address in IDS}, "terraform_data.route": ["create"]})
    blocks_and_records = [*IDS, "terraform_data.route"]
    imports = import_together(cast("StackRunner", found), IDS, ["terraform_data.route"])
    assert found.asked == [blocks_and_records]
    assert imports.done == IDS.keys()
    assert found.applied == 1


def test_a_record_that_would_be_replaced_is_no_harmless_change(tmp_path: Path) -> None:
    replaced = {**{address: ["no-op"] for address in IDS}, "terraform_data.route": ["delete", "create"]}
    found = runner(tmp_path, replaced)
    assert import_together(cast("StackRunner", found), IDS, ["terraform_data.route"]).done == set()
    assert found.applied == 0


def test_an_error_about_something_else_leaves_all_to_be_imported_one_by_one(tmp_path: Path) -> None:
    found = runner(tmp_path, "\nError: the network is away\n")
    imports = import_together(cast("StackRunner", found), IDS)
    assert (imports.done, imports.refused, found.applied) == (set(), {}, 0)
