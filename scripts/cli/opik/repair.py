"""`llmctl opik repair`: the way out of an interrupted schema migration."""

import typer

from scripts.cli.options import Environment, Yes
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.targets import known_environment
from scripts.opik.cluster import OpikCluster
from scripts.opik.repair import clear, leftovers, without_migrations


def repair(context: typer.Context, environment: Environment = None, *, yes: Yes = False) -> None:
    """Clear what an interrupted schema migration left: Liquibase's locks, and replicas of tables that are not there.

    Stops the backend, so that nothing migrates meanwhile, shows each finding with the SQL that clears it, asks, and
    starts the backend again, which migrates from where it was. No table and no row of Opik's own is touched. Back up
    the disks before.

    Examples: `llmctl opik repair prod`, `llmctl opik repair dev --yes`
    """
    tools, name = tools_of(context), known_environment(environment)
    consent = Consent(name, yes, terminal=tools.terminal)
    consent.require_answerable()
    cluster = OpikCluster(tools.kubectl_of(name))
    err.print("Stopping the backend")
    with without_migrations(cluster):
        found = leftovers(cluster)
        for item in found:
            err.print(f"  {item.what}\n    {item.database}: {item.statement}", markup=False)
        if found:
            consent.obtain(f"Run these {len(found)} statements?", {})
        for item in found:
            clear(cluster, item)
    if found:
        out.print(f"{len(found)} leftovers are cleared. `llmctl opik health {name}` says whether it migrates now.")
    else:
        err.print("No migration left anything behind.")
