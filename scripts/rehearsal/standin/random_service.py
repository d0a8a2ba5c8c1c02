"""The random provider: its passwords are really random, as they are with the real one."""

from __future__ import annotations

import secrets
import string
from typing import Any

from scripts.rehearsal.standin.computed import guid
from scripts.rehearsal.standin.service import Facts, RefusedError, Service

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "numeric": string.digits,
    "special": _SPECIAL,
}
_HEX_BYTES = 8


class RandomService(Service):
    """Random values; those in resources stay in the state and nowhere else."""

    def made_up(self, type_name: str, facts: Facts, seed: str) -> dict[str, Any]:
        """Return the generated values of one resource."""
        if type_name in {"random_password", "random_string"}:
            result = password(facts)
            return {"result": result, "id": "none" if type_name == "random_password" else result}
        if type_name == "random_id":
            content = secrets.token_hex(int(facts.get("byte_length") or _HEX_BYTES))
            return {"hex": content, "id": content, "dec": str(int(content, 16))}
        if type_name == "random_integer":
            low, high = int(facts["min"]), int(facts["max"])
            number = low + secrets.randbelow(high - low + 1)
            return {"result": number, "id": str(number)}
        return {"result": guid(seed), "id": guid(seed)}


def password(facts: Facts) -> str:
    """Return a random password by random_password's arguments.

    Raises RefusedError where they cannot be met, in the provider's words.
    """
    allowed = {name: letters for name, letters in _CLASSES.items() if facts.get(name) is not False}
    if facts.get("override_special") and "special" in allowed:
        allowed["special"] = str(facts["override_special"])
    wanted = {name: int(facts.get(f"min_{name}") or 0) for name in _CLASSES}
    length = int(facts["length"])
    if length < 1:
        raise RefusedError(f"Attribute length value must be at least 1, got: {length}")
    if length < sum(wanted.values()):
        raise RefusedError(
            f"Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special, got: {length}"
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
