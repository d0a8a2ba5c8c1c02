"""`llmctl domain`: move an environment to another domain, and check its ingress."""

from dataclasses import asdict
from typing import Annotated

import typer

from scripts.applications.ingress import (
    Ingress,
    challenge_reasons,
    dns_checks,
    hosts_of,
    outside_checks,
)
from scripts.cli.checks import end_with
from scripts.cli.options import AllowDestroy, AsJson, Environment, Yes
from scripts.cli.tools import Tools, tools_of
from scripts.core.checks import Check, failed, print_checks, wait_until_passed
from scripts.core.consent import Consent
from scripts.core.console import err, out, report
from scripts.core.environment_file import AgreedEdit, edited, file_of, parsed, with_value
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets, default_environment
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.deployment.going_back import GoingBack
from scripts.terraform.prepare import Job
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Move to another domain, check the ingress (DNS, TLS, login).",
)

STACKS = ("identity", "platform")
"""Where the domain stands: redirect URIs of the login, and everything that answers."""


@app.command("set")
def set_domain(
    context: typer.Context,
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="New domain: the parent of chat.…, api.…, opik.… and grafana.…")
    ],
    environment: Environment = None,
    *,
    yes: Yes = False,
    allow_destroy: AllowDestroy = False,
    skip_dns: Annotated[
        bool, typer.Option("--skip-dns", help="Do not require that DNS names resolve to the ingress.")
    ] = False,
    wait_minutes: Annotated[float, typer.Option(min=0, help="Minutes to wait for the certificate and the login.")] = 20,
) -> None:
    """Move an environment to another domain.

    Checks that the new DNS names resolve to the ingress, changes `domain` in the environment file (comments stay),
    shows the plan and asks, deploys identity (redirect URIs) and platform, waits for the certificates, and checks
    HTTPS, redirects and login of every host that is on. Running it again is safe; with the old domain it goes back.

    Examples: `llmctl domain set llm.your-company.com prod`, `llmctl domain set llm.your-company.com prod --skip-dns`
    """
    tools, name = tools_of(context), environment or default_environment()
    old = tools.load(name).domain
    settings = parsed(name, with_value(file_of(name).read_text("utf-8"), ("domain",), new))
    if not skip_dns:
        _require_dns(name, new, settings, tools)
    back = f"`llmctl domain set {old} {name}`" if old != new else "`llmctl domain set OLD`, with the domain as it was"
    _deploy(name, new, Consent(name, yes, allow_destroy, tools.terminal), back, tools)
    if not settings.identity.manage:
        err.print(f"identity.manage is false: let an administrator enter {_callback(settings)}", markup=False)
    _require_answers(settings, tools.ingress_of(settings), wait_minutes * 60, back, tools)
    out.print(f"{name} answers at {', '.join(hosts_of(settings))}. Commit environments/{name}.yaml.", markup=False)


@app.command("check")
def check(
    context: typer.Context,
    environment: Environment = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check every host that is on: DNS, certificate, redirects, login, and 401 for programs without a token.

    Exit code 1 when something fails.

    Examples: `llmctl domain check prod`, `llmctl domain check --json`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    checks = [*_dns(name, settings, tools), *_outside(tools.ingress_of(settings), settings)]
    document = {"environment": name, "ok": not failed(checks), "checks": [asdict(found) for found in checks]}
    end_with(checks, document, as_json=as_json)


def _dns(name: str, settings: Settings, tools: Tools) -> list[Check]:
    if settings.is_private:
        return dns_checks(hosts_of(settings), str(settings.ingress_address), "")
    address = tools.outputs_of(name, "address")["address"]
    return dns_checks(hosts_of(settings), address["public_ip_address"], address["public_fqdn"])


def _outside(ingress: Ingress, settings: Settings) -> list[Check]:
    return outside_checks(ingress, enabled_components(settings).hosts(), settings.domain)


def _require_dns(name: str, new: str, settings: Settings, tools: Tools) -> None:
    wrong = [found for found in _dns(name, settings, tools) if found.problem]
    if wrong:
        lines = "\n".join(f"  {found.name.removeprefix('DNS ')} {found.problem}" for found in wrong)
        raise OperatorError(
            f"names of {new} do not resolve to the ingress yet, so no certificate could be issued; nothing was"
            f" changed\n{lines}",
            f"enter the records, wait until they are known, then `llmctl domain set {new} {name}`; --skip-dns goes on",
            ExitCode.REFUSED,
        )


def _deploy(name: str, new: str, consent: Consent, back: str, tools: Tools) -> None:
    targets = Targets(name, STACKS)
    with (
        edited(name, ("domain",), new) as edit,
        tools.rollout(Job(f"domain set {new}", targets, tools.workspace(name))) as run,
    ):
        asked = AgreedEdit(**vars(consent), edit=edit)
        ok = bring_up(run, targets, asked, back=GoingBack(connect=tools.kubectl_of))
        edit.keep()
        if not ok:
            raise OperatorError(
                f"{name} is on its way to {new}, but not all of it is deployed",
                f"correct what is wrong and run this again, or go back: {back}",
                failure_code(run),
            )


def _require_answers(settings: Settings, ingress: Ingress, patience_s: float, back: str, tools: Tools) -> None:
    err.print("Waiting for certificate and login")
    checks = wait_until_passed(lambda: _outside(ingress, settings), report, patience_s=patience_s)
    print_checks(checks)
    if failed(checks):
        for line in _reasons(settings, tools):
            report(line)
        raise OperatorError(
            f"{settings.domain} is deployed, but does not answer as it should",
            f"`llmctl domain check {settings.name}` checks again; to go back: {back}",
        )


def _reasons(settings: Settings, tools: Tools) -> list[str]:
    try:
        return challenge_reasons(tools.kubectl_of(settings.name), hosts_of(settings))
    except OperatorError as error:
        return [f"cert-manager cannot be asked why: {error.message}"]


def _callback(settings: Settings) -> str:
    return f"the redirect URIs {', '.join(enabled_components(settings).redirect_uris())}"
