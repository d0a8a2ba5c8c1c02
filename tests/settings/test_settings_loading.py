"""Environment files are found, read and refused in words."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stacks.settings import Settings, SettingsError, available_environments, load_settings, parse_settings
from stacks.settings.file.errors import dotted, one_line
from stacks.settings.file.explain import model_at
from stacks.settings.types import Model

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = (ROOT / "tests" / "environments" / "valid.minimal.yaml").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder `environments` that holds the sound environment `dev`."""
    environments = tmp_path / "environments"
    environments.mkdir()
    (environments / "dev.yaml").write_text(MINIMAL)
    return environments


def refusal(name: str, folder: Path) -> str:
    with pytest.raises(SettingsError) as error:
        load_settings(name, folder)
    return str(error.value)


def test_an_environment_is_loaded_by_name(folder: Path) -> None:
    assert load_settings("dev", folder).domain == "llm.acme.io"


def test_a_byte_order_mark_does_not_matter(folder: Path) -> None:
    (folder / "dev.yaml").write_text(MINIMAL, encoding="utf-8-sig")
    assert load_settings("dev", folder).name == "dev"


def test_a_missing_environment_is_answered_with_those_there_are(folder: Path) -> None:
    assert refusal("devv", folder) == (
        "environments/devv.yaml: does not exist; there are dev, did you mean dev?; llmctl env new devv writes it"
    )


def test_environments_are_listed_by_their_files(folder: Path) -> None:
    (folder / "prod.yaml").touch()
    (folder / "schema.json").touch()
    assert available_environments(folder) == ["dev", "prod"]


@pytest.mark.parametrize("name", ["../dev", "", "dev/../dev", "Dev", "dev.yaml", "a\nb", "toolonganame"])
def test_only_names_of_environments_lead_to_files(name: str, folder: Path) -> None:
    assert "is no environment's name: 2 to 10 lower-case letters and digits" in refusal(name, folder)


def test_a_name_that_differs_from_the_file_is_refused(folder: Path) -> None:
    (folder / "prod.yaml").write_text(MINIMAL)
    assert refusal("prod", folder) == (
        "environments/prod.yaml:1: name = dev: must be prod, as the file is named; rename one of the two"
    )


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(folder: Path) -> None:
    (folder / "dev.yaml").write_bytes(MINIMAL.encode() + b"# caf\xe9\n")
    line = MINIMAL.count("\n") + 1
    assert refusal("dev", folder) == f"environments/dev.yaml:{line}: is not UTF-8 text; save it as UTF-8"


def test_a_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "dir.yaml").mkdir()
    assert refusal("dir", folder) == "environments/dir.yaml: cannot be read: Is a directory"


def test_a_document_that_grows_when_read_is_refused_at_once() -> None:
    laughs = "".join(f"k{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 30))
    began = time.process_time()
    with pytest.raises(SettingsError, match="uses an anchor"):
        parse_settings("k0: &a0 ha\n" + laughs, "file")
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "text",
    ["[\n" * 5_000, "{a: " * 5_000, "a: " + "[" * 20 + "]" * 20],
    ids=["open lists", "open mappings", "closed lists"],
)
def test_a_document_that_is_nested_deeply_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="nested too deeply"):
        parse_settings(text, "file")


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(SettingsError, match="larger than 256 KiB"):
        parse_settings("# " + "x" * 300_000, "file")


def test_a_value_that_may_be_a_secret_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as error:
        parse_settings(MINIMAL + "database:\n  admin_token: hunter2\nsecrets:\n  versions:\n    x: hunter2\n", "file")
    assert "secrets never stand in this file" in str(error.value)
    assert "admin_token" in str(error.value)
    assert "hunter2" not in str(error.value).splitlines()[0]


def test_a_long_value_is_not_repeated() -> None:
    pasted = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ" * 4
    with pytest.raises(SettingsError) as error:
        parse_settings(MINIMAL.replace("llm.acme.io", pasted), "file")
    assert pasted[:20] not in str(error.value)


def test_control_characters_are_written_out() -> None:
    with pytest.raises(SettingsError) as error:
        parse_settings(MINIMAL.replace("llm.acme.io", r'"a\nb\e[31m"'), "file")
    assert str(error.value) == (
        r"file:5: domain = a\nb\u001b[31m: must be a DNS name in lower case with at least one dot"
    )
    assert one_line("x" * 100, 20) == "x" * 10 + "…"


def test_keys_are_written_as_people_write_them() -> None:
    assert dotted(("cluster", "gpu_pools", "a100", "max_nodes")) == "cluster.gpu_pools.a100.max_nodes"
    assert dotted(("models", 2, "pool")) == "models[2].pool"


def test_the_model_of_every_section_is_found_by_its_key() -> None:
    def sections(model: type[Model], above: tuple[str | int, ...] = ()) -> int:
        found = 1
        assert model_at(above) is model
        for name in model.model_fields:
            for key in ((*above, name), (*above, name, "any"), (*above, name, 0)):
                inner = model_at(key)
                if inner is not None:
                    found += sections(inner, key)
                    break
        return found

    assert sections(Settings) > 20


def test_loading_settings_starts_neither_cdktf_nor_node() -> None:
    script = (
        "import sys; from stacks.settings import load_settings; load_settings('dev');"
        "sys.exit(any(name.split('.')[0] in {'cdktf', 'jsii', 'constructs'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, env={**os.environ}).returncode == 0


def test_what_is_no_ordinary_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dev.yaml")
    with pytest.raises(SettingsError, match="is no ordinary file"):
        load_settings("dev", tmp_path)
