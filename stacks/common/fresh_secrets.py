"""Lets a first deployment take the vault back that a deleted environment of the same name has left.

Azure keeps a deleted vault and its secrets for a time, under names that nobody else can have. The vault comes back by
itself; its secrets only for a deployment that finds neither database nor disks: then nothing was set up with the old
values, and new ones may be written over them. Anywhere else that would lock out what knows the old ones.
"""

import json
from pathlib import Path


def allow(folder: Path) -> None:
    """Let the provider of the stack synthesized into `folder` recover deleted secrets, until the next synthesis."""
    file = folder / "cdk.tf.json"
    stack = json.loads(file.read_text("utf-8"))
    for provider in stack["provider"]["azurerm"]:
        for features in provider["features"]:
            for vault in features["key_vault"]:
                vault["recover_soft_deleted_secrets"] = True
    file.write_text(json.dumps(stack, indent=2), "utf-8")
