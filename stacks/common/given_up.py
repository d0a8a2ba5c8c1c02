"""Takes the protection off a synthesized stack that is being given up for good.

`llmctl cleanup` alone does it, for one run, in the folder that it runs Terraform in; the next synthesis writes the
protection back. No setting of an environment file does it, so that nothing can stay unprotected.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BACKUP_VAULT = "azurerm_data_protection_backup_vault"
_RELEASED = {"immutability": "Disabled", "soft_delete": "Off"}
"""Without these Azure keeps the backups of a disk, and the vault, for the time that they were promised for."""


def release(folder: Path) -> None:
    """Rewrite the stack synthesized into `folder` without its protection."""
    file = folder / "cdk.tf.json"
    file.write_text(json.dumps(released(json.loads(file.read_text("utf-8"))), indent=2), "utf-8")


def released(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return a synthesized stack whose resources Terraform may destroy, and whose backups Azure lets go."""
    resources = {
        type_: {label: _without_protection(type_, body) for label, body in labelled.items()}
        for type_, labelled in stack.get("resource", {}).items()
    }
    return {**stack, "resource": resources}


def _without_protection(type_: str, body: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(body)
    if body.get("lifecycle", {}).get("prevent_destroy"):
        found["lifecycle"] = {**body["lifecycle"], "prevent_destroy": False}
    return found | _RELEASED if type_ == _BACKUP_VAULT else found
