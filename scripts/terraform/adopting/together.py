"""Many imports in one plan and one apply.

`terraform import` takes one resource, and as long for what is not there as for what is. After an interrupted run most
of a stack is not there; after a lost state a hundred resources and more are.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.review.plan import Plan
from scripts.terraform.errors.diagnose import errors
from scripts.terraform.existing import ADDRESS
from scripts.terraform.stack import StackRunner, TerraformError

RECORD = "terraform_data"
"""Type of what Terraform keeps in the state alone: made again, nothing exists twice."""
_ASKED = "asked.tf.json"
_NAMED = re.compile(r'existing\s+object\s+to\s+"(?P<address>\S+)"')
_REFERENCE = re.compile(r"\b((?:azurerm|azuread|kubernetes|helm|random|terraform)_\w+\.[\w-]+)")
_HARMLESS = (["no-op"], ["read"])


@dataclass
class Imports:
    """What became of the resources; what is in none of these has to be imported by itself."""

    done: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    """Address to Terraform's reason."""
    waiting: set[str] = field(default_factory=set)
    """What depends on something that is not in the state yet."""


def import_together(runner: StackRunner, ids: Mapping[str, str], records: Collection[str] = ()) -> Imports:
    """Import resources by address and id, as far as an apply of the imports would change nothing that exists.

    `records` are made with them. Raises TerraformError.
    """
    found, apart, needs = Imports(), set[str](), _needs(runner.stack.folder)
    file = runner.stack.folder / _ASKED
    try:
        while asked := {it: ids[it] for it in ids if it not in {*found.refused, *found.waiting, *apart}}:
            blocks = [{"to": address, "id": id_} for address, id_ in asked.items()]
            file.write_text(json.dumps({"import": blocks}), "utf-8")
            try:
                plan = runner.plan(targets=(*asked, *records))
            except TerraformError as error:
                said = {address: text for address, text in _refused(error).items() if address in asked}
                if not said:
                    break
                found.refused |= said
                continue
            changed = _changed(plan)
            if not changed:
                runner.apply()
                found.done |= asked.keys()
                break
            made = changed - asked.keys()
            waiting = {address for address in asked if _reaches(address, made, needs)}
            found.waiting |= waiting
            apart |= changed & asked.keys()
            if made and not waiting:
                break
    finally:
        file.unlink(missing_ok=True)
        runner.plan_file.unlink(missing_ok=True)
    return found


def _changed(plan: Plan) -> set[str]:
    changes = plan.document.get("resource_changes", [])
    return {
        found["address"]
        for found in changes
        if found["change"]["actions"] not in _HARMLESS
        and not (found["address"].startswith(f"{RECORD}.") and found["change"]["actions"] == ["create"])
    }


def _needs(folder: Path) -> dict[str, set[str]]:
    """Return what each resource of the synthesized stack refers to, without indexes."""
    resources = json.loads((folder / "cdk.tf.json").read_text("utf-8")).get("resource", {})
    return {
        f"{type_}.{name}": set(_REFERENCE.findall(json.dumps(body)))
        for type_, named in resources.items()
        for name, body in named.items()
    }


def _reaches(address: str, targets: Collection[str], needs: Mapping[str, set[str]]) -> bool:
    """Tell whether a resource depends on one of `targets`, over however many others."""
    wanted = {target.partition("[")[0] for target in targets}
    seen, left = set[str](), [address.partition("[")[0]]
    while left:
        for needed in needs.get(left.pop(), set()) - seen:
            if needed in wanted:
                return True
            seen.add(needed)
            left.append(needed)
    return False


def _refused(error: TerraformError) -> dict[str, str]:
    found = {}
    for text in errors(error.output):
        if named := _NAMED.search(text) or ADDRESS.search(text):
            found[named["address"]] = " ".join(text.split())[:200]
    return found
