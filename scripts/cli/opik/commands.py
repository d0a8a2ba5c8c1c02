"""`llmctl opik`: change its version, log programs in, look at its health."""

import shlex
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core.azure import az
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment
from scripts.core.workspace import ROOT

if TYPE_CHECKING:
    from scripts.opik.cluster import OpikCluster
    from scripts.opik.versions import Version

    from .change import Change

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Upgrade Opik, roll it back, log programs in.",
)

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to the plan.")]
SkipBackup = Annotated[bool, typer.Option("--skip-backup", help="Go on without a backup of the disks.")]


@app.command("upgrade")
def upgrade(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A release of Opik such as 2.1.30.")],
    environment: Environment = None,
    *,
    yes: Yes = False,
    skip_backup: SkipBackup = False,
    sdk: Annotated[str | None, typer.Option(metavar="VERSION", help="SDK in use; warns when it does not fit.")] = None,
) -> None:
    """Take Opik to a newer version.

    Checks that the version may follow the one that runs, backs up all five disks with Azure Backup, brings the images,
    shows the plan and asks, deploys, follows the schema migrations, and waits until everything is healthy. The version
    then stands in the environment file as opik.version: commit it.

    Running it again after a failure goes on. `llmctl opik rollback` goes back where the schema allows.
    """
    from scripts.opik.history import running  # noqa: PLC0415
    from scripts.opik.versions import crossed, refused_upgrade, sdk_mismatch  # noqa: PLC0415

    name = environment or default_environment()
    wanted = _version(version)
    change, cluster, asked = _change(name, Consent(name, yes), skip_backup=skip_backup)
    now = running(cluster.history())
    if reason := refused_upgrade(now, wanted):
        raise OperatorError(reason, code=ExitCode.REFUSED)
    err.print(f"Opik in {name}: {now or 'nothing'} runs, {asked} is asked for, {wanted} is to come.", markup=False)
    for milestone in crossed(now, wanted) if now else ():
        err.print(f"On the way, {milestone.version}: {milestone.what}", markup=False)
    if sdk and (warning := sdk_mismatch(_version(sdk), wanted)):
        err.print(f"Warning: {warning}", markup=False)
    change.make(wanted)
    out.print(f"Opik {wanted} runs in {name}. SDKs: pip install opik=={wanted}. Commit environments/{name}.yaml.")


@app.command("rollback")
def rollback(
    environment: Environment = None,
    *,
    to: Annotated[str | None, typer.Option(metavar="VERSION", help="Left out: the version that ran before.")] = None,
    yes: Yes = False,
    skip_backup: SkipBackup = False,
) -> None:
    """Take Opik back to the version that ran before.

    Images and settings go back, the schema of the databases does not: no down-migration exists. So this compares what
    the databases have migrated with what the older version knows, and refuses, naming the migrations and what to
    restore instead, unless everything since only added what the older version does not look at.
    """
    from scripts.opik.migrations import changelogs  # noqa: PLC0415
    from scripts.opik.rollback import require_way_back, target_of  # noqa: PLC0415

    name = environment or default_environment()
    wanted = _version(to) if to else None
    change, cluster, asked = _change(name, Consent(name, yes), skip_backup=skip_backup)
    history = cluster.history()
    target = target_of(history, asked, wanted)
    with err.status("Comparing schema migrations"):
        require_way_back(cluster, history, target, changelogs())
    change.make(target)
    out.print(f"Opik {target} runs in {name}. SDKs: pip install opik=={target}. Commit environments/{name}.yaml.")


@app.command("empty-mysql")
def empty_mysql(
    environment: Environment = None,
    *,
    confirm: Annotated[
        str | None, typer.Option(metavar="DISK", help="Agree beforehand, by the name of MySQL's disk.")
    ] = None,
) -> None:
    """Delete a half-made data directory of MySQL, so that it can be initialised again.

    For one case only: the very first start of MySQL was cut off, and it never starts since. Refuses when MySQL runs or
    when the directory holds a single table of Opik. Shows what would be deleted and asks for the disk's name.
    """
    from scripts.cluster.kubectl import connect  # noqa: PLC0415
    from scripts.opik.mysql import empty_half_made  # noqa: PLC0415
    from scripts.terraform.outputs import outputs_of  # noqa: PLC0415

    found = outputs_of(environment or default_environment(), "disks", "aks")
    aks = found["aks"]
    disk = found["disks"]["mysql_disk_id"].rpartition("/")[2]
    empty_half_made(connect(aks["api_url"], aks["resource_group_name"], aks["cluster_name"]), disk, confirm)
    out.print("MySQL runs on a new, empty data directory; the backend's pods migrate it as they start.")


@app.command("token")
def token(environment: Environment = None) -> None:
    """Print a token for Opik's API, valid for about an hour, and nothing else.

    It is a token of your own Azure login, so you need to be in the access group. SDKs send it as
    `OPIK_API_KEY="Bearer $(llmctl opik token)"`.
    """
    from scripts.terraform.outputs import outputs_of  # noqa: PLC0415

    scope = outputs_of(environment or default_environment(), "identity")["identity"]["api_scope"]
    answer = az("account", "get-access-token", "--scope", scope, login=f"az login --scope {scope}")
    if not answer.get("accessToken"):
        raise OperatorError("the Azure CLI gave no token", f"az login --scope {scope}", ExitCode.NOT_READY)
    typer.echo(answer["accessToken"])


@app.command("env")
def env(
    environment: Environment = None,
    *,
    local: Annotated[
        int | None, typer.Option(metavar="PORT", help="For `llmctl port-forward opik` on this port, without a login.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the variables as JSON, without the key.")] = False,
) -> None:
    """Print what Opik's SDK and OpenTelemetry exporters need, for `eval "$(llmctl opik env)"`.

    The token itself is not printed: the shell asks for one when it evaluates the lines.
    """
    from scripts.core.targets import load_environment  # noqa: PLC0415
    from scripts.opik.sdk_environment import exports, sdk_variables  # noqa: PLC0415
    from stacks.common.hosts import Hosts  # noqa: PLC0415

    name = environment or default_environment()
    settings = load_environment(name)
    base = f"http://127.0.0.1:{local}" if local else f"https://{Hosts(settings.domain).opik}"
    variables = sdk_variables(base)
    if as_json:
        print_json(variables)
        return
    launcher = shlex.join([str(ROOT / "scripts" / "llmctl"), "opik", "token", name])
    for line in exports(variables, None if local else launcher):
        typer.echo(line)


@app.command("health")
def health(
    environment: Environment = None,
    *,
    inside: Annotated[bool, typer.Option("--inside", help="Leave the front door out.")] = False,
    sdk: Annotated[str | None, typer.Option(metavar="VERSION", help="SDK in use, compared with the server.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks for a program.")] = False,
) -> None:
    """Say whether Opik works: pods, migrations, page, backend with each store, version, certificate, login, API.

    Exit code 1 when something does not.
    """
    from scripts.applications.ingress import Check, print_checks  # noqa: PLC0415
    from scripts.cli.domain.commands import door_of, outside_checks  # noqa: PLC0415
    from scripts.core.targets import load_environment  # noqa: PLC0415
    from scripts.opik.cluster import OpikCluster  # noqa: PLC0415
    from scripts.opik.health import inside_checks  # noqa: PLC0415
    from scripts.opik.history import running  # noqa: PLC0415
    from scripts.opik.migrations import changelogs, migration_check  # noqa: PLC0415
    from scripts.opik.versions import sdk_mismatch  # noqa: PLC0415
    from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415

    from .change import current_version  # noqa: PLC0415

    name = environment or default_environment()
    asked = current_version(name)
    cluster = OpikCluster(kubectl_of(name))
    now = running(cluster.history())
    checks = [Check(f"deployed {now}", "" if now == asked else f"environments/{name}.yaml asks for {asked}")]
    checks += inside_checks(cluster, now)
    checks.append(migration_check(cluster, now or asked, changelogs()))
    if not inside:
        settings = load_environment(name)
        checks += outside_checks(door_of(settings), settings)
    if sdk:
        checks.append(Check(f"SDK {sdk}", sdk_mismatch(_version(sdk), now or asked)))
    if as_json:
        print_json(
            {
                "environment": name,
                "ok": not any(check.problem for check in checks),
                "checks": [asdict(check) for check in checks],
            }
        )
    else:
        print_checks(checks)
    if any(check.problem for check in checks):
        raise typer.Exit(ExitCode.FAILED)


def _version(text: str) -> "Version":
    from scripts.opik.versions import Version  # noqa: PLC0415

    try:
        return Version.parse(text)
    except ValueError as error:
        raise OperatorError(str(error), code=ExitCode.USAGE) from None


def _change(environment: str, consent: Consent, *, skip_backup: bool) -> "tuple[Change, OpikCluster, Version]":
    """Return what changes the version, Opik's cluster, and the version that the environment file asks for."""
    from scripts.cluster.kubectl import connect  # noqa: PLC0415
    from scripts.opik.cluster import OpikCluster  # noqa: PLC0415
    from scripts.opik.disk_backup import Vault, back_up, disks_of  # noqa: PLC0415
    from scripts.opik.migrations import changelogs  # noqa: PLC0415
    from scripts.terraform.outputs import outputs_of  # noqa: PLC0415

    from .change import Change, current_version  # noqa: PLC0415

    asked = current_version(environment)
    found = outputs_of(environment, "disks", "aks")
    aks = found["aks"]
    cluster = OpikCluster(connect(aks["api_url"], aks["resource_group_name"], aks["cluster_name"]))
    backup = partial(
        back_up,
        Vault.of(found["disks"]["backup_vault_id"]),
        disks_of(found["disks"]),
        lambda text: err.print(text, markup=False),
    )
    back = f"`llmctl opik rollback {environment}`"
    change = Change(environment, cluster, consent, back, None if skip_backup else backup, changelogs())
    return change, cluster, asked
