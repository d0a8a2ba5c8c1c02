"""Finds the metrics that a PromQL expression asks for."""

import re

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_MATCHERS = re.compile(r"\{[^{}]*\}")
_RANGES = re.compile(r"\[[^\]]*\]")
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)(?P<call>\s*\()?")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan", "by", "on"})


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics in `expression`: identifiers that are neither functions, labels nor keywords."""
    for pattern in (_STRINGS, _MATCHERS, _RANGES, _LABELS):
        expression = pattern.sub(" ", expression)
    return {
        match[1]
        for match in _NAME.finditer(expression)
        if not match["call"] and match[1].lower() not in _WORDS and not match[1].isdigit()
    }
