"""How a stack's outputs are written to its state and read from another stack: the only place that knows.

A stack's outputs are a frozen dataclass (`stacks.common.outputs`). Each field becomes the Terraform output of the same
name; a reader gets the same dataclass, filled with tokens of the same types.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, get_type_hints

from cdktf import TerraformOutput, TerraformRemoteState, TerraformStack, Token

Outputs_co = TypeVar("Outputs_co", covariant=True)
Outputs = TypeVar("Outputs")


class Producer(Protocol[Outputs_co]):
    """A stack whose outputs others may read."""

    @property
    def outputs(self) -> Outputs_co:
        """The outputs, as the stack itself sees them."""
        ...


_READERS: dict[Any, Callable[[TerraformRemoteState, str], Any]] = {
    str: lambda state, name: state.get_string(name),
    int: lambda state, name: state.get_number(name),
    bool: lambda state, name: state.get_boolean(name),
    list[str]: lambda state, name: state.get_list(name),
    dict[str, str]: lambda state, name: Token.as_string_map(state.get(name)),
    dict[str, int]: lambda state, name: Token.as_number_map(state.get(name)),
}


def publish(stack: TerraformStack, outputs: object) -> None:
    """Write every field of the dataclass instance `outputs` as a Terraform output of `stack`.

    Raises TypeError when a field has a type that could not be read back.
    """
    for name in _shape(type(outputs)):
        TerraformOutput(stack, name, value=getattr(outputs, name))


def read(state: TerraformRemoteState, shape: type[Outputs]) -> Outputs:
    """Return `shape`, each field a token that Terraform resolves from `state`.

    A token is made when its field is first asked for: most never are.
    """
    readers = _shape(shape)

    def make_token(received: object, name: str) -> Any:
        if name not in readers:
            raise AttributeError(f"{shape.__name__!r} object has no attribute {name!r}", name=name, obj=received)
        token = readers[name](state, name)
        object.__setattr__(received, name, token)
        return token

    lazy: type[Outputs] = type(shape.__name__, (shape,), {"__slots__": (), "__getattr__": make_token})
    return object.__new__(lazy)


def _shape(outputs: type) -> dict[str, Callable[[TerraformRemoteState, str], Any]]:
    hints = get_type_hints(outputs)
    fields = dataclasses.fields(cast("Any", outputs))
    for field in fields:
        if hints[field.name] not in _READERS:
            known = ", ".join(str(kind) for kind in _READERS)
            raise TypeError(f"{outputs.__name__}.{field.name}: {hints[field.name]} cannot be wired; use {known}")
    return {field.name: _READERS[hints[field.name]] for field in fields}
