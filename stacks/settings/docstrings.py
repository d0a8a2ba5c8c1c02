"""What each setting means: the text below its field.

pydantic reads these texts while it builds a model, which is half of what importing the settings takes. Only errors and
the documentation need them, so they are read then.
"""

import ast
import functools
import inspect
import itertools
import sys

from .types import Model


def meanings(model: type[Model]) -> dict[str, str]:
    """Return the text below each field of `model`, those that it inherits included, by the field's name."""
    found: dict[str, str] = {}
    for ancestor in reversed(model.__mro__):
        if issubclass(ancestor, Model):
            found |= _classes(ancestor.__module__).get(ancestor.__qualname__, {})
    return found


@functools.cache
def _classes(module: str) -> dict[str, dict[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: _texts(node.body) for node in tree.body if isinstance(node, ast.ClassDef)}


def _texts(body: list[ast.stmt]) -> dict[str, str]:
    texts = {}
    for field, below in itertools.pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                texts[name] = inspect.cleandoc(text)
    return texts
