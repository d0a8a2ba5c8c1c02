"""`llmctl env` checks, lists and writes environment files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.env import commands as env
from scripts.cli.env.new import write_new
from scripts.cli.tools import Tools as CommandTools
from scripts.core.console import Terminal
from scripts.core.deployed_record import local_records
from scripts.core.environment_check import Verdict
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import ROOT, Workspace
from stacks.settings import LocatedError, load_settings
from stacks.settings.azure_catalog.regions import WITHOUT_ZONES
from tests.support.cli.terminals import Nobody, answering

SUBSCRIPTION = "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90"
ANSWERS = {
    "--subscription": SUBSCRIPTION,
    "--region": "westeurope",
    "--domain": "llm.acme.io",
    "--email": "ops@acme.io",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with the environments of the repository, in which the commands work."""
    (tmp_path / "environments").mkdir()
    for name in ("dev", "prod"):
        source = ROOT / "environments" / f"{name}.yaml"
        (tmp_path / "environments" / source.name).write_text(source.read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return run_at(Nobody(), *words)


def run_at(terminal: Terminal, *words: str) -> Result:
    return CliRunner().invoke(env.app, words, obj=CommandTools(terminal=terminal, checkout=Path.cwd()))


def new(name: str, **changed: str) -> Result:
    options = ANSWERS | {f"--{option.replace('_', '-')}": value for option, value in changed.items()}
    return run("new", name, *(word for pair in options.items() for word in pair))


def commit(root: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=root, check=True)


def edit(root: Path, old: str, new_text: str, name: str = "dev") -> None:
    path = root / "environments" / f"{name}.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new_text))


@pytest.mark.usefixtures("root")
def test_sound_files_are_told_with_what_is_still_to_be_written() -> None:
    result = run("check", "--all", "--json")
    assert result.exit_code == ExitCode.OK
    dev, prod = json.loads(result.stdout)["environments"]
    assert (dev["name"], dev["ok"], prod["ok"]) == ("dev", True, True)
    assert any("azure.subscription_id" in note for note in dev["notes"])


def test_faults_are_told_line_by_line_and_end_with_their_own_exit_code(root: Path) -> None:
    edit(root, "B_Standard_B2s", "B_Standard_B1ms")
    result = run("check", "dev")
    assert result.exit_code == ExitCode.SETTINGS
    (line,) = result.stdout.splitlines()
    assert line.startswith("environments/dev.yaml:")
    assert "database.sku = B_Standard_B1ms: has 35 connections" in line


def test_a_program_gets_every_part_of_a_fault(root: Path) -> None:
    edit(root, "B_Standard_B2s", "B_Standard_B1ms")
    ((verdict),) = json.loads(run("check", "dev", "--json").stdout)["environments"]
    (fault,) = verdict["faults"]
    assert (fault["file"], fault["key"], fault["value"]) == ("environments/dev.yaml", "database.sku", "B_Standard_B1ms")
    lines = (root / "environments" / "dev.yaml").read_text().splitlines()
    assert "B_Standard_B1ms" in lines[fault["line"] - 1]


def test_a_size_that_shrinks_since_the_last_commit_is_a_fault(root: Path) -> None:
    commit(root)
    edit(root, "mysql_gib: 16", "mysql_gib: 12")
    result = run("check", "dev")
    assert result.exit_code == ExitCode.SETTINGS
    assert "disks.mysql_gib = 12: cannot shrink from 16" in result.stdout


def test_a_size_that_shrinks_since_the_deployment_is_a_fault_once(root: Path) -> None:
    commit(root)
    edit(root, "mysql_gib: 16", "mysql_gib: 12")
    state = root / "state" / "dev"
    state.mkdir(parents=True)
    sizes = {"outputs": {"sizes_gib": {"value": {"mysql": 14, "chat-uploads": 900}, "type": "…"}}}
    (state / "disks.tfstate").write_text(json.dumps(sizes))
    result = run("check", "dev")
    assert result.exit_code == ExitCode.SETTINGS
    assert result.stdout.count("disks.mysql_gib") == 1
    assert "disks.chat_uploads_gib = 100 (default): cannot shrink from 900" in result.stdout


@pytest.mark.parametrize("state", ["", "{}", "[]", '{"outputs": {"sizes_gib": {"value": {"mysql": "x"}}}}', "\x00"])
def test_a_state_without_a_record_is_left_alone(state: str, tmp_path: Path) -> None:
    (tmp_path / "disks.tfstate").write_text(state)
    assert local_records(tmp_path).get("disks", {}) == {}
    assert local_records(tmp_path / "absent") == {}


def test_whatever_cannot_go_back_is_compared_with_the_record_of_each_stack(root: Path) -> None:
    """The same rule for what B5 names: versions, weights' shares, Prometheus' disk, vectors."""
    state = root / "state" / "dev"
    state.mkdir(parents=True)
    records = {
        "disks": {"opik.version": "2.1.30", "opik.enabled": "true", "serving.vllm_store_gib": "500"},
        "database": {"chat.embeddings.dimensions": "768", "versions.litellm": "v99.0.0"},
        "platform": {"monitoring.prometheus_disk_gib": "128"},
    }
    for stack, record in records.items():
        outputs = {"outputs": {"one_way": {"value": record, "type": ["map", "string"]}}}
        (state / f"{stack}.tfstate").write_text(json.dumps(outputs))
    result = run("check", "dev", "--json")
    assert result.exit_code == ExitCode.SETTINGS
    faults = {fault["key"]: fault["message"] for fault in json.loads(result.stdout)["environments"][0]["faults"]}
    assert faults.keys() == {
        "opik.version",
        "serving.vllm_store_gib",
        "chat.embeddings.dimensions",
        "versions.litellm",
        "monitoring.prometheus_disk_gib",
    }
    assert faults["opik.version"].startswith("cannot go back from 2.1.30: its databases are migrated")


def test_a_remote_state_that_cannot_be_read_is_told_and_stops_nothing(root: Path) -> None:
    remote = "state:\n  backend: azurerm\n  azurerm: {resource_group: tfstate, storage_account: tfstate0001}\n"
    path = root / "environments" / "dev.yaml"
    path.write_text(path.read_text() + remote)

    def unreachable(_name: str) -> Workspace:
        raise OperatorError("the storage account does not answer")

    tools = CommandTools(terminal=Nobody(), checkout=root, workspace=unreachable)
    result = CliRunner().invoke(env.app, ["check", "dev", "--json"], obj=tools)
    assert result.exit_code == ExitCode.OK, result.output
    notes = json.loads(result.stdout)["environments"][0]["notes"]
    assert any("cannot be read: the storage account does not answer" in note for note in notes)


def test_a_committed_file_that_was_not_sound_is_only_noted(root: Path) -> None:
    edit(root, "B_Standard_B2s", "B_Standard_B1ms")
    commit(root)
    edit(root, "B_Standard_B1ms", "B_Standard_B2s")
    result = run("check", "dev", "--json")
    assert result.exit_code == ExitCode.OK
    assert any("HEAD is not sound" in note for note in json.loads(result.stdout)["environments"][0]["notes"])


@pytest.mark.usefixtures("root")
def test_a_missing_environment_is_a_fault_of_the_settings() -> None:
    result = run("check", "nope")
    assert result.exit_code == ExitCode.SETTINGS
    assert "environments/nope.yaml: does not exist; there are dev, prod" in result.stdout


@pytest.mark.usefixtures("root")
def test_environments_are_listed() -> None:
    rows: list[dict[str, Any]] = json.loads(run("list", "--json").stdout)["environments"]
    assert [(row["name"], row["domain"]) for row in rows] == [
        ("dev", "llm-dev.example.com"),
        ("prod", "llm.example.com"),
    ]
    assert "westeurope" in run("list").stdout


@pytest.mark.parametrize("region", ["westeurope", sorted(WITHOUT_ZONES)[0]])
def test_a_new_environment_is_sound_and_says_what_was_answered(root: Path, region: str) -> None:
    groups = {"access_group": SUBSCRIPTION, "opik_group": SUBSCRIPTION.replace("4", "5")}
    assert new("staging", region=region, **groups).exit_code == ExitCode.OK
    written = load_settings("staging", root / "environments")
    assert (written.azure.subscription_id, written.azure.region) == (SUBSCRIPTION, region)
    assert (written.domain, written.ingress.acme_email) == ("llm.acme.io", "ops@acme.io")
    assert written.identity.access_group_object_id == SUBSCRIPTION
    assert written.opik.access_group_object_id == SUBSCRIPTION.replace("4", "5")
    assert written.gateway.trace_chats is False
    assert run("check", "staging", "--json").stdout.count("placeholder") == 0
    assert [path.name for path in (root / "environments").glob(".*")] == []


def test_an_operators_group_is_asked_for_and_written(root: Path) -> None:
    assert new("staging", operators_group=SUBSCRIPTION).exit_code == ExitCode.OK
    assert load_settings("staging", root / "environments").operators.object_ids == (SUBSCRIPTION,)
    assert "only whoever deploys first" not in run("check", "staging").stdout


def test_a_file_without_operators_is_sound_with_a_warning(root: Path) -> None:
    assert new("staging", operators_group="").exit_code == ExitCode.OK
    assert load_settings("staging", root / "environments").operators.object_ids == ()
    result = run("check", "staging", "--json")
    assert result.exit_code == ExitCode.OK
    (verdict,) = json.loads(result.stdout)["environments"]
    warned = [note for note in verdict["notes"] if note.startswith("operators.object_ids: only whoever deploys first")]
    assert len(warned) == 1
    assert (Path(__file__).parents[3] / "docs" / "how-to" / "operators.md").is_file()


def test_an_environment_that_exists_is_never_overwritten(root: Path) -> None:
    before = (root / "environments" / "dev.yaml").read_bytes()
    result = new("dev")
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code is ExitCode.REFUSED
    with pytest.raises(OperatorError, match="exists"):
        write_new(root / "environments", "dev", "name: other\n")
    assert (root / "environments" / "dev.yaml").read_bytes() == before
    assert [path.name for path in (root / "environments").glob(".*")] == []


@pytest.mark.parametrize(
    ("option", "answer", "told"),
    [
        ("subscription", "4a5f", "must be a GUID"),
        ("region", "westeuorpe", "did you mean westeurope?"),
        ("region", "west europe", "must be an Azure region"),
        ("region", "atlantis", "is no Azure region"),
        ("domain", "10.0.0.1", "is an IP address"),
        ("email", "a..b@acme.io", "must be an e-mail address"),
        ("email", "x@@acme.io", "must be an e-mail address"),
        ("domain", "acme", "must be a DNS name"),
        ("domain", "a: [b", "must be a DNS name"),
        ("domain", "x'\ny: z", "must be a DNS name"),
        ("email", "nobody", "must be an e-mail address"),
        ("access_group", "users", "must be a GUID"),
        ("operators_group", "admins", "must be a GUID"),
        ("opik_group", "everybody", "must be a GUID"),
    ],
)
def test_an_answer_that_is_not_sound_is_refused_before_anything_is_written(
    root: Path, option: str, answer: str, told: str
) -> None:
    result = new("staging", **{option: answer})
    assert isinstance(result.exception, OperatorError)
    assert told in result.exception.message
    assert not (root / "environments" / "staging.yaml").exists()


@pytest.mark.usefixtures("root")
def test_without_a_terminal_the_missing_options_are_named() -> None:
    result = run("new", "staging", "--region", "westeurope")
    assert isinstance(result.exception, OperatorError)
    assert result.exception.message.endswith("missing: --subscription, --domain, --email")
    assert result.exception.code is ExitCode.USAGE


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("name", ["Staging", "x", "averylongname", "../dev"])
def test_a_name_that_azure_names_cannot_hold_is_refused(name: str) -> None:
    result = new(name)
    assert isinstance(result.exception, OperatorError)
    assert "must be 2 to 10 lower-case letters and digits" in result.exception.message


def test_questions_are_asked_until_the_answer_is_valid(root: Path) -> None:
    answers = ["", "nonsense", SUBSCRIPTION, "westeurope", "", "llm.acme.io", "ops@acme.io", "", "", "", ""]
    asked = run_at(answering(answers), "new", "staging")
    assert asked.exit_code == ExitCode.OK
    written = load_settings("staging", root / "environments")
    assert (written.identity.access_group_object_id, written.opik.access_group_object_id) == (None, None)


PRIVATE = ("--subscription", SUBSCRIPTION, "--region", "westeurope", "--exposure", "private")


@pytest.mark.parametrize(
    ("options", "zone", "tailscale"),
    [
        ((), "llm.internal", False),
        (("--tailscale", "yes", "--zone", "ai.corp.acme.io"), "ai.corp.acme.io", True),
        (("--tailscale", "no"), "llm.internal", False),
    ],
)
def test_a_private_environment_needs_no_domain_of_the_internet(
    root: Path, options: tuple[str, ...], zone: str, tailscale: bool
) -> None:
    assert run("new", "staging", *PRIVATE, *options).exit_code == ExitCode.OK
    written = load_settings("staging", root / "environments")
    assert (written.is_private, written.domain) == (True, zone)
    assert (written.private_access.tailscale is not None) is tailscale
    checked = run("check", "staging")
    assert checked.exit_code == ExitCode.OK, checked.output


def test_a_second_private_environment_has_a_zone_of_its_own(root: Path) -> None:
    assert run("new", "first", *PRIVATE).exit_code == ExitCode.OK
    again = run("new", "second", *PRIVATE)
    assert isinstance(again.exception, OperatorError)
    assert "is also the domain of environments/first.yaml" in again.exception.message
    assert run("new", "second", *PRIVATE, "--zone", "ai.internal").exit_code == ExitCode.OK
    assert load_settings("second", root / "environments").domain == "ai.internal"


def test_a_person_is_asked_for_what_private_access_needs(root: Path) -> None:
    answers = [SUBSCRIPTION, "westeurope", "private", "maybe", "yes", "", "", "", "", ""]
    assert run_at(answering(answers), "new", "staging").exit_code == ExitCode.OK
    assert load_settings("staging", root / "environments").private_access.tailscale is not None


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((*PRIVATE, "--email", "ops@acme.io"), "--email is for --exposure public alone"),
        ((*PRIVATE, "--tailscale", "perhaps"), "--tailscale 'perhaps' must be yes or no"),
        ((*PRIVATE[:4], "--exposure", "secret"), "--exposure 'secret' "),
        ((*PRIVATE, "--zone", "llm.ts.net"), "--zone 'llm.ts.net' is among Tailscale's own names"),
    ],
)
def test_answers_that_do_not_fit_the_exposure_are_refused(options: tuple[str, ...], said: str) -> None:
    refused = run("new", "staging", *options)
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.message.startswith(said)


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("co.uk", "is a public suffix"),
        ("github.io", "is a public suffix"),
        ("llm.acme.intern", "ends in .intern, which is no top-level domain"),
        ("llm-dev.example.com", "is also the domain of environments/dev.yaml"),
    ],
)
def test_a_domain_that_cannot_be_ones_own_is_no_answer(root: Path, domain: str, said: str) -> None:
    refused = new("staging", domain=domain)
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.code is ExitCode.USAGE
    assert refused.exception.message.startswith(f"--domain '{domain}' {said}")
    assert not (root / "environments" / "staging.yaml").exists()


@pytest.mark.parametrize(
    ("state", "backend", "says"),
    [
        ("azurerm:tfstate/tfstate0001", "azurerm", "`llmctl state bootstrap staging`"),
        ("hcp:acme", "hcp", "llmctl env check staging"),
        ("local", "local", "state/staging/ of this checkout holds the state: keep it; nobody else and no pipeline"),
        ("", "local", "nobody else and no pipeline can deploy"),
    ],
)
def test_a_new_environment_says_where_its_state_is_kept_and_what_that_means(
    root: Path, state: str, backend: str, says: str
) -> None:
    written = new("staging", state=state)
    assert written.exit_code == ExitCode.OK, written.output
    assert load_settings("staging", root / "environments").state.backend == backend
    assert says in " ".join(written.stderr.split())
    assert ("nobody else and no pipeline" in (root / "environments" / "staging.yaml").read_text()) is (
        backend == "local"
    )


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("state", ["blob", "azurerm:", "azurerm:group", "hcp:", "hcp:a b"])
def test_a_place_for_the_state_that_is_none_is_a_wrong_command_line(state: str) -> None:
    refused = new("staging", state=state)
    assert isinstance(refused.exception, OperatorError)
    assert refused.exception.code is ExitCode.USAGE
    assert refused.exception.message.startswith(f"--state '{state}' ")


@pytest.mark.usefixtures("root")
def test_what_is_given_is_checked_before_anything_is_asked_or_missing() -> None:
    nobody = run("new", "staging", "--region", "atlantis")
    assert isinstance(nobody.exception, OperatorError)
    assert "--region 'atlantis' is no Azure region" in nobody.exception.message
    terminal = answering([])
    somebody = run_at(terminal, "new", "staging", "--email", "a..b@acme.io")
    assert isinstance(somebody.exception, OperatorError)
    assert "must be an e-mail address" in somebody.exception.message
    assert terminal.asked == []


def test_questions_end_after_some_attempts_in_a_whole_sentence(root: Path) -> None:
    asked = run_at(answering("nonsense"), "new", "staging")
    assert isinstance(asked.exception, OperatorError)
    assert asked.exception.message == (
        "none of 5 answers for --subscription is valid: it must be a GUID such as "
        "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90; nothing was written"
    )
    assert asked.exception.code is ExitCode.USAGE
    assert not (root / "environments" / "staging.yaml").exists()


@pytest.mark.parametrize(
    ("answers", "flag"),
    [
        ([], "--subscription"),
        ([SUBSCRIPTION, "nonsense"], "--region"),
        ([SUBSCRIPTION, "westeurope", "", "llm.acme.io", "ops@acme.io", ""], "--operators-group"),
    ],
)
def test_input_that_ends_is_no_answer_not_even_an_empty_one(root: Path, answers: list[str], flag: str) -> None:
    terminal = answering([*answers, None])
    asked = run_at(terminal, "new", "staging")
    assert isinstance(asked.exception, OperatorError)
    assert asked.exception.message == f"the input ended before {flag} was answered, and nothing was written"
    assert len(terminal.asked) == len(answers) + 1
    assert not (root / "environments" / "staging.yaml").exists()


@pytest.mark.usefixtures("root")
def test_all_that_matters_is_asked_and_every_host_is_named() -> None:
    terminal = answering([SUBSCRIPTION, "westeurope", "", "llm.acme.io", "ops@acme.io", "", "", "", ""])
    assert run_at(terminal, "new", "staging").exit_code == ExitCode.OK
    assert len(terminal.asked) == 9
    domain, operators, state = terminal.asked[3], terminal.asked[6], terminal.asked[8]
    assert all(f"{host}.…" in domain for host in ("chat", "api", "opik", "grafana"))
    assert "administers cluster and vault" in operators
    assert "Where Terraform keeps its state" in state


def test_schema_and_reference_are_printed() -> None:
    assert json.loads(run("schema").stdout)["properties"].keys() >= {"azure", "models"}
    assert run("docs").stdout.startswith("# The environment file")


@pytest.mark.parametrize(
    ("file", "sum_"),
    [("environments/dev.yaml", "environments/dev.yaml has 1 error."), ("helm/charts.yaml", "dev has 1 error.")],
)
def test_the_sum_names_the_environment_file_only_for_errors_in_it(
    file: str, sum_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = LocatedError(file=file, line=None, key="", value="", message="is empty")
    env.show_verdict(Verdict(name="dev", settings=None, errors=(error,)))
    assert sum_ in capsys.readouterr().err
