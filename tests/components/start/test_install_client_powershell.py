"""The client installer for Windows, as far as it can be checked without PowerShell: its grammar, and what it calls."""

import re
from collections.abc import Iterator
from pathlib import Path

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.start.installers import installer_files
from tests.support.start.page import private

APPROVED = {"Get", "ConvertTo", "Test", "Install", "Uninstall", "Invoke"}
"""Of the verbs that Get-Verb lists (learn.microsoft.com, "Approved Verbs for PowerShell Commands"), those in use."""
BROUGHT_ALONG = {
    "ConvertFrom-Json", "ConvertTo-Json", "ForEach-Object", "Get-ChildItem", "Get-Command", "Get-Content",
    "Import-Certificate", "Invoke-WebRequest", "Join-Path", "New-Item", "New-ItemProperty", "New-Object", "Remove-Item",
    "Resolve-DnsName", "Set-Content", "Set-StrictMode", "Sort-Object", "Split-Path", "Test-Path", "Where-Object",
    "Write-Output",
}  # fmt: skip
"""Cmdlets of Windows PowerShell 5.1, by their whole names: no alias, nothing that evaluates text."""


def script() -> str:
    return installer_files(enabled_components(private()))["install-client.ps1"]


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def tree(text: str = "") -> Node:
    return Parser(Language(tree_sitter_powershell.language())).parse((text or script()).encode()).root_node


def texts(kind: str) -> list[str]:
    return [(node.text or b"").decode() for node in nodes(tree()) if node.type == kind]


def test_it_is_powershell_as_is_what_tries_it_on_windows() -> None:
    trial = (Path(__file__).parents[3] / "scripts" / "ci" / "windows-installer.ps1").read_text("utf-8")
    assert trial.isascii()
    for text in (script(), trial):
        assert [node.start_point for node in nodes(tree(text)) if node.is_error or node.is_missing] == []


def test_it_calls_cmdlets_by_their_names_and_its_own_functions_by_approved_verbs() -> None:
    own = set(texts("function_name"))
    assert {name.partition("-")[0] for name in own} == APPROVED
    # What comes after `&` is a program, by a variable.
    called = {name for name in texts("command_name") if not name.startswith("$")}
    assert called - own == BROUGHT_ALONG


def test_windows_powershell_reads_it_whatever_its_code_page() -> None:
    assert script().isascii()
    assert "@" not in re.sub(r"@[({]", "", script())


def test_programs_that_report_on_standard_error_run_where_errors_do_not_stop() -> None:
    """Where errors stop the script, Windows PowerShell 5.1 stops at the first line that a program writes there."""
    functions = [text for text in texts("function_statement") if "& $keytool" in text]
    assert len(functions) == script().count("& $keytool") == 1
    assert "$ErrorActionPreference = 'Continue'" in functions[0]
