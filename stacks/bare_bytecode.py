"""Load the modules that jsii generates without what serves only checks at run time.

Most of the work of such a module is done for them: it evaluates the annotation of every argument while it is imported,
and an ``if __debug__`` block in every function evaluates them again and compares each value. Here mypy does that
before anything runs, and jsii's Node process still refuses a value of the wrong type. So these modules are
compiled with their annotations left as text, and without ``if __debug__`` blocks, docstrings, ``typing.cast`` and the
import of the checker, which loads two hundred modules.
"""

import __future__

import ast
import marshal
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from types import CodeType

CACHE_TAG = "bare2"
"""Marks the compiled files, beside Python's own in ``__pycache__``; it has to change with what is compiled."""

_GENERATED = b"\nimport jsii\n"
_WITHOUT_CHECKS_AND_DOCSTRINGS = 2


class _Bare(ast.NodeTransformer):
    """Takes out what has no effect once nothing is checked."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Put a value where ``typing.cast`` gives it a type, which returns it unchanged."""
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Attribute(ast.Name("typing"), "cast"), [_, value]):
                return value
        return node

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Leave out the checker and what asks for its version: together they load two hundred modules."""
        node.body = [statement for statement in node.body if not _prepares_checks(statement)]
        self.generic_visit(node)
        return node


def _prepares_checks(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import([ast.alias("typeguard")]):
            return True
        case ast.ImportFrom("importlib.metadata", [ast.alias("version", "_metadata_package_version")]):
            return True
        case ast.Assign([ast.Name("TYPEGUARD_MAJOR_VERSION")]):
            return True
    return False


class BareLoader(SourceFileLoader):
    """Loads a generated module in its bare form, any other one as Python does."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's compiled code, from the cache where it fits the source."""
        path = self.get_filename(fullname)
        cached = cache_from_source(path, optimization=CACHE_TAG)
        header = self._header(path)
        try:
            data = self.get_data(cached)
        except OSError:
            data = b""
        if data.startswith(header):
            code: CodeType = marshal.loads(data[len(header) :])  # noqa: S302 - as Python reads its own cache
            return code
        source = self.wanted(self.get_data(path))
        if source is None:
            return super().get_code(fullname)
        code = compile(
            _Bare().visit(ast.parse(source)),
            path,
            "exec",
            flags=__future__.annotations.compiler_flag,
            dont_inherit=True,
            optimize=_WITHOUT_CHECKS_AND_DOCSTRINGS,
        )
        if not sys.dont_write_bytecode:
            self.set_data(cached, header + marshal.dumps(code))
        return code

    def wanted(self, source: bytes) -> bytes | None:
        """Return what is compiled of the module's source, None where the module is to be loaded as Python does."""
        return source if _GENERATED in source else None

    def _header(self, path: str) -> bytes:
        """Return what a compiled file begins with while it fits the interpreter and the source (PEP 552)."""
        stats = self.path_stats(path)
        modified, size = (int(stats[key]) & 0xFFFFFFFF for key in ("mtime", "size"))
        return MAGIC_NUMBER + bytes(4) + modified.to_bytes(4, "little") + size.to_bytes(4, "little")
