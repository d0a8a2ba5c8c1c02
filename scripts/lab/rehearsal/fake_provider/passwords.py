"""Random passwords by the arguments of ``random_password``."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from .service import RefusedError

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "numeric": string.digits,
    "special": _SPECIAL,
}


def password(facts: Mapping[str, Any]) -> str:
    """Return a random password by random_password's arguments.

    Raises RefusedError where they cannot be met, in the provider's words.
    """
    import secrets  # noqa: PLC0415 - loads OpenSSL, which no other provider needs

    allowed = {name: letters for name, letters in _CLASSES.items() if facts.get(name) is not False}
    if facts.get("override_special") and "special" in allowed:
        allowed["special"] = str(facts["override_special"])
    wanted = {name: int(facts.get(f"min_{name}") or 0) for name in _CLASSES}
    length = int(facts["length"])
    if length < 1:
        raise RefusedError(f"Attribute length value must be at least 1, got: {length}")
    if length < sum(wanted.values()):
        raise RefusedError(
            "Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special,"
            f" got: {length}"
        )
    if not allowed:
        raise RefusedError("At least one of upper, lower, numeric and special must be true")
    letters = [
        secrets.choice(allowed.get(name, _CLASSES[name])) for name, count in wanted.items() for _ in range(count)
    ]
    everything = "".join(allowed.values())
    letters += [secrets.choice(everything) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)
