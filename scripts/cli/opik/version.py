"""`llmctl opik upgrade` and `rollback`: another version of Opik."""

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from scripts.cli.options import Environment, Yes
from scripts.cli.tools import Tools, tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out, report
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.deployment.going_back import OPIK, OPIK_IMAGES
from scripts.opik.cluster import OpikCluster
from scripts.opik.desired import desired_version
from scripts.opik.disk_backup import Vault, back_up, disks_of
from scripts.opik.history import running
from scripts.opik.rollback import require_way_back, target_of
from scripts.opik.versions import Version, crossed, refused_upgrade, sdk_mismatch
from scripts.terraform.outputs import connected
from stacks.common.maintenance import minutes_until

from .change import Change

QUIET_MINUTES = 120
"""No change of Opik begins so shortly before the maintenance window: node images are replaced in it, and a pod that is
moved while it migrates leaves half a schema."""
NearMaintenance = Annotated[
    bool, typer.Option("--near-maintenance", help="Go on although AKS may replace nodes meanwhile.")
]
SkipBackup = Annotated[bool, typer.Option("--skip-backup", help="Do not back up the disks first.")]


def upgrade(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A release of Opik, such as 2.1.30.")],
    environment: Environment = None,
    *,
    yes: Yes = False,
    skip_backup: SkipBackup = False,
    near_maintenance: NearMaintenance = False,
    sdk: Annotated[str | None, typer.Option(metavar="VERSION", help="SDK in use; warns if incompatible.")] = None,
) -> None:
    """Upgrade Opik to a newer version.

    Checks that the upgrade path is supported, backs up all five disks with Azure Backup, brings the images, shows the
    plan and asks, deploys, follows the schema migrations, and waits until everything is healthy. The environment file
    then has the version as opik.version: commit it.

    Running it again after a failure continues. `llmctl opik rollback` goes back where the schema allows.

    Examples: `llmctl opik upgrade 2.1.30 dev`, `llmctl opik upgrade 2.1.30 prod --yes`
    """
    tools, name = tools_of(context), environment or default_environment()
    target = parsed_version(version)
    _require_quiet(name, tools, anyway=near_maintenance)
    change, cluster, asked = _change(name, tools, yes=yes, skip_backup=skip_backup)
    now = running(cluster.history())
    if reason := refused_upgrade(now, target):
        raise OperatorError(reason, code=ExitCode.REFUSED)
    err.print(
        f"Opik in {name}: {now or 'nothing'} runs, the file asks for {asked}, target is {target}.",
        markup=False,
    )
    for milestone in crossed(now, target) if now else ():
        err.print(f"Passing {milestone.version}: {milestone.what}", markup=False)
    if sdk and (warning := sdk_mismatch(parsed_version(sdk), target)):
        err.print(f"Warning: {warning}", markup=False)
    change.make(target)
    out.print(f"Opik {target} runs in {name}. SDKs: pip install opik=={target}. Commit environments/{name}.yaml.")


def rollback(
    context: typer.Context,
    environment: Environment = None,
    *,
    to: Annotated[str | None, typer.Option(metavar="VERSION", help="Left out: the version that ran before.")] = None,
    yes: Yes = False,
    skip_backup: SkipBackup = False,
    near_maintenance: NearMaintenance = False,
) -> None:
    """Roll Opik back to the version that ran before.

    Rolls back images and settings, not the schema of the databases: no down-migrations exist. Compares the migrations
    in the databases with those of the older version, and refuses, naming the migrations and what to restore instead,
    unless everything since only added what the older version ignores.

    Examples: `llmctl opik rollback dev`, `llmctl opik rollback prod --to 2.1.30`
    """
    tools, name = tools_of(context), environment or default_environment()
    named = parsed_version(to) if to else None
    _require_quiet(name, tools, anyway=near_maintenance)
    change, cluster, asked = _change(name, tools, yes=yes, skip_backup=skip_backup)
    history = cluster.history()
    target = target_of(history, asked, named)
    with err.status("Comparing schema migrations"):
        require_way_back(cluster, history, target, tools.changelogs)
    replace(change, checked=(OPIK, *OPIK_IMAGES)).make(target)
    out.print(f"Opik {target} runs in {name}. SDKs: pip install opik=={target}. Commit environments/{name}.yaml.")


def _require_quiet(environment: str, tools: Tools, *, anyway: bool) -> None:
    """Return when the maintenance window is far enough away. Raises OperatorError (REFUSED)."""
    window = tools.load(environment).cluster.maintenance
    left = minutes_until(window, tools.now())
    if left >= QUIET_MINUTES:
        return
    when = f"opens in {left} minutes" if left else "is open"
    what = f"the maintenance window ({window.day} {window.start_time} {window.utc_offset}) {when}"
    if anyway:
        err.print(f"Warning: {what}; AKS may move a pod that migrates.", markup=False)
        return
    raise OperatorError(
        f"{what}: AKS may move a pod that migrates, which leaves half a schema; nothing was done",
        "wait until it is over; --near-maintenance goes on",
        ExitCode.REFUSED,
    )


def parsed_version(text: str) -> Version:
    """Return the version that an option names. Raises OperatorError (USAGE)."""
    try:
        return Version.parse(text)
    except ValueError as error:
        raise OperatorError(str(error), code=ExitCode.USAGE) from None


def _change(environment: str, tools: Tools, *, yes: bool, skip_backup: bool) -> tuple[Change, OpikCluster, Version]:
    """Return what changes the version, Opik's cluster, and the version that the environment file asks for."""
    settings = tools.load(environment)
    asked = desired_version(settings.name, settings.opik)
    found = tools.outputs_of(environment, "disks", "aks")
    cluster = OpikCluster(connected(settings, found["aks"]))
    backup = partial(back_up, Vault.of(found["disks"]["backup_vault_id"]), disks_of(found["disks"]), report)
    change = Change(
        environment,
        cluster,
        Consent(environment, yes, terminal=tools.terminal),
        f"`llmctl opik rollback {environment}`",
        None if skip_backup else backup,
        tools,
    )
    return change, cluster, asked
