"""The random provider: its passwords are really random, as they are with the real one."""

from __future__ import annotations

import secrets
from typing import Any

from .computed import guid
from .passwords import password
from .service import Facts, Service

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
