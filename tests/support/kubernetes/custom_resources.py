"""Compares custom resources with their definitions, as a server that prunes and validates would."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Schemas = dict[tuple[str, str], dict[str, Any]]
"""Schema by `apiVersion` and kind."""

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


def schemas(folder: Path) -> Schemas:
    """Read the definitions below `folder`."""
    # A default in the one left out is a lone "=", which the reader refuses.
    files = [file for file in sorted(folder.rglob("crd-*.yaml")) if file.stem != "crd-alertmanagerconfigs"]
    definitions = [YAML(typ="safe").load(file) for file in files]
    return {
        (f"{each['spec']['group']}/{version['name']}", each["spec"]["names"]["kind"]): version["schema"][
            "openAPIV3Schema"
        ]
        for each in definitions
        for version in each["spec"]["versions"]
    }


def faults(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yield what in `value` a server would refuse, or drop because the definition does not know it."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, (int, str)):
            yield f"{path}: {value!r} is neither number nor text"
        return
    expected = _TYPES[schema["type"]]
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from _object(value, schema, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], f"{path}[{index}]")
    elif isinstance(value, str):
        if "enum" in schema and value not in schema["enum"]:
            yield f"{path}: {value!r} is none of {schema['enum']}"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: {value!r} does not match {schema['pattern']}"


def _object(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{path}.{key} is missing"
    for key, item in value.items():
        if key in properties:
            yield from faults(item, properties[key], f"{path}.{key}")
        elif isinstance(others, dict):
            yield from faults(item, others, f"{path}.{key}")
        elif properties:
            yield f"{path}.{key} is unknown"
