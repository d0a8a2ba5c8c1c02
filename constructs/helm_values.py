"""Helm values as JSON text, in which Terraform fills in what only it knows."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cdktf import Fn

from .terraform_literal import terraform_literal

_MARK = "{TfToken["
"""In every text of cdktf that stands for a value: alone or within it, as a list's only item, as a mapping's key."""
_NUMBER_TOKENS_BELOW = -1e280
"""cdktf hides the number of a token in the last digits of about -1.888e289."""
_UNSAFE = ('"', "\\", "%{")


def values_text(values: object, key: str = "values") -> str:
    """Return `values` as JSON whose tokens Terraform encodes; `key` is what errors call it.

    Raises ValueError for text that holds a token beside something that cdktf 0.21 writes wrongly inside `jsonencode`:
    it escapes neither quotes nor backslashes there, and Terraform evaluates `%{`.
    """
    if _is_token(values):
        _check(values, key)
        encoded: str = Fn.jsonencode(values)
        return encoded
    if isinstance(values, Mapping):
        items = ((_literal(str(name)), values_text(value, f"{key}.{name}")) for name, value in sorted(values.items()))
        return "{" + ",".join(f"{name}:{value}" for name, value in items) + "}"
    if isinstance(values, Sequence) and not isinstance(values, str):
        return "[" + ",".join(values_text(value, f"{key}[{index}]") for index, value in enumerate(values)) + "]"
    return _literal(values)


def _literal(value: object) -> str:
    return terraform_literal(json.dumps(value, ensure_ascii=False))


def _is_token(value: object) -> bool:
    match value:
        case str():
            return _MARK in value
        case float():
            return value < _NUMBER_TOKENS_BELOW
        case Mapping():
            return any(isinstance(name, str) and _is_token(name) for name in value)
        case [str() as only]:
            return only.startswith(f"#{_MARK}")
        case None | bool() | int() | Sequence():
            return False
    return True


def _check(value: Any, key: str) -> None:
    for unsafe in _UNSAFE:
        if isinstance(value, str) and unsafe in value:
            raise ValueError(
                f"{key}: {value!r} contains {unsafe}, which Terraform would misread beside a token; "
                "write it in the release's values file"
            )
