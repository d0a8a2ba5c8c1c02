"""Keeps secrets out of everything that is shown of a plan."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MASK = "(sensitive)"

_SECRET_KEY = re.compile(
    r"(?:password|passwd|passphrase|token|credentials?|api_?key|access_?key|account_?key|private_?key"
    r"|client_?secret|secret_?key|connection_?string|sas_?url)$",
    re.IGNORECASE,
)
"""Keys whose text is masked although no provider declares it sensitive, such as in the values of a chart."""

_IN_TEXT = (
    (re.compile(r"""(?<=://)[^/\s:@]*:[^/\s"'<>]+(?=@)"""), MASK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"\b(?:Bearer|Basic) [A-Za-z0-9+/._~=-]{16,}"), MASK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), MASK),
)
"""What is a secret wherever it stands: logins in addresses, private keys, tokens."""

_SHORTEST = 6
"""Characters; anything shorter is found in texts that have nothing to do with it."""


@dataclass(frozen=True)
class Masks:
    """What is secret in a plan, or in several, wherever it shows up.

    Terraform marks a value where it stands, and loses the mark when a value comes back from a state through an
    attribute that the provider does not declare sensitive, or through another stack's outputs. What is marked
    anywhere is therefore masked everywhere.
    """

    secrets: frozenset[str] = field(default_factory=frozenset)

    def __or__(self, other: "Masks") -> "Masks":
        return Masks(self.secrets | other.secrets)

    def text(self, text: str) -> str:
        """Return a text without the secrets in it."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        for pattern, replacement in _IN_TEXT:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any, mark: Any = False, key: str = "") -> Any:
        """Return a value without secrets: those that `mark` marks, as Terraform does, and those known otherwise.

        `key` is the key that holds the value.
        """
        if mark is True:
            return MASK
        if isinstance(value, dict):
            return {name: self.value(item, child(mark, name), str(name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, child(mark, index), key) for index, item in enumerate(value)]
        if isinstance(value, str):
            return MASK if value and is_secret_key(key) else self.text(value)
        return value


def is_secret_key(key: str) -> bool:
    """Tell whether the text under a key is masked because of the key's name."""
    return bool(_SECRET_KEY.search(key))


def child(mark: Any, key: str | int) -> Any:
    """Return the part of a mark (a bool, or the shape of the value) that belongs to one key or index."""
    if isinstance(mark, bool):
        return mark
    if isinstance(mark, dict):
        return mark.get(key, False)
    if isinstance(mark, list) and isinstance(key, int) and key < len(mark):
        return mark[key]
    return False


def masks_of(document: Mapping[str, Any]) -> Masks:
    """Return what is secret in a plan's JSON form."""
    found: set[str] = set()
    for change in _changes(document):
        for side in ("before", "after"):
            found.update(_marked(change.get(side), change.get(f"{side}_sensitive", False)))
    found.update(_marked_resources(document.get("prior_state", {}).get("values", {}).get("root_module", {})))
    for variable in _sensitive_variables(document):
        found.update(_texts(variable))
    return Masks(frozenset(text for text in found if len(text) >= _SHORTEST))


def _changes(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in (*document.get("resource_changes", []), *document.get("resource_drift", [])):
        yield resource["change"]
    yield from document.get("output_changes", {}).values()


def _marked_resources(module: dict[str, Any]) -> Iterator[str]:
    for resource in module.get("resources", []):
        yield from _marked(resource.get("values"), resource.get("sensitive_values", False))
    for inner in module.get("child_modules", []):
        yield from _marked_resources(inner)


def _sensitive_variables(document: Mapping[str, Any]) -> Iterator[Any]:
    declared = document.get("configuration", {}).get("root_module", {}).get("variables", {})
    for name, variable in document.get("variables", {}).items():
        if declared.get(name, {}).get("sensitive"):
            yield variable.get("value")


def _marked(value: Any, mark: Any) -> Iterator[str]:
    if mark is True:
        yield from _texts(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _marked(item, child(mark, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _marked(item, child(mark, index))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
        # A secret in several lines also shows up line by line.
        yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= 2 * _SHORTEST)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
