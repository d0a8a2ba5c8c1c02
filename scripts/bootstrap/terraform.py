"""Which Terraform runs, and whether it is new enough."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from .problems import NotReadyError

OLDEST = (1, 11)
"""Write-only arguments and ephemeral values, which keep secrets out of the state, need it."""

_INSTALL = "install Terraform >= 1.11 (https://developer.hashicorp.com/terraform/install) or OpenTofu >= 1.11"


@dataclass(frozen=True)
class Terraform:
    """The Terraform, or OpenTofu, that this machine runs."""

    path: str
    version: str


def find() -> Terraform:
    """Return the binary that TERRAFORM_BINARY_NAME names, `terraform` by default, as cdktf does.

    Raises NotReadyError when there is none, it does not run, or it is too old.
    """
    name = os.environ.get("TERRAFORM_BINARY_NAME") or "terraform"
    path = shutil.which(name)
    if path is None:
        raise NotReadyError(f"no `{name}` on PATH", f"{_INSTALL}; another name goes into TERRAFORM_BINARY_NAME")
    environment = os.environ | {"CHECKPOINT_DISABLE": "1"}
    try:
        answer = subprocess.run(  # noqa: S603 - the operator's own Terraform
            [path, "version", "-json"], capture_output=True, text=True, env=environment, timeout=30, check=False
        )
        # Warnings about its own configuration come first.
        version = str(json.loads(answer.stdout[answer.stdout.index("{") :])["terraform_version"])
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as error:
        raise NotReadyError(f"{path} does not tell its version ({error})", _INSTALL) from None
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST:
        raise NotReadyError(f"{path} is version {version}, too old", _INSTALL)
    return Terraform(path, version)
