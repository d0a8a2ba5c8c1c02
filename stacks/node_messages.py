"""Everyday messages to jsii's program, written and judged without the general converters of the published client."""

import json
from typing import Any

import attr
from jsii._kernel import types
from jsii._kernel.providers import process
from jsii.errors import ErrorType, JavaScriptError, JSIIError

EVERYDAY: dict[type, tuple[str, tuple[str, ...]]] = {
    types.LoadRequest: ("load", ("name", "version", "tarball")),
    types.CreateRequest: ("create", ("fqn", "args", "interfaces")),
    types.GetRequest: ("get", ("objref", "property")),
    types.StaticGetRequest: ("sget", ("fqn", "property")),
    types.InvokeRequest: ("invoke", ("objref", "method", "args")),
    types.StaticInvokeRequest: ("sinvoke", ("fqn", "method", "args")),
}
"""Name and fields of the requests that are written here; all others take the published way."""
_LEFT_OUT = {"overrides"}
"""Of a new object: one that has any takes the published way."""


def are_as_expected() -> bool:
    """Tell whether the requests of the installed jsii have just the fields that are written here."""
    return all({field.name for field in attr.fields(kind)} - _LEFT_OUT == set(EVERYDAY[kind][1]) for kind in EVERYDAY)


def is_everyday(request: Any) -> bool:
    """Tell whether the request is written here."""
    return type(request) in EVERYDAY and not (isinstance(request, types.CreateRequest) and request.overrides)


def line_of(request: Any) -> bytes:
    """Return an everyday request as the line that the program reads. Raises TypeError for what it cannot hold."""
    api, fields = EVERYDAY[type(request)]
    message = {field: getattr(request, field) for field in fields}
    if "objref" in message:
        message["objref"] = process._unstructure_ref(message["objref"])  # type: ignore[no-untyped-call]
    return json.dumps(message | {"api": api}, default=process.jdefault).encode() + b"\n"


def refusal(answer: dict[str, Any], note: str = "") -> Exception:
    """Return the error that the program answered with, as the published client raises it; `note` goes to its cause."""
    kind = JSIIError if answer.get("name") == ErrorType.JSII_FAULT.value else RuntimeError
    error = kind(answer["error"])
    error.__cause__ = JavaScriptError(answer.get("stack", ""))  # type: ignore[no-untyped-call]
    if note:
        error.__cause__.add_note(note)
    return error
