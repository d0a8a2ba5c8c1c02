"""`llmctl opik health`: Opik checked from inside the cluster and through the ingress."""

from dataclasses import asdict
from typing import Annotated

import typer

from scripts.applications.ingress import host_checks
from scripts.cli.checks import end_with
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.checks import Check, failed
from scripts.core.targets import default_environment
from scripts.opik.cluster import OpikCluster
from scripts.opik.desired import desired_version
from scripts.opik.health import inside_checks
from scripts.opik.history import running
from scripts.opik.migrations import migration_check
from scripts.opik.retention import retention_check
from scripts.opik.versions import sdk_mismatch
from stacks.platform.components.opik.names import HOST

from .version import parsed_version


def health(
    context: typer.Context,
    environment: Environment = None,
    *,
    inside: Annotated[bool, typer.Option("--inside", help="Skip the checks through the ingress.")] = False,
    sdk: Annotated[str | None, typer.Option(metavar="VERSION", help="SDK in use, to compare with the server.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check Opik: pods, migrations, page, backend with each data store, version, retention, certificate, login, API.

    Exit code 1 when something fails.

    Examples: `llmctl opik health prod`, `llmctl opik health prod --inside --json`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    asked = desired_version(settings.name, settings.opik)
    cluster = OpikCluster(tools.kubectl_of(name))
    now = running(cluster.history())
    checks = [Check(f"deployed {now}", "" if now == asked else f"environments/{name}.yaml asks for {asked}")]
    checks += inside_checks(cluster, now)
    checks.append(migration_check(cluster, now or asked, tools.changelogs))
    checks.append(retention_check(cluster.kubectl, settings.name, settings.opik))
    if not inside:
        checks += host_checks(tools.ingress_of(settings), HOST, settings.domain)
    if sdk:
        checks.append(Check(f"SDK {sdk}", sdk_mismatch(parsed_version(sdk), now or asked)))
    document = {"environment": name, "ok": not failed(checks), "checks": [asdict(check) for check in checks]}
    end_with(checks, document, as_json=as_json)
