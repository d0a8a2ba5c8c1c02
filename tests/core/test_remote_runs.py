"""What works on states with Terraform on this machine refuses where HCP Terraform runs it, in one sentence."""

import pytest
from typer.testing import CliRunner

from scripts.cli.adopt import commands as adopt
from scripts.cli.database import commands as database
from scripts.cli.restore import commands as restore
from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.remote_runs import refuse_remote_runs
from stacks.settings import Settings, load_settings


def settings(**state: object) -> Settings:
    found = load_settings("dev")
    return Settings.model_validate(found.model_dump(exclude_unset=True) | {"state": state})


REMOTE = {"backend": "hcp", "hcp": {"organization": "acme"}}


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (restore.app, ["dev"]),
        (database.app, ["restore", "dev", "--to", "2026-11-01T12:00:00Z"]),
        (adopt.app, ["disks", "dev", "--resource-group", "old"]),
    ],
)
def test_each_such_command_refuses_before_it_asks_anything(app: object, words: list[str]) -> None:
    tools = Tools(load=lambda _name: settings(**REMOTE))
    done = CliRunner().invoke(app, words, obj=tools)  # type: ignore[arg-type]
    assert isinstance(done.exception, OperatorError), done.output
    assert done.exception.code is ExitCode.REFUSED
    assert "is run by HCP Terraform" in done.exception.message
    assert "set state.hcp.execution to local" in done.exception.fix


def test_a_state_in_hcp_terraform_is_no_hindrance_where_runs_are_local() -> None:
    environment = settings(backend="hcp", hcp={"organization": "acme", "execution": "local"})
    refuse_remote_runs(environment.name, environment.state, "llmctl restore")
    environment = load_settings("dev")
    refuse_remote_runs(environment.name, environment.state, "llmctl restore")
