"""Values that a chart does not read: changing one changes nothing that Helm renders."""

import copy
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.cluster.helm_client import Helm, HelmError

Key = tuple[str, ...]


def dead_values(helm: Helm, chart: str, name: str, namespace: str, layers: list[str]) -> list[str]:
    """Return the paths of all given values that make no difference, in order."""
    values: dict[str, Any] = reduce(_merged, (YAML(typ="safe").load(text) or {} for text in layers), {})
    where = ["--namespace", namespace]

    def rendered(changed: Mapping[str, Any], file: Path) -> str:
        file.write_text(json.dumps(changed))
        try:
            return helm.run("template", name, chart, *where, "--values", str(file))
        except HelmError as error:
            # Whoever refuses a value has read it.
            return str(error)

    usual = rendered(values, helm.folder / f"{name}-usual.json")

    def dead(numbered: tuple[int, Key]) -> bool:
        number, key = numbered
        return rendered(_changed(values, key), helm.folder / f"{name}-{number}.json") == usual

    keys = list(_leaves(values))
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(dead, enumerate(keys)))
    return sorted(".".join(key) for key, verdict in zip(keys, verdicts, strict=True) if verdict)


def _leaves(value: Any, path: Key = ()) -> Iterator[Key]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif path and value not in ("", None, [], {}):
        # What is empty is a way not taken, such as a size where a claim is named.
        yield path


def _changed(values: Mapping[str, Any], key: Key) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(dict(values))
    *way, last = key
    inner = found
    for step in way:
        inner = inner[step]
    inner[last] = _other(inner[last])
    return found


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return value[:-1] if value else ["changed"]
    if isinstance(value, dict):
        return {"changed": "changed"}
    return f"{value or ''}changed"


def _merged(under: Any, over: Any) -> Any:
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: _merged(under.get(key), value) for key, value in over.items()}
