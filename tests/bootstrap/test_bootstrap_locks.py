"""Lock files pin every package and name no place to fetch it from."""

import sys
from pathlib import Path

import pytest

from scripts.bootstrap.install import PIPENV_REQUIREMENTS
from scripts.bootstrap.locks import pinned, requirements, update, without_addresses, without_sources
from scripts.bootstrap.problems import NotReadyError


def test_a_python_lock_keeps_versions_and_hashes_and_loses_the_index() -> None:
    entry = {"version": "==1.0", "hashes": ["sha256:1"], "markers": "python_version >= '3.11'"}
    lock = {
        "_meta": {"hash": {"sha256": "2"}, "sources": [{"url": "https://index.example"}]},
        "default": {"a": entry | {"index": "company"}},
        "develop": {"b": entry},
    }
    assert without_sources(lock) == {
        "_meta": {"hash": {"sha256": "2"}, "sources": []},
        "default": {"a": entry},
        "develop": {"b": entry},
    }


def test_a_node_lock_keeps_versions_and_hashes_and_loses_the_address() -> None:
    entry = {"version": "1.0.0", "integrity": "sha512-1"}
    lock = {"lockfileVersion": 3, "packages": {"": {"name": "x"}, "node_modules/a": entry | {"resolved": "https://r"}}}
    assert without_addresses(lock) == {"lockfileVersion": 3, "packages": {"": {"name": "x"}, "node_modules/a": entry}}


def test_what_pip_would_install_becomes_requirements_with_hashes() -> None:
    def entry(name: str, digest: str) -> dict[str, object]:
        return {
            "metadata": {"name": name, "version": "1.0"},
            "download_info": {"archive_info": {"hashes": {"sha256": digest}}},
        }

    assert requirements({"install": [entry("b", "2"), entry("a", "1")]}) == [
        "a==1.0 --hash=sha256:1",
        "b==1.0 --hash=sha256:2",
    ]


def test_pipenv_and_all_it_needs_are_pinned_by_hash() -> None:
    lines = PIPENV_REQUIREMENTS.read_text().splitlines()[1:]
    assert pinned(lines, "pipenv").startswith("pipenv==")
    assert {"virtualenv", "setuptools", "certifi"} <= {line.partition("==")[0] for line in lines}
    assert all("==" in line and " --hash=sha256:" in line for line in lines)


def test_only_the_oldest_python_may_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    with pytest.raises(NotReadyError, match=r"3\.12 may not serve 3\.11"):
        update(tmp_path)
