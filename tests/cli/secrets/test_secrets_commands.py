"""`llmctl secrets`: each secret has its place and its readers, and no value is printed or stands on a command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.secrets.commands import LARGEST_BYTES, app
from scripts.cli.tools import Tools
from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings.secrets.names import SECRETS
from tests.support.backup.azure import FakeAzure
from tests.support.cli.operated_environment import Operated, deploy_once, operate
from tests.support.cli.terminals import Answering, Nobody

VALUE = "planted" + "-value-of-hugging-face"


def run(
    *words: str, azure: FakeAzure | None = None, given: str | bytes = "", terminal: Terminal | None = None
) -> Result:
    found = azure or FakeAzure()
    tools = Tools(azure_of=lambda _subscription: found.azure(), terminal=terminal or Nobody())
    return CliRunner().invoke(app, words, obj=tools, input=given)


def refused(*words: str, given: str | bytes = "") -> OperatorError:
    azure = FakeAzure()
    error = run(*words, azure=azure, given=given).exception
    assert isinstance(error, OperatorError)
    assert azure.calls == []
    return error


def shown(*words: str, azure: FakeAzure | None = None) -> dict[str, dict[str, object]]:
    listed = json.loads(run("where", "dev", "--json", *words, azure=azure).stdout)
    return {row["name"]: row for row in listed["secrets"]}


def test_every_secret_has_readers_and_places() -> None:
    found = shown()
    assert {str(name) for name in SECRETS} | {"hugging-face-token", "alert-webhook-url"} <= found.keys()
    assert found["gateway-chat-key"]["readers"] == ["chat", "gateway"]
    assert found["gateway-chat-key"]["secrets"] == ["chat/chat-secrets", "gateway/gateway-secrets"]
    assert found["database-administrator-password"]["also"] == "PostgreSQL, and the Job of the databases while it runs"


def test_the_screen_says_how_each_one_is_renewed() -> None:
    lines = run("where", "dev").stdout.splitlines()
    assert lines[0].startswith("Secrets of dev, in the vault llm-dev-")
    chat = lines.index("gateway-chat-key")
    assert lines[chat + 1 : chat + 4] == [
        "  read by  chat, gateway",
        "  copy in  chat/chat-secrets, gateway/gateway-secrets",
        "  renew    llmctl secrets rotate gateway-chat-key dev; version 1 now",
    ]
    mysql = lines.index("opik-mysql-password")
    assert lines[mysql + 3] == "  renew    not by version: MySQL reads it only while its disk is empty"
    token = lines.index("hugging-face-token")
    assert lines[token + 2] == "  renew    llmctl secrets set hugging-face-token dev < FILE"


def test_the_vault_is_asked_which_it_has_and_for_no_value() -> None:
    azure = FakeAzure(secrets={"vllm-api-key": [("v1", VALUE, True)]})
    found = shown("--check", azure=azure)
    assert (found["vllm-api-key"]["in_vault"], found["chat-secret-key"]["in_vault"]) == (True, False)
    assert not [call for call in azure.calls if "download" in call or "show" in call]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_value_comes_from_the_input_and_is_on_no_command_line_and_no_screen(ending: str) -> None:
    azure = FakeAzure()
    result = run("set", "hugging-face-token", "dev", azure=azure, given=VALUE + ending)
    assert result.exit_code == 0, result.output
    assert [value for _, value, _ in azure.secrets["hugging-face-token"]] == [VALUE]
    assert VALUE not in str(azure.calls) + result.output
    assert "Next: `llmctl deploy dev platform`" in result.stdout


def test_a_person_is_asked_without_an_echo() -> None:
    class Hidden(Answering):
        def hidden(self, question: str) -> str:
            self.asked.append(question)
            return VALUE

    azure, person = FakeAzure(), Hidden(iter([]))
    assert run("set", "alert-webhook-url", "dev", azure=azure, terminal=person).exit_code == 0
    assert person.asked == ["alert-webhook-url: "]
    assert azure.secrets["alert-webhook-url"][-1][1] == VALUE


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"a\0b", "holds a zero byte"),
        ("x" * (LARGEST_BYTES + 1), f"a vault takes {LARGEST_BYTES}"),
    ],
)
def test_a_value_that_cannot_be_one_is_refused_before_the_vault_is_asked(given: str | bytes, said: str) -> None:
    error = refused("set", "hugging-face-token", "dev", given=given)
    assert said in error.message
    assert error.code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set", "vllm-api-key", "dev"), ExitCode.REFUSED, "is drawn by the platform"),
        (("set", "nosuch", "dev"), ExitCode.USAGE, "dev has no secret 'nosuch'"),
        (("set", "kept-acme-account", "dev"), ExitCode.USAGE, "has no secret"),
        (("rotate", "hugging-face-token", "dev"), ExitCode.REFUSED, "is written by people"),
        (("rotate", "opik-mysql-password", "dev"), ExitCode.REFUSED, "MySQL reads it only while its disk is empty"),
        (("rotate", "opik-encryption-key", "dev"), ExitCode.REFUSED, "is not rotated by version"),
        (("rotate", "vllm-api-key", "dev"), ExitCode.REFUSED, ""),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(words: tuple[str, ...], code: ExitCode, said: str) -> None:
    error = refused(*words, given=VALUE)
    assert error.code is code
    assert said in error.message


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), monkeypatch)


@pytest.mark.programs
def test_a_rotation_raises_the_version_in_the_file_and_deploys_vault_and_readers(
    deployed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operated: Operated = operate(deployed, tmp_path / "checkout", monkeypatch)
    result = CliRunner().invoke(app, ["rotate", "vllm-api-key", "dev", "--yes"], obj=operated.command_tools)
    assert result.exit_code == ExitCode.OK, result.output
    assert "secrets:\n  versions:\n    vllm-api-key: 2\n" in operated.text
    assert "Commit environments/dev.yaml" in result.stdout
    again = CliRunner().invoke(app, ["rotate", "vllm-api-key", "dev", "--yes"], obj=operated.command_tools)
    assert again.exit_code == ExitCode.OK, again.output
    assert "vllm-api-key: 3" in operated.text
