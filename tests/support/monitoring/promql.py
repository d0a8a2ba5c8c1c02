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


_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\{([^{}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_REPLACED = re.compile(
    r'label_replace\(.*?,\s*"(?P<target>\w+)",\s*"[^"]*",\s*"(?P<source>\w+)",\s*"(?:[^"\\]|\\.)*"\s*\)', re.DOTALL
)


def matched_labels(expression: str) -> set[tuple[str, str]]:
    """Return metric and label of every matcher in `expression`."""
    return {
        (selector[1], label)
        for selector in _SELECTOR.finditer(expression)
        for label in _MATCHER.findall(_STRINGS.sub('""', selector[2]))
    }


def grouped_labels(expression: str) -> set[str]:
    """Return the labels that `expression` groups, joins or replaces by, without those that it makes itself."""
    made = {found["target"] for found in _REPLACED.finditer(expression)}
    used = {found["source"] for found in _REPLACED.finditer(expression)}
    for found in _GROUPING.finditer(_STRINGS.sub('""', expression)):
        used |= {label.strip() for label in found[1].split(",") if label.strip()}
    return used - made


def made_labels(expression: str) -> set[str]:
    """Return the labels that `expression` gives its results by `label_replace`."""
    return {found["target"] for found in _REPLACED.finditer(expression)}
