"""The JSON schema of environment files, by which editors complete and check them.

`python -m stacks.settings.generated.schema` writes it beside the environments.
"""

import json
from pathlib import Path
from typing import Any

from ..docstrings import meanings
from ..environment import Settings
from ..file.loading import ENVIRONMENTS
from ..one_way.marks import OneWay
from ..private_access import Exposure
from ..types import PATTERN_MEANINGS, Model

SCHEMA_FILE = ENVIRONMENTS / "schema.json"


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of an environment file."""
    generated = Settings.model_json_schema()
    generated = {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated}
    generated["title"] = "Environment of the LLM platform"
    generated |= _documented(Settings, generated)
    _let_private_ones_leave_out(generated)
    models = _models()
    for name, section in generated["$defs"].items():
        section.pop("title", None)
        if name in models:
            section.update(_documented(models[name], section))
    return generated


def _let_private_ones_leave_out(generated: dict[str, Any]) -> None:
    """Require `domain` and `ingress` where the exposure is public alone (`file.loading`)."""
    public = ["domain", "ingress"]
    generated["required"] = [name for name in generated["required"] if name not in public]
    private = {"properties": {"exposure": {"const": Exposure.PRIVATE.value}}, "required": ["exposure"]}
    generated |= {"if": private, "else": {"required": public}}


def _documented(model: type[Model], section: dict[str, Any]) -> dict[str, Any]:
    texts = {name: _with_mark(text, model.model_fields[name].metadata) for name, text in meanings(model).items()}
    fields = {name: {**field, "description": texts[name]} for name, field in section["properties"].items()}
    return {"properties": {name: _plain(dict(sorted(field.items()))) for name, field in fields.items()}}


def _with_mark(text: str, metadata: list[Any]) -> str:
    """Return the meaning of a field with what it says of a value that cannot go back."""
    return " ".join([text, *(mark.says for mark in metadata if isinstance(mark, OneWay))])


def _models() -> dict[str, type[Model]]:
    found: list[type[Model]] = [Model]
    for model in found:
        found += model.__subclasses__()
    return {model.__name__: model for model in found}


def _plain(node: Any) -> Any:
    """Return a field's schema without machine-made titles and whole sections as defaults, patterns explained."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _plain(value)
        for key, value in node.items()
        if key != "title" and not (key == "default" and isinstance(value, dict) and value)
    }
    if "patternProperties" in plain:
        # pydantic leaves other names open here, although the models do not.
        plain["additionalProperties"] = False
    if plain.get("pattern") in PATTERN_MEANINGS:
        # Shown by editors instead of the regular expression.
        plain["patternErrorMessage"] = f"must be {PATTERN_MEANINGS[plain['pattern']]}"
    return plain


def schema_text() -> str:
    """Return the schema as it stands in its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def write_schema(path: Path = SCHEMA_FILE) -> bool:
    """Write the schema to `path`; tell whether that changed the file."""
    text = schema_text()
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    path.write_text(text, "utf-8")
    return True


if __name__ == "__main__":
    write_schema()
