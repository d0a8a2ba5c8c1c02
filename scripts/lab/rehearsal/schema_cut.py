"""Renews ``schemas.json.gz``: ``python -m scripts.lab.rehearsal.schema_cut``.

Needed after an update of a provider, and when the code begins or ends to use a type; a test says so. The whole schemas
come from the folder that ``PROVIDER_SCHEMAS`` names (``<provider>-<version>.json.gz``, each the output of ``terraform
providers schema -json``), or else from Terraform itself, which downloads the providers.
"""

from __future__ import annotations

import ast
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from main import build_app
from scripts.bootstrap import terraform
from stacks.settings import load_settings

from .schemas import FILE, PROVIDERS, Key, provider_of

FOLDER_VARIABLE = "PROVIDER_SCHEMAS"

ROOT = Path(__file__).resolve().parents[3]
_CODE = ("stacks", "constructs")
_BINDINGS = "cdktf_cdktf_provider_"
_SECTIONS = {
    "resource": "resource_schemas",
    "data": "data_source_schemas",
    "ephemeral": "ephemeral_resource_schemas",
}
_DESCRIPTIONS = {"description", "description_kind"}


def types_in_code(root: Path = ROOT) -> set[Key]:
    """Return ``(kind, type name)`` of every resource and data source that the code imports or names."""
    found: set[Key] = set()
    for folder in _CODE:
        for path in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.keyword(arg="terraform_resource_type", value=ast.Constant(value=str(named))):
                        found.add(("resource", named))
                module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
                provider, _, name = module.removeprefix(_BINDINGS).partition(".")
                if not module.startswith(_BINDINGS) or name == "provider":
                    continue
                is_data = name.startswith(f"data_{provider}_")
                found.add(("data", name.removeprefix("data_")) if is_data else ("resource", f"{provider}_{name}"))
    return found


def required_versions() -> dict[str, str]:
    """Return the exact version of every provider that the synthesized stacks require."""
    found: dict[str, str] = {}
    with TemporaryDirectory() as folder:
        build_app(load_settings("dev"), Path(folder)).synth()
        for path in Path(folder).glob("stacks/*/cdk.tf.json"):
            required = json.loads(path.read_bytes())["terraform"]["required_providers"]
            found |= {name: entry["version"] for name, entry in required.items()}
    return found


def from_folder(folder: Path, versions: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the whole schema of every provider from a folder of dumps.

    Raises FileNotFoundError where the folder does not hold one at the given version.
    """
    dumps = {name: folder / f"{name}-{version}.json.gz" for name, version in versions.items()}
    return {name: _only(json.loads(gzip.decompress(dump.read_bytes())), name) for name, dump in dumps.items()}


def from_terraform(versions: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the whole schema of every provider, asked of the providers themselves.

    Raises subprocess.CalledProcessError where Terraform cannot install or ask them.
    """
    required = {name: {"source": f"hashicorp/{name}", "version": version} for name, version in versions.items()}
    program = str(terraform.find().path)
    with TemporaryDirectory() as folder:
        (Path(folder) / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": required}}))
        subprocess.run([program, "init", "-input=false"], cwd=folder, check=True, stdout=sys.stderr)  # noqa: S603
        answer = subprocess.run(  # noqa: S603
            [program, "providers", "schema", "-json"], cwd=folder, check=True, stdout=subprocess.PIPE
        )
    dump = json.loads(answer.stdout)
    return {name: _only(dump, name) for name in versions}


def _only(dump: Mapping[str, Any], provider: str) -> dict[str, Any]:
    (found,) = (schema for name, schema in dump["provider_schemas"].items() if name.endswith(f"/{provider}"))
    return dict(found)


def cut(schema: Mapping[str, Any], provider: str, version: str, types: Iterable[Key]) -> dict[str, Any]:
    """Return of a provider's whole schema its configuration, the types of it, and its ephemeral types.

    Those are all kept, because no binding names the ones in use. Raises KeyError for a type that the provider lacks.
    """
    found: dict[str, Any] = {
        "version": version,
        "provider": {provider: schema["provider"]},
        "ephemeral": schema.get(_SECTIONS["ephemeral"], {}),
    }
    for kind, name in types:
        if provider_of(name) == provider:
            found.setdefault(kind, {})[name] = schema[_SECTIONS[kind]][name]
    cleaned: dict[str, Any] = _without_descriptions(found)
    return cleaned


def _without_descriptions(value: Any) -> Any:
    """Leave texts for readers out. They stand beside `type` or `attributes`; a member of that name is a mapping."""
    if not isinstance(value, dict):
        return value
    return {
        key: _without_descriptions(item)
        for key, item in value.items()
        if not (key in _DESCRIPTIONS and isinstance(item, str))
    }


def renewed(whole: Mapping[str, Mapping[str, Any]], versions: Mapping[str, str]) -> bytes:
    """Return the content of the file, the same bytes for the same schemas."""
    types = types_in_code()
    content = {name: cut(whole[name], name, versions[name], types) for name in PROVIDERS}
    return gzip.compress(json.dumps(content, sort_keys=True, separators=(",", ":")).encode(), mtime=0)


def main() -> None:
    """Write the file."""
    versions = required_versions()
    folder = os.environ.get(FOLDER_VARIABLE)
    whole = from_folder(Path(folder), versions) if folder else from_terraform(versions)
    FILE.write_bytes(renewed(whole, versions))
    print(f"{FILE.relative_to(ROOT)}: {len(types_in_code())} types of {len(versions)} providers")


if __name__ == "__main__":
    main()
