"""Several modules as one text, for programs that go into a pod by standard input."""

from collections.abc import Mapping


def bundled(main: str, modules: Mapping[str, str]) -> str:
    """Return `main` as a program with modules of its own, by the names that they are imported by.

    Each stands after those that it imports.
    """
    return f"""\
import sys, types
for name, text in {dict(modules)!r}.items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
{main}"""
