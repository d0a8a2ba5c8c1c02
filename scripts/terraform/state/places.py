"""Where some version of an environment's file keeps the states, and Terraform to read and write them there."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.bootstrap.terraform import Terraform
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import load_environment
from scripts.core.tiers import STACKS
from scripts.core.workspace import ROOT, Workspace
from stacks.settings import Settings, SettingsError, parse_settings

from .cut_off import cut_state

State = dict[str, Any]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def settings_of(word: str) -> Settings:
    """Return the settings that `word` names: an environment, `REVISION:ENVIRONMENT` in git, or a file.

    Raises OperatorError.
    """
    revision, colon, name = word.rpartition(":")
    try:
        if colon:
            return parse_settings(_committed(revision, name), word)
        if word.endswith(".yaml"):
            return parse_settings(Path(word).read_text(encoding="utf-8-sig"), word)
    except SettingsError as error:
        raise OperatorError(str(error), "name a version of the file that is sound", ExitCode.SETTINGS) from None
    except OSError as error:
        raise OperatorError(
            f"{word}: {error.strerror}", "name an environment, or REVISION:ENV", ExitCode.USAGE
        ) from None
    return load_environment(word)


def _committed(revision: str, name: str) -> str:
    place = f"{revision}:./environments/{name}.yaml"
    shown = subprocess.run(  # noqa: S603
        ["git", "show", "--end-of-options", place],  # noqa: S607 - the git of the operator
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if shown.returncode:
        raise OperatorError(
            f"git has no {place}", "name a commit that holds the file, such as HEAD:dev", ExitCode.USAGE
        )
    return shown.stdout


@dataclass(frozen=True)
class Place:
    """The states of one environment, kept where one version of its file says."""

    folder: Path
    """Holds a folder with the backend alone for each stack, deep enough for the relative paths of local states."""
    workspace: Workspace
    terraform: Terraform
    processes: Processes

    def read(self, stack: str) -> State | None:
        """Return the state of a stack, None when there is none. Raises OperatorError."""
        if cut := cut_state(self.folder / "stacks" / stack):
            raise cut.refusal(self.workspace.environment)
        # A folder that was used for another place before would ask to migrate.
        (self.folder / "stacks" / stack / ".terraform" / "terraform.tfstate").unlink(missing_ok=True)
        self._run(stack, "init", "-input=false")
        pulled = self._run(stack, "state", "pull")
        start = pulled.find("{")
        state: State | None = json.loads(pulled[start:]) if start >= 0 else None
        return state if state and (state.get("resources") or state.get("outputs")) else None

    def write(self, stack: str, state: State) -> None:
        """Make `state` the state of a stack. Raises OperatorError, also where Terraform sees another one there."""
        file = self.folder / "stacks" / stack / "moving.tfstate"
        file.touch(mode=0o600)
        try:
            file.write_text(json.dumps(state), encoding="utf-8")
            self._run(stack, "state", "push", file.name)
        finally:
            file.unlink()

    def _run(self, stack: str, *arguments: str) -> str:
        folder = self.folder / "stacks" / stack
        command = [self.terraform.path, *arguments]
        result = self.processes.run(command, cwd=folder, env=self.workspace.process_environment())
        if result.status:
            lines = [line.strip("│╷ ") for line in _COLOUR.sub("", result.output).splitlines() if "Error: " in line]
            raise OperatorError(
                f"{stack}: terraform {' '.join(arguments[:2])} failed: {lines[0] if lines else 'no message'}",
                f"see it yourself: (cd {folder} && {' '.join(command)}); then run this again",
            )
        return result.output


def place(settings: Settings, side: str, workspace: Workspace, terraform: Terraform, processes: Processes) -> Place:
    """Write the backends of every stack to a folder of their own and return them; `side` keeps two places apart."""
    # Starts Node: 0.4 s of CPU that the other commands of `llmctl state` do without.
    from cdktf import App, TerraformStack  # noqa: PLC0415

    from stacks.common.backends import write_backend  # noqa: PLC0415

    folder = workspace.output.with_name(f"{settings.name}.{side}")
    folder.mkdir(parents=True, exist_ok=True)
    app = App(outdir=str(folder))
    names = settings.azure_names
    for stack in STACKS:
        write_backend(TerraformStack(app, stack), stack, settings.state, names)
    app.synth()
    return Place(folder, workspace, terraform, processes)
