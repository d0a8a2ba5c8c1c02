"""The JSON schema and the reference say what the models say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stacks.settings import Settings
from stacks.settings.docstrings import meanings
from stacks.settings.file import yaml_source
from stacks.settings.file.explain import model_at
from stacks.settings.generated.reference import REFERENCE_FILE, reference
from stacks.settings.generated.schema import SCHEMA_FILE, schema, schema_text
from stacks.settings.types import PATTERN_MEANINGS, Model

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests" / "environments"
SOUND = [*(ROOT / "environments").glob("*.yaml"), *FILES.glob("valid.*.yaml")]
WRONG_FIELDS = sorted(FILES.glob("error.fields.*.yaml"))


def models(model: type[Model] = Settings, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str, type[Model]]]:
    """Yield every model of the settings with its dotted key."""
    yield ".".join(map(str, above)), model
    for name in model.model_fields:
        places = [(*above, name), (*above, name, "name"), (*above, name, 0)]
        inner = next((place for place in places if model_at(place)), None)
        if inner and (found := model_at(inner)):
            yield from models(found, inner)


@pytest.mark.parametrize(("key", "model"), [*models()], ids=lambda value: value if isinstance(value, str) else "")
def test_every_section_and_every_key_says_what_it_means(key: str, model: type[Model]) -> None:
    assert model.__doc__, key
    assert [name for name in model.model_fields if not meanings(model).get(name)] == []


def test_every_pattern_is_explained_in_words() -> None:
    patterns = set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', schema_text()))
    cidr = r"^\d+\.\d+\.\d+\.\d+/\d+$"
    assert {json.loads(pattern) for pattern in patterns} - {cidr} <= PATTERN_MEANINGS.keys()


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text("utf-8") == schema_text(), "run: llmctl env schema --write"


def test_the_committed_reference_is_current() -> None:
    assert REFERENCE_FILE.read_text("utf-8") == reference(), "run: llmctl env docs --write"


def test_the_reference_names_every_key() -> None:
    text = reference()
    for _, model in models():
        for name in model.model_fields:
            assert f"| `{name}` |" in text


def data(path: Path) -> dict[str, Any]:
    return yaml_source.read(path.read_text("utf-8"), path.name).data


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_editors_accept_what_the_platform_accepts(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(data(path))


@pytest.mark.parametrize("path", WRONG_FIELDS, ids=lambda path: path.stem)
def test_editors_mark_wrong_fields(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    # Host bits and repeated entries are beyond what a schema says.
    beyond = {"error.fields.host_bits", "error.fields.zone_twice"}
    assert validator.is_valid(data(path)) == (path.stem in beyond)


@pytest.mark.parametrize("path", sorted((ROOT / "environments").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_environments_name_the_schema(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=schema.json\n")
