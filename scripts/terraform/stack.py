"""Terraform in the folder of one stack: initialized once, planned to a file, and that plan applied.

cdktf's own deploy plans and applies in one go and, when interrupted, hangs up on Terraform while it still writes. Run
directly in the same folder, with the same state, what was shown is what is applied, and Ctrl-C is graceful.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.bootstrap.terraform import Terraform
from scripts.core.errors import OperatorError
from scripts.core.processes import Processes, Result
from scripts.core.workspace import Stack, Workspace
from scripts.review.masking import Masks
from scripts.review.plan import Changes, Plan, read_plan

from .activity import Activity, Progress
from .errors.diagnose import MISSING_STATE, REINIT
from .init_stamp import InitStamp
from .read_only import unread
from .state.cut_off import CutState, cut_state

PLAN_FILE = "llmctl.tfplan"

# Terraform's plugin cache does not bear two writers.
_init_lock = threading.Lock()


class TerraformError(Exception):
    """Terraform failed; `output` is what it printed."""

    def __init__(self, stack: str, action: str, output: str) -> None:
        super().__init__(f"{stack}: terraform {action} failed")
        self.stack = stack
        self.action = action
        self.output = output


class CutStateError(TerraformError):
    """The stack's local state file holds no whole state; `cut` tells what is left of it."""

    def __init__(self, stack: str, action: str, cut: CutState) -> None:
        super().__init__(stack, action, cut.message)
        self.cut = cut


def unreadable_state(error: TerraformError, environment: str) -> OperatorError:
    """Return what a command ends with that has to read a stack's state and cannot."""
    if isinstance(error, CutStateError):
        return error.cut.refusal(environment)
    return OperatorError(f"{error.stack}: its state cannot be read: {error.output.strip()}")


class NotDeployedError(TerraformError):
    """The stack reads another one that has not been deployed yet."""


class InterruptedRunError(TerraformError):
    """Terraform was stopped by the user, gracefully unless asked twice."""


@dataclass
class StackRunner:
    """Runs Terraform for one stack."""

    stack: Stack
    workspace: Workspace
    terraform: Terraform
    processes: Processes
    on_activity: Callable[[Activity], None] = lambda _activity: None
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables by which the providers reach what the stack is about, beside the workspace's own."""
    _environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._environment = self.workspace.process_environment() | dict(self.variables)

    @property
    def log(self) -> Path:
        """File that holds all that Terraform prints for this stack."""
        return self.workspace.logs / f"{self.stack.name}.log"

    @property
    def plan_file(self) -> Path:
        """The saved plan, there only between plan and apply."""
        return self.stack.folder / PLAN_FILE

    def init(self, *, force: bool = False) -> None:
        """Initialize the stack's folder, unless that was done for this very configuration.

        Raises TerraformError.
        """
        stamp = InitStamp.of(self.stack.folder, self.terraform, self._environment.get("TF_CLI_CONFIG_FILE", ""))
        if not force and stamp.current:
            return
        with _init_lock:
            if cache := self._environment.get("TF_PLUGIN_CACHE_DIR"):
                Path(cache).mkdir(parents=True, exist_ok=True)
            result = self._run("init", "-input=false")
        if result.status:
            raise self._failure("init", result)
        stamp.write()

    def plan(
        self,
        *,
        destroy: bool = False,
        read_unchanged: bool = False,
        read_only: bool = False,
        targets: Sequence[str] = (),
    ) -> Plan:
        """Plan the stack into `plan_file` and return what it would do.

        `targets` are addresses to which the plan keeps. `read_unchanged` reads the plan even when nothing would change,
        which takes seconds: its document tells what is secret in this stack. `read_only` takes no lock on the state,
        and does not look at what only secrets would tell about (`read_only.py`).

        Raises NotDeployedError when a stack that this one reads has no state yet, else TerraformError.
        """
        if missing := [path for path in self.stack.read_states if not path.exists()]:
            raise NotDeployedError(self.stack.name, "plan", f"no state yet: {', '.join(map(str, missing))}")
        self._require_whole_state("plan")
        arguments = ["-input=false", "-detailed-exitcode", f"-out={PLAN_FILE}", *(["-destroy"] if destroy else [])]
        arguments += [f"-target={address}" for address in targets]
        if read_only:
            arguments += ["-lock=false", *(["-refresh=false"] if unread(self.stack.folder) else [])]
        result = self._initialized("plan", *arguments)
        if result.status == 0:
            document = self.read_saved_plan() if read_unchanged else {}
            self.plan_file.unlink(missing_ok=True)
            return Plan(Changes(), document=document)
        if result.status != 2:
            if MISSING_STATE.search(result.output):
                raise NotDeployedError(self.stack.name, "plan", result.output)
            raise self._failure("plan", result)
        return read_plan(self.read_saved_plan())

    def apply(self) -> None:
        """Apply `plan_file`. Raises InterruptedRunError, else TerraformError."""
        try:
            result = self._run("apply", "-input=false", PLAN_FILE, on_line=Progress(self.on_activity).line)
        finally:
            self.plan_file.unlink(missing_ok=True)
        if result.status:
            raise self._failure("apply", result)

    def refresh(self) -> None:
        """Bring what the state says of resources and outputs up to date, and change nothing else.

        Raises TerraformError.
        """
        self._require_whole_state("apply")
        result = self._initialized("apply", "-refresh-only", "-auto-approve", "-input=false")
        if result.status:
            raise self._failure("apply", result)

    def read_saved_plan(self) -> dict[str, Any]:
        """Return the saved plan in Terraform's JSON form, secrets included. Raises TerraformError."""
        shown = self._initialized("show", "-json", PLAN_FILE, quiet=True)
        if shown.status:
            raise self._failure("show", shown)
        return _document(shown.output)

    def show_plan(self, masks: Masks) -> str:
        """Return the saved plan as Terraform shows it to people, without the secrets in `masks`.

        Terraform masks a value only where it is marked. Raises TerraformError.
        """
        result = self._run("show", PLAN_FILE, quiet=True)
        if result.status:
            raise self._failure("show", result)
        return masks.text(result.output)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs as `terraform output -json` gives them. Raises TerraformError."""
        self._require_whole_state("output")
        result = self._initialized("output", "-json", quiet=True)
        if result.status:
            raise self._failure("output", result)
        return _document(result.output)

    def unlock(self, lock: str) -> None:
        """Break the lock with the ID `lock`. Raises TerraformError."""
        result = self._initialized("force-unlock", "-force", lock)
        if result.status:
            raise self._failure("force-unlock", result)

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the attributes of every resource in the stack's state, by address. Raises TerraformError."""
        self._require_whole_state("show")
        result = self._initialized("show", "-json", quiet=True)
        if result.status:
            raise self._failure("show", result)
        module = _document(result.output).get("values", {}).get("root_module", {})
        return {
            found["address"]: found["values"] for found in module.get("resources", []) if found["mode"] == "managed"
        }

    def adopt(self, address: str, resource_id: str) -> None:
        """Take something that exists into the state (`terraform import`). Raises TerraformError."""
        result = self._initialized("import", "-input=false", address, resource_id)
        if result.status:
            raise self._failure("import", result)

    def forget(self, addresses: Sequence[str]) -> None:
        """Take resources out of the state, all or none, and leave them as they are. Raises TerraformError."""
        self._require_whole_state("state")
        result = self._initialized("state", "rm", *addresses)
        if result.status:
            raise self._failure("state", result)

    def pull(self) -> dict[str, Any] | None:
        """Return the stack's whole state, None where there is none; of one that is cut off, what was before.

        Raises TerraformError.
        """
        if cut := cut_state(self.stack.folder):
            return cut.kept
        result = self._initialized("state", "pull", quiet=True)
        if result.status:
            raise self._failure("state", result)
        start = result.output.find("{")
        state: dict[str, Any] | None = json.loads(result.output[start:]) if start >= 0 else None
        return state if state and (state["resources"] or state["outputs"]) else None

    def push(self, state: Mapping[str, Any]) -> None:
        """Make `state` the stack's state; Terraform refuses one that is older than what is there, or of another stack.

        One that is cut off is replaced. Raises TerraformError.
        """
        if cut := cut_state(self.stack.folder):
            cut.replace(dict(state))
            return
        file = self.stack.folder / "pushed.tfstate"
        file.touch(mode=0o600)
        try:
            file.write_text(json.dumps(state), encoding="utf-8")
            result = self._initialized("state", "push", file.name)
        finally:
            file.unlink()
        if result.status:
            raise self._failure("state", result)

    def _require_whole_state(self, action: str) -> None:
        if cut := cut_state(self.stack.folder):
            raise CutStateError(self.stack.name, action, cut)

    def _initialized(self, action: str, *arguments: str, quiet: bool = False) -> Result:
        self.init()
        result = self._run(action, *arguments, quiet=quiet)
        if result.status == 1 and REINIT.search(result.output):
            self.init(force=True)
            result = self._run(action, *arguments, quiet=quiet)
        return result

    def _run(
        self, action: str, *arguments: str, quiet: bool = False, on_line: Callable[[str], None] = lambda _line: None
    ) -> Result:
        """Run one Terraform command; `quiet` keeps its output, which may hold values, out of the log."""
        colour = [] if action == "state" else ["-no-color"]
        command = [self.terraform.path, action, *colour, *arguments]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"== terraform {' '.join(command[1:])}\n")
            return self.processes.run(
                command,
                cwd=self.stack.folder,
                env=self._environment,
                log=None if quiet else log,
                on_line=on_line,
            )

    def _failure(self, action: str, result: Result) -> TerraformError:
        kind = InterruptedRunError if self.processes.interrupted else TerraformError
        return kind(self.stack.name, action, result.output)


def _document(output: str) -> dict[str, Any]:
    """Return the JSON document in Terraform's output, which warnings about its own configuration may precede."""
    document: dict[str, Any] = json.loads(output[output.index("{") :])
    return document
