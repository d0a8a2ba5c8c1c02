"""`llmctl opik token` and `env`: how programs log in to Opik."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.opik import commands as opik
from scripts.cli.tools import Tools as CommandTools
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import ROOT
from tests.support.cli.fake_tools import Tools, install
from tests.support.cli.operated_environment import OUTPUTS, outputs_of


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    return install(tmp_path / "tools", monkeypatch)


def run(*words: str, checkout: Path = ROOT) -> Result:
    return CliRunner().invoke(opik.app, words, obj=CommandTools(outputs_of=outputs_of, checkout=checkout))


def refused(*words: str) -> OperatorError:
    result = run(*words)
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def test_a_token_is_printed_alone_and_passed_on_by_no_argument(tools: Tools) -> None:
    tools.write("token", "ey.abc.def")
    result = run("token", "dev")
    assert (result.stdout, result.stderr) == ("ey.abc.def\n", "")
    assert tools.calls == [
        ["az", "account", "get-access-token", "--scope", OUTPUTS["identity"]["api_scope"], "--output", "json"]
    ]


@pytest.mark.usefixtures("tools")
def test_without_a_login_the_command_that_logs_in_is_given() -> None:
    error = refused("token", "dev")
    assert error.message == "az account get-access-token failed: Please run 'az login' to setup account."
    assert error.fix == f"az login --scope {OUTPUTS['identity']['api_scope']}"
    assert error.code == ExitCode.NOT_READY


def shell(lines: str, *names: str, path: Path | None = None) -> list[str]:
    """Return the variables after a POSIX shell has evaluated `lines`."""
    script = f"eval {shlex.quote(lines)}\n" + "".join(f'printf "%s\\n" "${name}"\n' for name in names)
    found = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, cwd=path).stdout
    return found.splitlines()


def test_the_sdks_variables_hold_no_token_until_a_shell_asks_for_one(
    tmp_path: Path,
) -> None:
    root = tmp_path / "a checkout"
    (root / "scripts").mkdir(parents=True)
    (root / "scripts" / "llmctl").write_text('#!/bin/sh\n[ "$*" = "opik token dev" ] && echo ey.abc.def\n')
    (root / "scripts" / "llmctl").chmod(0o755)
    lines = run("env", "dev", checkout=root).stdout
    assert "ey.abc.def" not in lines
    names = (
        "OPIK_URL_OVERRIDE",
        "OPIK_WORKSPACE",
        "OPIK_API_KEY",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
    )
    assert shell(lines, *names) == [
        "https://opik.llm-dev.example.com/api/",
        "default",
        "Bearer ey.abc.def",
        "https://opik.llm-dev.example.com/api/v1/private/otel",
        "Comet-Workspace=default,Authorization=Bearer%20ey.abc.def",
    ]


def test_a_shell_notices_when_there_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "llmctl").write_text("#!/bin/sh\nexit 5\n")
    (tmp_path / "scripts" / "llmctl").chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        shell(run("env", "dev", checkout=tmp_path).stdout, "OPIK_API_KEY")


def test_a_forwarded_port_needs_no_key() -> None:
    lines = run("env", "dev", "--local", "5173").stdout
    assert "token" not in lines
    assert shell(lines, "OPIK_URL_OVERRIDE") == ["http://127.0.0.1:5173/api/"]
    assert json.loads(run("env", "dev", "--json").stdout)["OPIK_WORKSPACE"] == "default"
