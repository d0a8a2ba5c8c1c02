"""Says in words what pydantic found: which key, what it must be, and what was probably meant."""

import re
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic_core import ErrorDetails

from ..cloud_models import CloudEngine
from ..docstrings import meanings
from ..environment import Settings
from ..types import PATTERN_MEANINGS, Model
from .errors import ABSENT, Key, dotted, one_line

_SECRET_KEY = re.compile(r"passwor|secret|token|credential|api_?key|private_?key", re.IGNORECASE)
_BOUNDS = {"greater_than_equal": ("≥", "ge"), "greater_than": (">", "gt"), "less_than_equal": ("≤", "le")}
_KINDS = {
    "string_too_short": "must not be empty",
    "string_type": 'must be text; put it in quotes, such as "{value}"',
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "bool_type": "must be true or false, without quotes",
    "dict_type": "must hold keys and values",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "finite_number": "must be a finite number",
}


def names_a_secret(key: Key) -> bool:
    """Tell whether `key` looks like that of a secret, whose value must not be repeated anywhere."""
    return any(isinstance(part, str) and _SECRET_KEY.search(part) for part in key[-1:])


def explain(error: ErrorDetails) -> tuple[Key, object, str]:
    """Return the key, its value (`ABSENT` when there is none to show) and what to write instead."""
    key: Key = tuple(error["loc"])
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if key and key[-1] == "[key]":
        # pydantic points at a key of a mapping; people look for the mapping and read the name in the message.
        return key[:-1], ABSENT, f"is a name that must be {_meaning(context)}"
    if kind == "missing":
        return key, ABSENT, _missing(key)
    if kind == "extra_forbidden":
        return key, ABSENT, _unknown(key)
    return key, value, _wrong(kind, context, value, error["msg"])


def _wrong(kind: str, context: dict[str, Any], value: object, otherwise: str) -> str:
    if kind in _BOUNDS:
        sign, name = _BOUNDS[kind]
        return f"must be {sign} {context[name]}"
    if kind == "string_pattern_mismatch":
        return f"must be {_meaning(context)}"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind in {"enum", "literal_error"}:
        elsewhere = "; models outside the network are listed in cloud_models" if value in list(CloudEngine) else ""
        return _choices(str(context["expected"]), value) + elsewhere
    if kind in _KINDS:
        return _KINDS[kind].format(value=one_line(str(value), 30))
    return one_line(otherwise[:1].lower() + otherwise[1:], 200)


def _meaning(context: dict[str, Any]) -> str:
    if "pattern" in context:
        return PATTERN_MEANINGS.get(context["pattern"], f"of the form {context['pattern']}")
    return str(context.get("expected", "one that is known"))


def _choices(expected: str, value: object) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    if not choices:
        return f"must be one of {expected}"
    near = get_close_matches(str(value).lower(), [choice.lower() for choice in choices], n=1)
    meant = next((choice for choice in choices if near and choice.lower() == near[0]), None)
    quotes = "; put it in quotes" if not isinstance(value, str) and str(value) in choices else ""
    suggestion = f"; did you mean {meant}?" if meant and not quotes else ""
    return f"must be {'one of ' if len(choices) > 1 else ''}{', '.join(choices)}{quotes}{suggestion}"


def _missing(key: Key) -> str:
    model = model_at(key[:-1])
    meaning = meanings(model).get(str(key[-1]), "").split("\n")[0] if model else ""
    return f"is required: {meaning}" if meaning else "is required"


def _unknown(key: Key) -> str:
    name, model = str(key[-1]), model_at(key[:-1])
    fields = list(model.model_fields) if model else []
    near = get_close_matches(name, fields, n=1, cutoff=0.7)
    elsewhere = [dotted(place) for place in _places_of(name)]
    if near:
        return f"is no known key; did you mean {near[0]}?"
    if names_a_secret(key):
        return "is no known key, and secrets never stand in this file: they live in the vault; remove it"
    if elsewhere:
        return f"is no known key here; it belongs to {' or '.join(elsewhere[:3])}"
    return f"is no known key; known are {', '.join(fields)}" if fields else "is no known key"


def model_at(key: Key) -> type[Model] | None:
    """Return the model of the mapping that stands at `key`, None where there is none."""
    annotation: Any = Settings
    for part in key:
        model = _model_in(annotation)
        if model is not None and isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
        elif model is None and (items := _items_of(annotation)) is not None:
            annotation = items
        else:
            return None
    return _model_in(annotation)


def _places_of(name: str, model: type[Model] = Settings, above: Key = ()) -> list[Key]:
    places = []
    for field, info in model.model_fields.items():
        if field == name and above:
            places.append((*above, field))
        if inner := _model_in(info.annotation):
            places += _places_of(name, inner, (*above, field))
    return places


def _model_in(annotation: Any) -> type[Model] | None:
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, Model):
            return option
    return None


def _items_of(annotation: Any) -> Any:
    for option in _options(annotation):
        match get_origin(option), get_args(option):
            case (origin, (_, items)) if origin is dict:
                return items
            case (origin, (items, *_)) if origin is tuple:
                return items
    return None


def _options(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return [option for argument in get_args(annotation) for option in _options(argument)]
    return [annotation]
