"""Messages of Terraform's plugin protocol 6, as far as Terraform 1.11 sends them.

One table of field names and numbers, turned into protobuf message classes at import. Names and numbers are those of
the protocol (``tfplugin6``, published in hashicorp/terraform-plugin-go). Declared with proto2 presence, so that a
field of value zero is still written where it was set; the bytes on the wire are the same.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_DIAGNOSED = "diagnostics=2*Diagnostic"
_CONFIG_REQUEST = "type_name=1:string config=2:DynamicValue"

# "name=number:type", "*" before the type for a repeated field. A map field is a repeated entry on the wire.
_TABLE = {
    "DynamicValue": "msgpack=1:bytes json=2:bytes",
    "Diagnostic": "severity=1:int64 summary=2:string detail=3:string attribute=4:AttributePath",
    "AttributePath": "steps=1*Step",
    "Step": "attribute_name=1:string element_key_string=2:string element_key_int=3:int64",
    "RawState": "json=1:bytes",
    "ServerCapabilities": "plan_destroy=1:bool get_provider_schema_optional=2:bool move_resource_state=3:bool",
    "Schema": "version=1:int64 block=2:Block",
    "Block": "version=1:int64 attributes=2*Attribute block_types=3*NestedBlock",
    "Attribute": (
        "name=1:string type=2:bytes nested_type=10:Object required=4:bool optional=5:bool computed=6:bool"
        " sensitive=7:bool write_only=11:bool"
    ),
    "NestedBlock": "type_name=1:string block=2:Block nesting=3:int64 min_items=4:int64 max_items=5:int64",
    "Object": "attributes=1*Attribute nesting=3:int64",
    "SchemaEntry": "key=1:string value=2:Schema",
    "TypeName": "type_name=1:string",
    "Empty": "",
    "GetMetadata.Response": (
        "server_capabilities=1:ServerCapabilities diagnostics=2*Diagnostic data_sources=3*TypeName"
        " resources=4*TypeName ephemeral_resources=6*TypeName"
    ),
    "GetProviderSchema.Response": (
        "provider=1:Schema resource_schemas=2*SchemaEntry data_source_schemas=3*SchemaEntry"
        " diagnostics=4*Diagnostic server_capabilities=6:ServerCapabilities"
        " ephemeral_resource_schemas=8*SchemaEntry"
    ),
    "ValidateProviderConfig.Request": "config=1:DynamicValue",
    "ConfigureProvider.Request": "terraform_version=1:string config=2:DynamicValue",
    "Config.Request": _CONFIG_REQUEST,
    "Diagnostics.Response": "diagnostics=1*Diagnostic",
    "ValidateProviderConfig.Response": "diagnostics=2*Diagnostic",
    "UpgradeResourceState.Request": "type_name=1:string version=2:int64 raw_state=3:RawState",
    "UpgradeResourceState.Response": f"upgraded_state=1:DynamicValue {_DIAGNOSED}",
    "ReadResource.Request": "type_name=1:string current_state=2:DynamicValue private=3:bytes",
    "ReadResource.Response": f"new_state=1:DynamicValue {_DIAGNOSED} private=3:bytes",
    "PlanResourceChange.Request": (
        "type_name=1:string prior_state=2:DynamicValue proposed_new_state=3:DynamicValue config=4:DynamicValue"
        " prior_private=5:bytes"
    ),
    "PlanResourceChange.Response": (
        "planned_state=1:DynamicValue requires_replace=2*AttributePath planned_private=3:bytes"
        " diagnostics=4*Diagnostic legacy_type_system=5:bool"
    ),
    "ApplyResourceChange.Request": (
        "type_name=1:string prior_state=2:DynamicValue planned_state=3:DynamicValue config=4:DynamicValue"
        " planned_private=5:bytes"
    ),
    "ApplyResourceChange.Response": (
        "new_state=1:DynamicValue private=2:bytes diagnostics=3*Diagnostic legacy_type_system=4:bool"
    ),
    "ImportResourceState.Request": "type_name=1:string id=2:string",
    "ImportedResource": "type_name=1:string state=2:DynamicValue private=3:bytes",
    "ImportResourceState.Response": f"imported_resources=1*ImportedResource {_DIAGNOSED}",
    "ReadDataSource.Response": f"state=1:DynamicValue {_DIAGNOSED}",
    "OpenEphemeralResource.Response": "diagnostics=1*Diagnostic result=3:DynamicValue private=4:bytes",
    "EphemeralResource.Request": "type_name=1:string private=2:bytes",
    "StopProvider.Response": "Error=1:string",
}

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
    "int64": _FIELD.TYPE_INT64,
    "bool": _FIELD.TYPE_BOOL,
}
_PACKAGE = "fakeprovider"

ERROR = 1
WARNING = 2
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}


def _field(text: str) -> descriptor_pb2.FieldDescriptorProto:
    name, _, rest = text.partition("=")
    repeated = "*" in rest
    number, _, kind = rest.partition("*" if repeated else ":")
    field = _FIELD(
        name=name,
        number=int(number),
        label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
    )
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _FIELD.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{_identifier(kind)}"
    return field


def _identifier(name: str) -> str:
    return name.replace(".", "_")


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="fakeprovider.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _TABLE.items():
        file.message_type.add(name=_identifier(name), field=[_field(text) for text in fields.split()])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{_identifier(name)}"))
        for name in _TABLE
    }


CLASSES = _classes()


def message(name: str, /, **fields: Any) -> Any:
    """Return a new protocol message; ``name`` is a key of the table above."""
    return CLASSES[name](**fields)


def diagnostic(summary: str, detail: str = "", *, path: tuple[str | int, ...] = (), severity: int = ERROR) -> Any:
    """Return one error or warning as Terraform shows it, pointing at ``path`` in the configuration."""
    found = message("Diagnostic", severity=severity, summary=summary, detail=detail)
    if path:
        found.attribute.CopyFrom(attribute_path(path))
    return found


def attribute_path(path: tuple[str | int, ...]) -> Any:
    """Return a path of attribute names and list positions."""
    steps = [
        message("Step", element_key_int=step) if isinstance(step, int) else message("Step", attribute_name=step)
        for step in path
    ]
    return message("AttributePath", steps=steps)
