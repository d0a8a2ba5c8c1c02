"""Values for attributes that a service decides on: plausible, of the right type, and the same on every run."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from .protocol.values import Path
from .templates import fill_template

_NAMESPACE = uuid.UUID("6f7c2f5e-1d0a-4d0e-9d3b-52ee7ea25a1e")
_MOMENT = "2030-01-01T00:00:00Z"
_GUIDS = frozenset({"principal_id", "object_id", "client_id", "application_id", "workspace_id", "uid", "guid"})
_NUMBERS = {"generation": 1, "storage_mb": 32768, "backup_retention_days": 7, "revision": 1}


def guid(seed: str) -> str:
    """Return a made-up GUID that depends on nothing but ``seed``."""
    return str(uuid.uuid5(_NAMESPACE, seed))


def digest(seed: str, length: int = 8) -> str:
    """Return up to 64 made-up hexadecimal digits."""
    return hashlib.sha256(seed.encode()).hexdigest()[:length]


def key(seed: str) -> str:
    """Return base64 text in the place of an access key of 64 bytes."""
    return base64.b64encode(hashlib.sha512(seed.encode()).digest()).decode()


def certificate(seed: str) -> str:
    """Return base64 text in the place of a PEM certificate; it is not a valid one."""
    pem = f"-----BEGIN CERTIFICATE-----\n{key(seed)}\n-----END CERTIFICATE-----\n"
    return base64.b64encode(pem.encode()).decode()


class Computation:
    """Computes the attributes of one object.

    ``facts`` are its known attributes and whatever else templates may use; ``templates`` give values by attribute
    name, each able to use the ones before it; everything else is made from the name and type of the attribute.
    ``seed`` names the object and its life.
    """

    def __init__(self, seed: str, facts: Mapping[str, Any], templates: Mapping[str, str]) -> None:
        self._seed = seed
        self._templates = templates
        self._facts = dict(facts)
        for name, template in templates.items():
            if self._facts.get(name) is None:
                self._facts[name] = fill_template(template, {**self._facts, **self._made(name)})

    def _made(self, where: str) -> dict[str, str]:
        seed = f"{self._seed}/{where}"
        return {"guid": guid(seed), "hex": digest(seed, 32), "word": digest(self._seed), "key": key(seed)}

    def value(self, path: Path, attribute: Mapping[str, Any]) -> Any:
        """Return the value of a computed attribute.

        A collection that could have been configured is empty where nobody did; a purely computed one has an element.
        """
        if attribute.get("optional") and isinstance(attribute["type"], list):
            return {} if attribute["type"][0] == "map" else []
        return self._of_type(path, attribute["type"])

    def _of_type(self, path: Path, kind: Any) -> Any:
        if isinstance(kind, str):
            return self._scalar(path, kind)
        shape, inner = kind
        if shape == "object":
            return {name: self._of_type((*path, name), of) for name, of in inner.items()}
        if shape == "map":
            return {}
        return [self._of_type((*path, 0), inner)]

    def _scalar(self, path: Path, kind: str) -> Any:
        name = str(next(step for step in reversed(path) if isinstance(step, str)))
        if kind == "bool":
            return False
        if kind == "number":
            # A pool that scales starts with its smallest size (azurerm 4.55, kubernetes_nodepool.go:988-992).
            smallest = self._beside(path, "min_count") if name == "node_count" else None
            return smallest or _NUMBERS.get(name, 1 if name.endswith("count") else 0)
        if kind == "dynamic":
            return None
        return self._text(name, path)

    def _beside(self, path: Path, name: str) -> Any:
        """Return the known attribute `name` of the block that `path` lies in, None where there is none."""
        block: Any = self._facts
        for step in path[:-1]:
            try:
                block = block[step]
            except (KeyError, IndexError, TypeError):
                return None
        return block.get(name) if isinstance(block, Mapping) else None

    def _text(self, name: str, path: Path) -> str:
        where = ".".join(map(str, path))
        if name in self._templates:
            return fill_template(self._templates[name], {**self._facts, **self._made(where), "attribute": path[0]})
        if len(path) == 1 and self._facts.get(name) is not None:
            return str(self._facts[name])
        known = self._by_name(name, where)
        return known if known is not None else f"{name.replace('_', '-')}-{digest(f'{self._seed}/{where}')}"

    def _by_name(self, name: str, where: str) -> str | None:
        seed = f"{self._seed}/{where}"
        if name in {"tenant_id", "subscription_id"}:
            return str(self._facts[name.removesuffix("_id")])
        if name in _GUIDS:
            return guid(seed)
        for endings, value in (
            (("ip_address", "ip_addresses", "_ip", "_ips"), _address(seed, private="private" in name)),
            (("certificate", "client_key"), certificate(seed)),
            (("_at", "_date", "_time", "_on"), _MOMENT),
            (("_endpoint", "_url", "_uri"), f"https://{digest(seed)}.rehearsal.invalid/"),
            (("fqdn", "hostname", "_host"), f"{digest(seed)}.rehearsal.invalid"),
            (("_id",), f"{self._facts.get('id', '')}/{name}/{digest(seed)}"),
            (("_key", "_guid"), key(seed) if name.endswith("_key") else guid(seed)),
        ):
            if name.endswith(endings):
                return value
        if name == "id":  # a part of the object, such as a gateway's listener
            return f"{self._facts.get('id', '')}/{where.split('.', maxsplit=1)[0]}/{digest(seed)}"
        return _address(seed, private=True) if name == "ip" else None


def _address(seed: str, *, private: bool) -> str:
    first, second = hashlib.sha256(seed.encode()).digest()[:2]
    # Documentation ranges (RFC 5737); the private one lies outside of anything a platform is given.
    head = "10.255.255" if private else ("203.0.113", "198.51.100")[first % 2]
    return f"{head}.{second % 254 + 1}"
