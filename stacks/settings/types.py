"""The base model and the constrained types that every settings model is built from."""

from ipaddress import IPv4Network
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

T = TypeVar("T")


class Model(BaseModel):
    """Immutable settings that refuse unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True
    )


def _network(value: object) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str) or "/" not in value:
        raise ValueError("must be an IPv4 range in CIDR form such as 10.40.0.0/16")
    try:
        return IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"must be an IPv4 range whose host bits are zero ({error})") from None


def _no_duplicates(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) != len(values):
        raise ValueError("must not list the same entry twice")
    return values


Cidr = Annotated[
    IPv4Network,
    BeforeValidator(_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d+\.\d+\.\d+/\d+$"}),
]
"""An IPv4 range in CIDR form, host bits zero."""

Guid = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", to_lower=True)
]
"""An Azure subscription, tenant or Entra object id."""

DnsName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$",
        max_length=200,
    ),
]
"""A lower-case DNS name with at least one dot."""

EmailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", max_length=254)]

ShortName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,7}$")]
"""2 to 8 lower-case letters and digits: short enough for every Azure name that is made of it."""

PoolName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,11}$")]
"""A Linux AKS node pool's name: at most 12 lower-case letters and digits."""

VmSize = Annotated[str, StringConstraints(pattern=r"^Standard_[A-Za-z0-9_]+$")]

Zones = Annotated[tuple[int, ...], AfterValidator(_no_duplicates)]
"""Availability zones of the region, each 1 to 3."""
