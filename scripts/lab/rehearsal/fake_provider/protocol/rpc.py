"""The provider protocol around a fake provider: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..provider import Answer, FakeProvider, Problem
from .messages import CLASSES, attribute_path, diagnostic, message
from .values import decode, encode

Call = Callable[[bytes], bytes]


def methods(provider: FakeProvider) -> dict[str, Call]:
    """Return the calls of ``tfplugin6.Provider`` that a fake provider answers, by name."""
    calls = {
        "GetMetadata": lambda _request: _metadata(provider),
        "ValidateProviderConfig": lambda _request: message("ValidateProviderConfig.Response"),
        "ValidateResourceConfig": lambda request: _validate(provider, request),
        "ValidateDataResourceConfig": lambda _request: message("Diagnostics.Response"),
        "ValidateEphemeralResourceConfig": lambda _request: message("Diagnostics.Response"),
        "ConfigureProvider": lambda request: _configure(provider, request),
        "UpgradeResourceState": _upgrade,
        "ReadResource": lambda request: _read(provider, request),
        "PlanResourceChange": lambda request: _plan(provider, request),
        "ApplyResourceChange": lambda request: _apply(provider, request),
        "ImportResourceState": lambda request: _import(provider, request),
        "ReadDataSource": lambda request: _read_data(provider, request),
        "OpenEphemeralResource": lambda request: _open(provider, request),
        "RenewEphemeralResource": lambda _request: message("Diagnostics.Response"),
        "CloseEphemeralResource": lambda _request: message("Diagnostics.Response"),
        "StopProvider": lambda _request: message("StopProvider.Response"),
    }
    requests = {
        "ValidateResourceConfig": "Config.Request",
        "ReadDataSource": "Config.Request",
        "OpenEphemeralResource": "Config.Request",
    }
    found = {
        name: _serialized(CLASSES.get(requests.get(name, f"{name}.Request"), CLASSES["Empty"]), call)
        for name, call in calls.items()
    }
    return {**found, "GetProviderSchema": lambda _request: provider.schema_response()}


def _serialized(request_class: Any, call: Callable[[Any], Any]) -> Call:
    return lambda content: bytes(call(request_class.FromString(content)).SerializeToString())


def _value(state: Any) -> Any:
    return message("DynamicValue", msgpack=encode(state))


def _diagnostics(problems: list[Problem]) -> list[Any]:
    # A path through blocks cannot be named without their positions, so only the outermost step is given.
    return [diagnostic(text, path=(path.split(".")[0],) if path else ()) for path, text in problems]


def _metadata(provider: FakeProvider) -> Any:
    def named(kind: str) -> list[Any]:
        return [message("TypeName", type_name=name) for name in provider.types(kind)]

    answer = message(
        "GetMetadata.Response",
        data_sources=named("data"),
        resources=named("resource"),
        ephemeral_resources=named("ephemeral"),
    )
    answer.server_capabilities.get_provider_schema_optional = True
    return answer


def _validate(provider: FakeProvider, request: Any) -> Any:
    problems = provider.validate(request.type_name, decode(request.config.msgpack))
    return message("Diagnostics.Response", diagnostics=_diagnostics(problems))


def _configure(provider: FakeProvider, request: Any) -> Any:
    provider.configure(decode(request.config.msgpack) or {})
    return message("Diagnostics.Response")


def _upgrade(request: Any) -> Any:
    return message("UpgradeResourceState.Response", upgraded_state=message("DynamicValue", json=request.raw_state.json))


def _read(provider: FakeProvider, request: Any) -> Any:
    answer = provider.read(request.type_name, decode(request.current_state.msgpack))
    return message("ReadResource.Response", new_state=_value(answer.state), diagnostics=_diagnostics(answer.problems))


def _plan(provider: FakeProvider, request: Any) -> Any:
    answer = provider.plan(
        request.type_name,
        decode(request.prior_state.msgpack),
        decode(request.proposed_new_state.msgpack),
        decode(request.config.msgpack),
    )
    return message(
        "PlanResourceChange.Response",
        planned_state=_value(answer.state),
        requires_replace=[attribute_path(_position(path)) for path in answer.replaced_by],
        diagnostics=_diagnostics(answer.problems),
        legacy_type_system=answer.legacy,
    )


def _position(path: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    for step in path.split("."):
        steps += [0, step] if steps else [step]  # every block on the way is a list of one
    return tuple(steps)


def _apply(provider: FakeProvider, request: Any) -> Any:
    answer: Answer = provider.apply(
        request.type_name,
        decode(request.prior_state.msgpack),
        decode(request.planned_state.msgpack),
        decode(request.config.msgpack),
    )
    return message(
        "ApplyResourceChange.Response",
        new_state=_value(answer.state),
        diagnostics=_diagnostics(answer.problems),
        legacy_type_system=answer.legacy,
    )


def _import(provider: FakeProvider, request: Any) -> Any:
    answer = provider.import_state(request.type_name, request.id)
    imported = (
        []
        if answer.problems
        else [message("ImportedResource", type_name=request.type_name, state=_value(answer.state))]
    )
    return message(
        "ImportResourceState.Response", imported_resources=imported, diagnostics=_diagnostics(answer.problems)
    )


def _read_data(provider: FakeProvider, request: Any) -> Any:
    answer = provider.read_data(request.type_name, decode(request.config.msgpack))
    return message("ReadDataSource.Response", state=_value(answer.state), diagnostics=_diagnostics(answer.problems))


def _open(provider: FakeProvider, request: Any) -> Any:
    answer = provider.open(request.type_name, decode(request.config.msgpack))
    found = message("OpenEphemeralResource.Response", diagnostics=_diagnostics(answer.problems))
    if not answer.problems:
        found.result.CopyFrom(_value(answer.state))
    return found
