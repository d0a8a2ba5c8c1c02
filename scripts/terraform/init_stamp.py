"""Whether a stack's folder has been initialized for its present configuration: `terraform init` takes seconds."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from scripts.bootstrap.terraform import Terraform


@dataclass(frozen=True)
class InitStamp:
    """A file in `.terraform` that holds a digest of all that decides what `terraform init` does."""

    path: Path
    digest: str

    @classmethod
    def of(cls, folder: Path, terraform: Terraform, cli_config_file: str) -> Self:
        """Return the stamp that a stack's folder should have; `cli_config_file` is empty where there is none."""
        content = json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8"))
        path = Path(cli_config_file)
        parts = [
            json.dumps(content["terraform"], sort_keys=True),
            f"{terraform}",
            cli_config_file,
            path.read_text(encoding="utf-8") if cli_config_file and path.is_file() else "",
        ]
        return cls(folder / ".terraform" / "llmctl-init", hashlib.sha256("\0".join(parts).encode()).hexdigest())

    @property
    def current(self) -> bool:
        """Whether the folder was initialized for this very configuration."""
        return self.path.is_file() and self.path.read_bytes() == self.digest.encode()

    def write(self) -> None:
        """Say that the folder is initialized."""
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(self.digest, encoding="utf-8")
