"""The base model and the constrained types that every settings model is built from."""

import os
import re
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

# Without it pydantic looks for plugins in the metadata of every installed package before it builds the first model.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

T = TypeVar("T")

AZURE_NAME = r"[\w.()-]+"
"""Characters of a resource group's name, of which the names of other resources use fewer. Source:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"""

PATTERN_MEANINGS: dict[str, str] = {}
"""Regular expression of a text setting to what it asks for, in words; for errors and the reference."""


class Model(BaseModel):
    """Immutable settings that refuse unknown keys. The text below each field says what it means (`docstrings`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


def text(pattern: str, meaning: str, *, max_length: int | None = None, to_lower: bool = False) -> StringConstraints:
    """Constrain a text to `pattern`, a full match; `meaning` completes the sentence "must be …"."""
    PATTERN_MEANINGS[pattern] = meaning
    return StringConstraints(pattern=pattern, max_length=max_length, to_lower=to_lower or None)


def _network(value: object) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str) or "/" not in value:
        raise PydanticCustomError("cidr", "must be an IPv4 range in CIDR form such as 10.40.0.0/16")
    try:
        return IPv4Network(value)
    except ValueError:
        pass
    try:
        network = IPv4Network(value, strict=False)
    except ValueError:
        raise PydanticCustomError("cidr", "must be an IPv4 range in CIDR form such as 10.40.0.0/16") from None
    raise PydanticCustomError("cidr_host_bits", "has host bits set; write {network}", {"network": str(network)})


def _no_duplicates(values: tuple[T, ...]) -> tuple[T, ...]:
    repeated = [value for index, value in enumerate(values) if value in values[:index]]
    if repeated:
        raise PydanticCustomError("duplicates", "lists {value} twice", {"value": str(repeated[0])})
    return values


Unique = AfterValidator(_no_duplicates)
"""Refuses a list that holds an entry twice."""

Cidr = Annotated[
    IPv4Network,
    PlainValidator(_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d+\.\d+\.\d+/\d+$"}),
]
"""An IPv4 range in CIDR form, host bits zero."""


def _address(value: object) -> IPv4Address:
    if isinstance(value, IPv4Address):
        return value
    try:
        return IPv4Address(value) if isinstance(value, str) else _no_address()
    except ValueError:
        return _no_address()


def _no_address() -> IPv4Address:
    raise PydanticCustomError("address", "must be an IPv4 address such as 10.40.18.4")


_ADDRESS = r"^\d+\.\d+\.\d+\.\d+$"
PATTERN_MEANINGS[_ADDRESS] = "an IPv4 address such as 10.40.18.4"

Address = Annotated[
    IPv4Address,
    PlainValidator(_address),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _ADDRESS}),
]
"""One IPv4 address."""

Guid = Annotated[
    str,
    text(
        r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        "a GUID such as 4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90",
        to_lower=True,
    ),
]
"""An Azure subscription, tenant or Entra object id."""


def _somebody(value: str) -> str:
    if set(value) <= {"0", "-"}:
        raise PydanticCustomError("nil_guid", "is the nil GUID, which nobody has; write the object id from Entra")
    return value


ObjectId = Annotated[Guid, AfterValidator(_somebody)]
"""The id of a user, group, service principal or application in Entra; never the nil GUID."""

DnsName = Annotated[
    str,
    text(
        r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$",
        "a DNS name in lower case with at least one dot",
        max_length=200,
    ),
]
"""A lower-case DNS name with at least one dot."""

EmailAddress = Annotated[
    str,
    text(
        r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
        r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.[A-Za-z]{2,63}$",
        "an e-mail address",
        max_length=254,
    ),
]
"""An address in the form without quotes and comments (RFC 5321, dot-atom)."""

ShortName = Annotated[
    str, text(r"^[a-z][a-z0-9]{1,9}$", "2 to 10 lower-case letters and digits that begin with a letter")
]
"""2 to 10 lower-case letters and digits: short, since every Azure name is made of it."""

_POOL = r"^[a-z][a-z0-9]{0,11}$"
PoolName = Annotated[str, text(_POOL, "1 to 12 lower-case letters and digits that begin with a letter")]
"""A Linux AKS node pool's name: at most 12 lower-case letters and digits."""

MOST_POOLS = 4


def _as_order(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(_POOL, value):
        raise PydanticCustomError("pool", f"must be {PATTERN_MEANINGS[_POOL]}")
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise PydanticCustomError("pools", "must be the name of a pool, or a list of names")
    if not 1 <= len(value) <= MOST_POOLS:
        raise PydanticCustomError(
            "pools", "must list 1 to {most} pools, not {count}", {"most": MOST_POOLS, "count": len(value)}
        )
    return tuple(value)


def _as_written(pools: tuple[str, ...]) -> str | list[str]:
    return pools[0] if len(pools) == 1 else list(pools)


_NAME = {"type": "string", "pattern": _POOL}
PoolOrder = Annotated[
    tuple[PoolName, ...],
    Unique,
    BeforeValidator(_as_order),
    PlainSerializer(_as_written),
    WithJsonSchema(
        {
            "anyOf": [
                _NAME,
                {"type": "array", "items": _NAME, "minItems": 1, "maxItems": MOST_POOLS, "uniqueItems": True},
            ]
        }
    ),
]
"""One pool, or several in the order in which they are tried; a file writes one as its name alone."""

VmSize = Annotated[str, text(r"^Standard_[A-Za-z0-9_]+$", "an Azure VM size such as Standard_D4ds_v5")]

Region = Annotated[str, text(r"^[a-z][a-z0-9]{3,30}$", "an Azure region in its short form such as westeurope")]

Zone = Annotated[int, Field(ge=1, le=3)]

Generation = Annotated[int, Field(ge=1, le=99)]
"""Number of a disk or a server that another one takes the place of."""

Zones = Annotated[tuple[Zone, ...], Unique]
"""Availability zones of the region, each 1 to 3."""

TimeOfDay = Annotated[str, text(r"^([01]\d|2[0-3]):[0-5]\d$", 'a time of day such as "03:00"')]

VaultSecretName = Annotated[
    str, text(r"^[A-Za-z0-9-]{1,127}$", "the name of a secret in the vault, letters, digits and dashes")
]

UtcTime = Annotated[
    str, text(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", "a point in time, UTC, such as 2026-11-01T12:00:00Z")
]


def resource_id(resource_type: str, meaning: str) -> StringConstraints:
    """Constrain a text to the id of an Azure resource of `resource_type`, such as Microsoft.Compute/disks."""
    dotted = resource_type.replace(".", r"\.")
    return text(
        rf"^/subscriptions/[0-9a-fA-F-]{{36}}/resourceGroups/{AZURE_NAME}/providers/{dotted}/{AZURE_NAME}$",
        f"the resource id of {meaning}: /subscriptions/…/resourceGroups/…/providers/{resource_type}/…",
    )
