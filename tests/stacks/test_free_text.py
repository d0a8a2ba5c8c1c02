"""No text of an environment file is evaluated by Terraform, whose template language reads every string."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from stacks.settings import Settings, SettingsError, parse_settings
from tests.support.kubernetes.own_charts import example
from tests.support.stacks.synthesis import synthesize

INTERPOLATION = '${file("/etc/hosts")}'
DIRECTIVE = "%{if true}x%{endif}"
EVALUATED = re.compile(r"(?<!\$)\$\{file\(|(?<!%)%\{if true\}")

GUID = "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90"
SUBSCRIPTION = f"/subscriptions/{GUID}/resourceGroups"
BEHIND_PROXY = example("egress_proxy")
EVERY_TEXT: dict[str, Any] = {
    "name": "dev",
    "prefix": "llm",
    "azure": {"subscription_id": GUID, "region": "westeurope"},
    "domain": "llm.example.com",
    "tags": {"owner": "somebody"},
    "state": {
        "backend": "azurerm",
        "azurerm": {
            "resource_group": "tfstate",
            "storage_account": "tfstate0001",
            "container": "tfstate",
            "private_endpoint_subnet_id": f"{SUBSCRIPTION}/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
        },
    },
    "operators": {"object_ids": [GUID], "ip_ranges": ["203.0.113.0/24"]},
    "identity": {"access_group_owner_ids": [GUID]},
    "ingress": {"acme_email": "platform@example.com", "dns_label": "our-llm"},
    "cluster": {
        "disk_encryption_set_id": f"{SUBSCRIPTION}/g/providers/Microsoft.Compute/diskEncryptionSets/d",
        "gpu_pools": {
            "t4": {
                "vm_size": "Standard_NC4as_T4_v3",
                "gpu": {"model": "T4", "memory_gib": 14, "compute_capability": 7.5, "vcpus": 4, "node_memory_gib": 28},
            }
        },
        "extra_admin_group_ids": [GUID],
        "off_hours": {"enabled": True, "time_zone": "Europe/Berlin"},
    },
    "images": {"signing_key": "azurekms://keys.vault.azure.net/signing"},
    "database": {
        "entra_administrators": [{"name": "database-team", "object_id": GUID, "type": "Group"}],
        "generation": 2,
        "restore_from_server_id": f"{SUBSCRIPTION}/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/s",
        "restore_time_utc": "2026-11-01T12:00:00Z",
    },
    "deployments": {"chat_banner": "Models change tonight"},
    "chat": {"environment": {"WEBUI_NAME": "Our assistant"}},
    "serving": {"warm_hours": {"days": "1-5", "start": "08:00", "end": "18:00", "timezone": "Europe/Berlin"}},
    "monitoring": {
        "alerts": {
            "receiver": "email",
            "email_addresses": ["operators@example.com"],
            "smtp": {"host": "smtp.example.com", "sender": "llm@example.com", "username": "llm"},
        }
    },
    "trust": {"company_roots": list(BEHIND_PROXY.trust.company_roots)},
    "models": [
        {
            "name": "tools",
            "engine": "vllm",
            "id": "Qwen/Qwen2.5-3B-Instruct-AWQ",
            "revision": "main",
            "pool": "t4",
            "quantization": "awq",
            "weights_gib": 2.0,
            "kv_cache_kib_per_token": 36,
            "tool_parser": "hermes",
            "reasoning_parser": "none",
            "chat_template": "{{ messages }}",
            "lora": [{"name": "sql", "id": "acme/sql", "revision": "0123456789abcdef0123456789abcdef01234567"}],
            "speculative": {
                "method": "eagle",
                "id": "acme/head",
                "revision": "0123456789abcdef0123456789abcdef01234567",
                "weights_gib": 0.4,
            },
            "extra_args": ["--override-generation-config={}"],
        }
    ],
}
"""An environment in which every kind of text that can be set is set."""

OPEN = re.compile(r"\[\^|\\[SWD]|(?<!\\)\.(?![^\[]*\])")
"""What lets a pattern accept characters that it does not list."""

REFERENCES = {"chat.embeddings.model", "chat.tasks.model"}
"""Texts that have to be the name of something else in the file."""


def _free_texts(schema: dict[str, Any], defined: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the keys of the settings whose pattern, if any, accepts characters that it does not list."""
    for choice in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _free_texts(choice, defined, path)
    if "$ref" in schema:
        yield from _free_texts(defined[schema["$ref"].rpartition("/")[2]], defined, path)
    for name, part in schema.get("properties", {}).items():
        yield from _free_texts(part, defined, f"{path}.{name}".strip("."))
    for part in (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from _free_texts(part, defined, f"{path}.*")
    if schema.get("type") == "array":
        yield from _free_texts(schema["items"], defined, f"{path}.*")
    if (
        schema.get("type") == "string"
        and not {"enum", "const"} & schema.keys()
        and OPEN.search(schema.get("pattern", "."))
    ):
        yield path


def _leaves(data: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every text of `data` with the keys that lead to it."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _leaves(value, (*path, index))
    elif isinstance(data, str):
        yield path, data


def _texts(body: object) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every text of a synthesized stack, names of attributes among them."""
    yield from _leaves(body)
    yield from ((("name",), str(key)) for key in _keys(body))


def _keys(body: object) -> Iterator[str]:
    if isinstance(body, dict):
        yield from body
        body = list(body.values())
    if isinstance(body, list):
        for value in body:
            yield from _keys(value)


def _with(path: tuple[Any, ...], value: str) -> dict[str, Any]:
    changed: dict[str, Any] = deepcopy(EVERY_TEXT)
    section: Any = changed
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    return changed


def _variants(text: str) -> Iterator[str]:
    """Yield `text` with something to evaluate at its ends, between its parts and in the place of each part."""
    parts = re.split(r"([/@.:])", text)
    for probe in (INTERPOLATION, DIRECTIVE, '${file("a.b")}'):
        yield from (probe, f"{text}{probe}", f"{probe}{text}")
        for index in range(0, len(parts), 2):
            yield "".join([*parts[:index], probe, *parts[index + 1 :]])


def _accepted(data: dict[str, Any]) -> Settings | None:
    try:
        Settings.model_validate(data)  # Refuses most, and takes a tenth of the time that reading a file does.
        return parse_settings(json.dumps(data), "environments/dev.yaml")
    except (SettingsError, ValidationError):
        return None


def _evaluated(settings: Settings, folder: Path) -> list[str]:
    """Return where a synthesized stack holds a text that Terraform would evaluate."""
    stacks = synthesize(settings, folder).stacks
    return [
        f"{stack}: {'.'.join(map(str, path))} = {value}"
        for stack, body in stacks.items()
        for path, value in _texts(body)
        if EVALUATED.search(value)
    ]


def test_the_environment_of_this_test_is_sound() -> None:
    parse_settings(json.dumps(EVERY_TEXT), "environments/dev.yaml")


def test_every_free_text_of_the_settings_is_tried_here() -> None:
    named = {re.sub(r"\.\d+(?=\.|$)", ".*", ".".join(map(str, path))) for path, _ in _leaves(EVERY_TEXT)}
    named |= {re.sub(r"[^.]+$", "*", path) for path in named}
    schema = Settings.model_json_schema()
    assert set(_free_texts(schema, schema["$defs"])) - REFERENCES - named == set()


def test_a_tag_reaches_azure_as_it_is_written(tmp_path: Path) -> None:
    written = {'${file("hosts")}': '${file("hosts")}', "cost": "50 %{centre}"}
    settings = _accepted({**EVERY_TEXT, "tags": written})
    assert settings
    tags = synthesize(settings, tmp_path).resources("network", "azurerm_virtual_network")["network"]["tags"]
    assert tags['$${file("hosts")}'] == '$${file("hosts")}'
    assert tags["cost"] == "50 %%{centre}"


@pytest.mark.slow
def test_no_text_of_the_file_is_evaluated(tmp_path: Path) -> None:
    data, probed = deepcopy(EVERY_TEXT), set[str]()
    for path, text in _leaves(EVERY_TEXT):
        variant = next((variant for variant in _variants(text) if _accepted(_with(path, variant))), None)
        if variant is not None:
            section: Any = data
            for key in path[:-1]:
                section = section[key]
            section[path[-1]] = variant
            probed.add(".".join(map(str, path)))
    assert {"tags.owner", "database.entra_administrators.0.name", "chat.environment.WEBUI_NAME"} <= probed
    settings = _accepted(data)
    assert settings
    assert _evaluated(settings, tmp_path) == []
