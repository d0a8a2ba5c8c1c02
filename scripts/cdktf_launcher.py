"""The `cdktf` of this project: the pinned cdktf-cli on the bundled Node, with the project's environment.

`.venv/bin/cdktf` starts it. What it adds to plain cdktf:

- the output folder is `cdktf.out/<PLATFORM_ENV>`, so that environments never share a Terraform working folder;
- `cdktf deploy platform` works although `platform` has recorded dependencies. cdktf 0.21 refuses a stack whose
  dependencies are not named, unless a flag says to ignore missing ones; but then it forgets the order of those that
  are named, too: on deploy all stacks start at once, on destroy the first is started over and over. So the flag is
  given only where a dependency is missing, and the stacks are put in order and run one by one.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from scripts.bootstrap.problems import NOT_READY  # noqa: E402
from scripts.bootstrap.toolchain import Toolchain  # noqa: E402
from scripts.core.tiers import DISPOSABLE, STACKS  # noqa: E402

_IGNORE_VARIABLE = "CDKTF_IGNORE_MISSING_STACK_DEPENDENCIES"
_IGNORE = "--ignore-missing-stack-dependencies"
_PARALLELISM = "--parallelism"
_DEPLOY = ("deploy", "apply")
_TAKE_A_VALUE = frozenset(
    {"-a", "--app", "-o", "--output", "--outputs-file", _PARALLELISM, "--terraform-parallelism", "--var", "--var-file"}
)


def environment(variables: Mapping[str, str], tools: Toolchain) -> dict[str, str]:
    """Return the variables that cdktf, and the application it starts, run with; what the caller set is kept."""
    node = str(tools.node)
    defaults = {
        "PLATFORM_ENV": "dev",
        "JSII_NODE": node,
        "CHECKPOINT_DISABLE": "1",
        "DISABLE_VERSION_CHECK": "true",
    }
    result = defaults | dict(variables)
    result.setdefault("CDKTF_OUTPUT", f"cdktf.out/{result['PLATFORM_ENV']}")
    path = variables.get("PATH", os.defpath)
    result["PATH"] = os.pathsep.join([str(tools.venv / "bin"), path])
    return result


def arrange(arguments: Sequence[str], *, ignoring: bool = False) -> list[str]:
    """Return cdktf's arguments with stacks in a working order where cdktf itself would not keep one.

    `ignoring` says that the environment already makes cdktf ignore missing dependencies.
    """
    positions = _positions(arguments)
    if not positions or arguments[positions[0]] not in (*_DEPLOY, "destroy"):
        return list(arguments)
    deploy = arguments[positions[0]] in _DEPLOY
    slots = positions[1:]
    names = [arguments[slot] for slot in slots]
    ignoring = ignoring or _IGNORE in arguments
    missing = deploy and _lacks_a_dependency(names)
    if not (ignoring or missing) or any(name not in STACKS for name in names):
        return list(arguments)
    arranged = list(arguments)
    for slot, name in zip(slots, sorted(names, key=STACKS.index, reverse=not deploy), strict=True):
        arranged[slot] = name
    if not ignoring:
        arranged.append(_IGNORE)
    if not any(word.partition("=")[0] == _PARALLELISM for word in arguments):
        arranged += [_PARALLELISM, "1"]
    return arranged


def _lacks_a_dependency(names: Sequence[str]) -> bool:
    """Tell whether a stack is named without all that it depends on."""
    named = [stack in names for stack in DISPOSABLE]
    return any(later and not earlier for earlier, later in pairwise(named))


def _positions(arguments: Sequence[str]) -> list[int]:
    """Return where the command and its stacks stand among options and their values."""
    positions = []
    skip = False
    for index, word in enumerate(arguments):
        if skip:
            skip = False
        elif word in _TAKE_A_VALUE:
            skip = True
        elif not word.startswith("-"):
            positions.append(index)
    return positions


def _fetch_terraform() -> None:
    """Bring Terraform along; cdktf itself tells what it cannot do without, where it cannot be had."""
    from scripts.core.errors import OperatorError  # noqa: PLC0415 - where a machine has Terraform, no start pays for it
    from scripts.terraform.program import require_terraform  # noqa: PLC0415 - the same

    try:
        require_terraform()
    except OperatorError as error:
        sys.stderr.write(f"cdktf: {error.message}. Fix: {error.fix}\n")


def main() -> None:
    """Become cdktf."""
    tools = Toolchain(ROOT)
    if not tools.node_modules_ready() or tools.node is None:
        sys.stderr.write("cdktf: the Node packages are incomplete. Fix: run `./scripts/llmctl setup`.\n")
        sys.exit(NOT_READY)
    here = Path.cwd()
    if here != ROOT and here.is_relative_to(ROOT) and not (here / "cdktf.json").exists():
        os.chdir(ROOT)
    if not (os.environ.get("TERRAFORM_BINARY_NAME") or shutil.which("terraform")):
        _fetch_terraform()
    node = str(tools.node)
    ignoring = os.environ.get(_IGNORE_VARIABLE, "").lower() in ("1", "true")
    command = [node, str(tools.cdktf_entry), *arrange(sys.argv[1:], ignoring=ignoring)]
    os.execve(node, command, environment(os.environ, tools))  # noqa: S606 - becomes cdktf


if __name__ == "__main__":
    main()
