"""Reads one generated TypeScript module of a CDKTF provider binding as a Terraform schema block.

The generator writes every type in the same form: a class per resource, data source or nested object, an interface per
configuration, and tables that say how each argument is rendered. Forms are those of cdktf 0.21's generator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]

_SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
_CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+) {\n(.*?)^}\n", re.S | re.M)
_INTERFACE = re.compile(r"^export interface (\w+)[^{\n]* {\n(.*?)^}\n", re.S | re.M)
_HCL_FUNCTION = re.compile(r"^export function (\w+)ToHclTerraform\(.*?^}\n", re.S | re.M)
_HCL_ATTRIBUTE = re.compile(
    r"^ {4,6}(\w+): {\n\s+value: (.*),\n\s+isBlock: (\w+),\n\s+type: \"(\w+)\",\n\s+storageClassType: \"(\w+)\"",
    re.M,
)
_ATTRIBUTE = re.compile(r"^  // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n", re.M)
_NESTED = re.compile(r"= new (\w+?)(List|Map|OutputReference)\(this, \"\w+\"(?:, (\w+))?\)")
_GETTER = re.compile(r"this\.get(String|Number|Boolean|Any)?(List|Map)?Attribute\(")
_PLAIN_MAP = re.compile(r"= new cdktf\.(String|Number|Boolean|Any)Map(List)?\(")
_MEMBER = re.compile(r"#(\w+) [^}]+}\n(?:  \*.*\n)*  \*/\n  readonly \w+(\??): ")
_KIND_OF_BASE = {"TerraformResource": "resource", "TerraformDataSource": "data", "TerraformProvider": "provider"}


@dataclass(frozen=True)
class Hcl:
    """How a binding renders one argument."""

    value: str
    is_block: bool
    kind: str
    storage: str

    @property
    def element(self) -> str:
        """The struct that is rendered, without its collection; the storage class where it is none."""
        function = re.search(r"(\w+)ToHclTerraform", self.value)
        if self.is_block and function:
            return function[1][0].upper() + function[1][1:]
        return self.storage


HclTable = dict[str, Hcl]


class UnknownTypeError(LookupError):
    """A module does not define what was expected of it."""


class _Source:
    """One generated TypeScript module, cut into its classes, interfaces and HCL tables."""

    def __init__(self, text: str, *, nested_attributes: bool) -> None:
        self.nested_attributes = nested_attributes
        self.classes = {name: (base, body) for name, base, body in _CLASS.findall(text)}
        self.interfaces = dict(_INTERFACE.findall(text))
        self.hcl = {m[1]: _hcl_table(m[0]) for m in _HCL_FUNCTION.finditer(text)}

    def main_class(self) -> tuple[str, str, str]:
        for name, (base, body) in self.classes.items():
            if base in _KIND_OF_BASE:
                return name, base, body
        raise UnknownTypeError("the module defines no Terraform resource, data source or provider")

    def block(self, body: str, hcl: HclTable, blocks: set[str]) -> Block:
        """Return the block a class body describes; ``blocks`` names those of its members that are blocks."""
        attributes: Block = {}
        nested: Block = {}
        marks = list(_ATTRIBUTE.finditer(body))
        for mark, following in zip(marks, [*marks[1:], None], strict=True):
            name, computed, optional, required = mark.groups()
            text = body[mark.end() : following.start() if following else None]
            if name in blocks:
                nested[name] = self._nested_block(hcl[name], required=required == "true")
            else:
                flags = {"computed": computed, "optional": optional, "required": required}
                attributes[name] = self._type(text, hcl.get(name)) | {
                    flag: True for flag, value in flags.items() if value == "true"
                }
        return {"attributes": attributes} | ({"block_types": nested} if nested else {})

    def block_names(self, interface: str) -> set[str]:
        """Return which members of a configuration interface are documented as blocks."""
        return set(re.findall(r"^  \* (\w+) block$", self.interfaces.get(interface, ""), re.M))

    def _nested_block(self, hcl: Hcl, *, required: bool) -> Block:
        content = self._struct(hcl.element)
        if hcl.kind == "struct":
            return {"nesting_mode": "single", "block": content}
        found: Block = {"nesting_mode": hcl.kind, "block": content}
        if required:
            found["min_items"] = 1
        if "listMapper" not in hcl.value and "hashMapper" not in hcl.value:
            found["max_items"] = 1
        return found

    def _struct(self, name: str) -> Block:
        hcl = self.hcl.get(name[0].lower() + name[1:], {})
        # An object whose own name ends in "List" keeps that ending only in its collection.
        reference = self.classes.get(f"{name}OutputReference") or self.classes.get(
            f"{name.removesuffix('List')}OutputReference"
        )
        if reference:
            return self.block(reference[1], hcl, self.block_names(name))
        return self._input_struct(name, hcl)

    def _input_struct(self, name: str, hcl: HclTable) -> Block:
        """Return a block that can only be written, never read back: those of a provider's configuration."""
        blocks = self.block_names(name)
        attributes: Block = {}
        nested: Block = {}
        for key, mark in _MEMBER.findall(self.interfaces[name]):
            if key in blocks:
                nested[key] = self._nested_block(hcl[key], required=not mark)
            else:
                attributes[key] = self._type("", hcl[key]) | {"optional" if mark else "required": True}
        return {"attributes": attributes} | ({"block_types": nested} if nested else {})

    def _type(self, text: str, hcl: Hcl | None) -> Block:
        nested = _NESTED.search(text)
        if nested:
            mode = {"List": "set" if nested[3] == "true" else "list", "Map": "map"}.get(nested[2], "single")
            return self._object_type(nested[1], mode)
        if hcl is None:
            return {"type": _output_type(text)}
        if hcl.is_block:
            return self._object_type(hcl.element, "single" if hcl.kind == "struct" else hcl.kind)
        return {"type": _input_type(hcl)}

    def _object_type(self, name: str, mode: str) -> Block:
        content = self._struct(name)
        if self.nested_attributes:
            return {"nested_type": {"attributes": content["attributes"], "nesting_mode": mode}}
        members = ["object", {key: value["type"] for key, value in content["attributes"].items()}]
        return {"type": members if mode == "single" else [mode, members]}


def _hcl_table(text: str) -> HclTable:
    return {m[1]: Hcl(m[2], m[3] == "true", m[4], m[5]) for m in _HCL_ATTRIBUTE.finditer(text)}


def _input_type(hcl: Hcl) -> Any:
    if hcl.kind == "simple":
        return _SCALARS[hcl.storage]
    scalar = re.sub(r"(List|Map)$", "", hcl.storage)
    return _map_of(scalar) if hcl.kind == "map" else [hcl.kind, _element_type(scalar)]


def _map_of(scalar: str) -> Any:
    # The generator writes an attribute of dynamic type as a map of anything.
    return "dynamic" if scalar == "any" else ["map", _element_type(scalar)]


def _element_type(storage: str) -> Any:
    for suffix, kind in (("List", "list"), ("Map", "map")):
        if storage.endswith(suffix):
            return [kind, _element_type(storage.removesuffix(suffix))]
    return _SCALARS[storage]


def _output_type(text: str) -> Any:
    if plain := _PLAIN_MAP.search(text):
        element = _map_of(plain[1].lower())
        return ["list", element] if plain[2] else element
    getter = _GETTER.search(text)
    if not getter:
        return "dynamic"
    scalar = (getter[1] or "string").lower()
    element = _SCALARS[scalar]
    if getter[2] is None:
        return element
    if getter[2] == "Map":
        return _map_of(scalar)
    return ["set" if "Fn.tolist(" in text else "list", element]


def block_of(source: str, *, nested_attributes: bool = False) -> tuple[tuple[str, str], Block]:
    """Return what one module defines: its ``(kind, type name)`` and its block.

    The block has the shape of ``terraform providers schema -json``. Raises UnknownTypeError where the module defines
    no Terraform type.
    """
    parsed = _Source(source, nested_attributes=nested_attributes)
    name, base, body = parsed.main_class()
    type_name = re.search(r'static readonly tfResourceType = "(\w+)"', body)
    if not type_name:
        raise UnknownTypeError(f"class {name} does not name its Terraform type")
    kind = _KIND_OF_BASE[base]
    hcl = _hcl_table(body[body.index("synthesizeHclAttributes()") :])
    block = parsed.block(body, hcl, parsed.block_names(f"{name}Config"))
    if kind == "provider":
        block["attributes"].pop("alias", None)  # Terraform's own argument
    return (kind, type_name[1]), block
