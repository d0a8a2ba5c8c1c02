"""Every file in tests/environments says in its name whether it is sound; a refused one begins with what is said."""

import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import get_type_hints

import pytest

from stacks.settings import Settings, SettingsError, load_settings, parse_settings, rules
from stacks.settings.cluster import ApiAccess, Priority
from stacks.settings.file import yaml_source
from stacks.settings.file.placeholders import placeholders
from stacks.settings.network import IngressMode
from stacks.settings.private_access import with_private_defaults
from stacks.settings.rules import Rule

FILES = Path(__file__).parents[1] / "environments"
REFUSED = sorted(FILES.glob("error.*.yaml"))
SOUND = sorted(FILES.glob("valid.*.yaml"))


def expected(text: str) -> list[str]:
    """Return the lines after `# Refused:`, each `[line: ]key[ = value]: message`."""
    head, *comments = takewhile(lambda line: line.startswith("#"), text.splitlines())
    assert head == "# Refused:"
    return [line.removeprefix("# ") for line in comments]


def errors(text: str) -> list[str]:
    """Return what is said about `text`, without the name of the file."""
    with pytest.raises(SettingsError) as refusal:
        parse_settings(text, "file")
    return [re.sub(r"^file:( |(?=\d))", "", line) for line in str(refusal.value).splitlines()]


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_a_refused_file_is_answered_with_line_key_value_and_fix(path: Path) -> None:
    text = path.read_text()
    assert errors(text) == expected(text)


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_a_sound_file_is_accepted(path: Path) -> None:
    assert parse_settings(path.read_text(), path.name).name == "dev"


def test_no_file_is_left_out_of_these_tests() -> None:
    assert {*FILES.iterdir()} == {*REFUSED, *SOUND}
    assert len(REFUSED) > 100
    assert len(SOUND) > 10


def unchecked(path: Path) -> dict[str, object] | None:
    """Return the sections of a file whose fields are sound, whatever the rules say; None for other files."""
    try:
        source = yaml_source.read(path.read_text(), path.name)
        settings = Settings.model_validate_json(json.dumps(with_private_defaults(source.data)), strict=True)
    except (ValueError, SettingsError):
        return None
    return rules.sections(settings)


@cache
def readable() -> list[dict[str, object]]:
    """Return the sections of every refused file that only rules refuse."""
    return [sections for path in REFUSED if (sections := unchecked(path))]


@pytest.mark.parametrize("rule", rules.ALL, ids=lambda rule: f"{rule.__module__.rsplit('.', 1)[1]}.{rule.__name__}")
def test_every_rule_is_shown_failing_by_a_file(rule: Rule) -> None:
    assert any(any(rules.apply(rule, sections)) for sections in readable())


@pytest.mark.parametrize("rule", rules.ALL, ids=lambda rule: f"{rule.__module__.rsplit('.', 1)[1]}.{rule.__name__}")
def test_a_rule_names_the_sections_that_it_reads_with_their_types(rule: Rule) -> None:
    kinds = get_type_hints(Settings) | {"settings": Settings, "tags": Mapping[str, str]}
    hints = get_type_hints(rule)
    del hints["return"]
    assert hints
    assert hints == {name: kinds[name] for name in hints}


def test_every_rule_of_every_theme_is_applied() -> None:
    themes = [path.stem for path in Path(rules.__file__).parent.glob("[a-z]*.py") if path.stem != "base"]
    written = {rule for theme in themes for rule in getattr(rules, theme).RULES}
    assert written == {*rules.ALL}
    assert len(rules.ALL) == len(written)


def test_all_errors_are_reported_at_once_and_in_the_order_of_the_file() -> None:
    text = (FILES / "error.fields.and_rules_together.yaml").read_text()
    lines = [int(fault.split(":")[0]) for fault in errors(text)]
    assert len(lines) == 3
    assert lines == sorted(lines)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_environments_of_the_repository_are_sound_but_for_what_their_owner_has_to_write(name: str) -> None:
    named = {finding.key for finding in placeholders(load_settings(name))}
    assert {("azure", "subscription_id"), ("domain",), ("ingress", "acme_email")} <= named


def test_dev_is_cheap() -> None:
    dev = load_settings("dev")
    (pool,) = dev.cluster.gpu_pools.values()
    assert (pool.vm_size, pool.priority) == ("Standard_NC4as_T4_v3", Priority.SPOT)
    assert (pool.min_nodes, pool.max_nodes) == (0, 3)
    assert dev.database.sku.startswith("B_")
    assert dev.ingress.mode is IngressMode.NGINX
    assert dev.disks.redundancy == "zrs"
    served = {model.id for model in dev.models}
    assert {"phi3.5", "llama3.1:8b", "mistral:7b", "gemma2:2b", "gpt-oss", "deepseek-r1"} < served


def test_prod_is_private_redundant_and_larger() -> None:
    dev, prod = load_settings("dev"), load_settings("prod")
    assert prod.azure.zones == (1, 2, 3)
    assert prod.cluster.tier == "Standard"
    assert prod.cluster.api_access is ApiAccess.PRIVATE
    assert prod.private_endpoints
    assert not prod.vault.public_access
    assert not prod.registry.public_access
    assert len(prod.cluster.gpu_pools) == 2
    assert prod.ingress.mode is IngressMode.APPLICATION_GATEWAY
    assert prod.disks.clickhouse_gib > dev.disks.clickhouse_gib
    # checkov's CKV_AZURE_117, 226 and 227 can only be met by these.
    assert prod.cluster.disk_encryption_set_id
    assert prod.cluster.system_pool.ephemeral_os_disk
    assert prod.cluster.host_encryption
