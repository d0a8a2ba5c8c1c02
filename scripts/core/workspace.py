"""Where one environment is synthesized, planned and deployed."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import ExitCode, OperatorError
from .tiers import DURABLE, STACKS

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
CHARTS_MISSING = "charts missing, so their releases cannot be planned"
"""How a synthesis begins to tell of charts that it could not get."""


def user_cache() -> Path:
    """Return what all checkouts of a person share, and can be deleted: below `XDG_CACHE_HOME`, else `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llm-platform"


@dataclass(frozen=True)
class Stack:
    """One synthesized stack."""

    name: str
    folder: Path
    dependencies: frozenset[str]
    """Stacks deployed before this one: recorded dependencies, and those whose state it reads."""
    read_states: tuple[Path, ...] = ()
    """State files that it reads, where state is kept locally."""

    @property
    def durable(self) -> bool:
        """Whether the stack holds data or names, and is protected from being destroyed."""
        return self.name in DURABLE

    def output(self, name: str) -> Any:
        """Return the configured value of an output that is known without Terraform; None where there is none."""
        try:
            content = json.loads((self.folder / "cdk.tf.json").read_text(encoding="utf-8"))
            return content["output"][name]["value"]
        except (OSError, ValueError, KeyError):
            return None

    def attributes(self, address: str) -> dict[str, Any]:
        """Return what is configured of the resource at `address`; nothing where the stack has no such resource."""
        type_, _, name = address.partition(".")
        try:
            content = json.loads((self.folder / "cdk.tf.json").read_text(encoding="utf-8"))
            found = content["resource"][type_][name.partition("[")[0]]
        except (OSError, ValueError, KeyError):
            return {}
        return dict(found) if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Workspace:
    """Folders and variables of one environment.

    The real one lives in the checkout, a rehearsal in a folder of its own; local state lies beside the output folder,
    at `state/<environment>`, because the stacks name it relative to their own folder.
    """

    environment: str
    base: Path = ROOT
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables for Terraform and the application, on top of this process's own."""

    @property
    def output(self) -> Path:
        """The folder that cdktf synthesizes into."""
        return self.base / "cdktf.out" / self.environment

    @property
    def logs(self) -> Path:
        """Logs of the commands run in this workspace."""
        return (CACHE if self.base == ROOT else self.base) / "logs" / self.environment

    @property
    def lock_name(self) -> str:
        """Name of the lock that one command at a time holds."""
        return self.environment if self.base == ROOT else f"{self.environment}-rehearsal"

    def process_environment(self) -> dict[str, str]:
        """Return the variables for the application, Terraform and cdktf."""
        defaults = {
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_PLUGIN_CACHE_DIR": str(Path.home() / ".terraform.d" / "plugin-cache"),
        }
        environment = defaults | dict(os.environ) | dict(self.variables)
        environment["PLATFORM_ENV"] = self.environment
        environment["CDKTF_OUTDIR"] = str(self.output)
        environment["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
        return environment

    def stacks(self) -> dict[str, Stack]:
        """Return the synthesized stacks by name, in deploy order. Raises OperatorError when there are none."""
        try:
            manifest = json.loads((self.output / "manifest.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise OperatorError(
                f"{self.environment} is not synthesized", f"run `llmctl synth {self.environment}`"
            ) from None
        except (OSError, ValueError) as error:
            raise self._damaged(error) from None
        # cdktf writes them by name, the application in the order of deployment.
        known = {name: position for position, name in enumerate(STACKS)}
        try:
            ordered = sorted(manifest["stacks"].items(), key=lambda item: known.get(item[0], len(known)))
            return {name: self._stack(name, entry) for name, entry in ordered}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> OperatorError:
        return OperatorError(
            f"{self.output} is damaged: {type(error).__name__}",
            f"run `llmctl synth {self.environment}`, which writes it anew",
            ExitCode.NOT_READY,
        )

    def _stack(self, name: str, entry: dict[str, Any]) -> Stack:
        content = json.loads((self.output / entry["synthesizedStackPath"]).read_text(encoding="utf-8"))
        # `stacks.common.backends.read_backend` names the block of a producer `<producer>-state`.
        readers = content.get("data", {}).get("terraform_remote_state", {})
        read = {reader.removesuffix("-state") for reader in readers}
        folder = self.output / entry["workingDirectory"]
        local = [reader["config"]["path"] for reader in readers.values() if reader["backend"] == "local"]
        states = tuple(folder / path for path in local)
        return Stack(name, folder, frozenset(entry["dependencies"]) | read, states)
