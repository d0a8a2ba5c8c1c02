"""The provider protocol around a fake provider: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .messages import CLASSES, attribute_path, diagnostic, message
from .provider import Answer, Problem, StandIn
from .values import decode, encode

Call = Callable[[bytes], bytes]


def methods(stand_in: StandIn) -> dict[str, Call]:
    """Return the calls of ``tfplugin6.Provider`` that a fake provider answers, by name."""
    calls = {
        "GetMetadata": lambda _request: _metadata(stand_in),
        "ValidateProviderConfig": lambda _request: message("ValidateProviderConfig.Response"),
        "ValidateResourceConfig": lambda request: _validate(stand_in, request),
        "ValidateDataResourceConfig": lambda _request: message("Diagnostics.Response"),
        "ValidateEphemeralResourceConfig": lambda _request: message("Diagnostics.Response"),
        "ConfigureProvider": lambda request: _configure(stand_in, request),
        "UpgradeResourceState": _upgrade,
        "ReadResource": lambda request: _read(stand_in, request),
        "PlanResourceChange": lambda request: _plan(stand_in, request),
        "ApplyResourceChange": lambda request: _apply(stand_in, request),
        "ImportResourceState": lambda request: _import(stand_in, request),
        "ReadDataSource": lambda request: _read_data(stand_in, request),
        "OpenEphemeralResource": lambda request: _open(stand_in, request),
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
    return {**found, "GetProviderSchema": lambda _request: stand_in.schema_response()}


def _serialized(request_class: Any, call: Callable[[Any], Any]) -> Call:
    return lambda content: bytes(call(request_class.FromString(content)).SerializeToString())


def _value(state: Any) -> Any:
    return message("DynamicValue", msgpack=encode(state))


def _diagnostics(problems: list[Problem]) -> list[Any]:
    # A path through blocks cannot be named without their positions, so only the outermost step is given.
    return [diagnostic(text, path=(path.split(".")[0],) if path else ()) for path, text in problems]


def _metadata(stand_in: StandIn) -> Any:
    def named(kind: str) -> list[Any]:
        return [message("TypeName", type_name=name) for name in stand_in.types(kind)]

    answer = message(
        "GetMetadata.Response",
        data_sources=named("data"),
        resources=named("resource"),
        ephemeral_resources=named("ephemeral"),
    )
    answer.server_capabilities.get_provider_schema_optional = True
    return answer


def _validate(stand_in: StandIn, request: Any) -> Any:
    problems = stand_in.validate(request.type_name, decode(request.config.msgpack))
    return message("Diagnostics.Response", diagnostics=_diagnostics(problems))


def _configure(stand_in: StandIn, request: Any) -> Any:
    stand_in.configure(decode(request.config.msgpack) or {})
    return message("Diagnostics.Response")


def _upgrade(request: Any) -> Any:
    return message("UpgradeResourceState.Response", upgraded_state=message("DynamicValue", json=request.raw_state.json))


def _read(stand_in: StandIn, request: Any) -> Any:
    answer = stand_in.read(request.type_name, decode(request.current_state.msgpack))
    return message("ReadResource.Response", new_state=_value(answer.state), diagnostics=_diagnostics(answer.problems))


def _plan(stand_in: StandIn, request: Any) -> Any:
    answer = stand_in.plan(
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


def _apply(stand_in: StandIn, request: Any) -> Any:
    answer: Answer = stand_in.apply(
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


def _import(stand_in: StandIn, request: Any) -> Any:
    answer = stand_in.import_state(request.type_name, request.id)
    imported = (
        []
        if answer.problems
        else [message("ImportedResource", type_name=request.type_name, state=_value(answer.state))]
    )
    return message(
        "ImportResourceState.Response", imported_resources=imported, diagnostics=_diagnostics(answer.problems)
    )


def _read_data(stand_in: StandIn, request: Any) -> Any:
    answer = stand_in.read_data(request.type_name, decode(request.config.msgpack))
    return message("ReadDataSource.Response", state=_value(answer.state), diagnostics=_diagnostics(answer.problems))


def _open(stand_in: StandIn, request: Any) -> Any:
    answer = stand_in.open(request.type_name, decode(request.config.msgpack))
    found = message("OpenEphemeralResource.Response", diagnostics=_diagnostics(answer.problems))
    if not answer.problems:
        found.result.CopyFrom(_value(answer.state))
    return found
