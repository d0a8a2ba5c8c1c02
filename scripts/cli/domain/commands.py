"""`llmctl domain`: move an environment to another domain, and look whether its front door answers."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.applications.ingress import Check, Door, dns_checks, hosts_of, opik_checks, print_checks, wait_until_sound
from scripts.cluster.kubectl import Kubectl
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.environment_file import AgreedEdit, edited, file_of, parsed, with_value
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets, complete_environment, default_environment, load_environment
from scripts.core.workspace import Workspace

if TYPE_CHECKING:
    from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Move to another domain, check the front door.",
)

STACKS = ("identity", "platform")
"""Where the domain stands: redirect URIs of the login, and everything that answers."""

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]


@app.command("set")
def set_domain(
    new: Annotated[str, typer.Argument(metavar="NEW", help="Parent of chat.…, opik.… and api.…")],
    environment: Environment = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to changes that lose nothing.")] = False,
    allow_destroy: Annotated[
        bool, typer.Option("--allow-destroy", help="Agree to resources being destroyed or replaced.")
    ] = False,
    skip_dns: Annotated[bool, typer.Option("--skip-dns", help="Go on though names do not lead here yet.")] = False,
    wait_minutes: Annotated[float, typer.Option(min=0, help="How long to wait for certificate and login.")] = 20,
) -> None:
    """Move an environment to another domain.

    Checks that the new names lead to the front door, changes `domain` in the environment file (comments stay), shows
    the plan and asks, deploys identity (redirect URIs) and platform, waits for the certificate, and checks HTTPS,
    redirects and login. Running it again is safe; with the old domain it goes back.
    """
    name = environment or default_environment()
    old = load_environment(name).domain
    settings = parsed(name, with_value(file_of(name).read_text("utf-8"), ("domain",), new))
    if not skip_dns:
        _require_dns(name, new, settings)
    back = f"`llmctl domain set {old} {name}`" if old != new else "`llmctl domain set OLD`, with the domain as it was"
    _deploy(name, new, Consent(name, yes, allow_destroy), back)
    if not settings.identity.manage:
        err.print(f"identity.manage is false: let an administrator enter {_callback(settings)}", markup=False)
    _require_sound(name, settings, wait_minutes * 60, back)
    out.print(f"{name} answers at {', '.join(hosts_of(settings))}. Commit environments/{name}.yaml.", markup=False)


@app.command("check")
def check(
    environment: Environment = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks for a program.")] = False,
) -> None:
    """Say whether the front door answers: names, certificate, redirects, login, refusal of programs without a token.

    Exit code 1 when something is wrong.
    """
    name = environment or default_environment()
    settings = load_environment(name)
    checks = [*_dns(name, settings), *outside_checks(door_of(settings), settings)]
    ok = not any(found.problem for found in checks)
    if as_json:
        print_json({"environment": name, "ok": ok, "checks": [asdict(found) for found in checks]})
    else:
        print_checks(checks)
    if not ok:
        raise typer.Exit(ExitCode.FAILED)


def door_of(settings: "Settings") -> Door:
    """Return how the environment's front door is asked; nothing trusts Let's Encrypt's staging certificates."""
    return Door(trusted=settings.ingress.acme_issuer == "production")


def outside_checks(door: Door, settings: "Settings") -> list[Check]:
    """Return how the applications answer from outside."""
    from stacks.common.hosts import Hosts  # noqa: PLC0415

    hosts = Hosts(settings.domain)
    return opik_checks(door, hosts.opik, hosts.opik_callback) if settings.opik.enabled else []


def _dns(name: str, settings: "Settings") -> list[Check]:
    from scripts.terraform.outputs import outputs_of  # noqa: PLC0415

    network = outputs_of(name, "network")["network"]
    return dns_checks(hosts_of(settings), network["public_ip_address"], network["public_fqdn"])


def _require_dns(name: str, new: str, settings: "Settings") -> None:
    wrong = [found for found in _dns(name, settings) if found.problem]
    if wrong:
        lines = "\n".join(f"  {found.name.removeprefix('DNS ')} {found.problem}" for found in wrong)
        raise OperatorError(
            f"names of {new} do not lead to the front door yet, so no certificate could be issued; nothing was"
            f" changed\n{lines}",
            f"enter the records, wait until they are known, then `llmctl domain set {new} {name}`; --skip-dns goes on",
            ExitCode.REFUSED,
        )


def _deploy(name: str, new: str, consent: Consent, back: str) -> None:
    from scripts.cli.deploy.deploy import bring_up, failure_code  # noqa: PLC0415
    from scripts.terraform.prepare import Job, rollout  # noqa: PLC0415

    targets = Targets(name, STACKS)
    with (
        edited(name, ("domain",), new) as edit,
        rollout(Job(f"domain set {new}", targets, Workspace(name))) as run,
    ):
        ok = bring_up(run, targets, AgreedEdit(**vars(consent), edit=edit))
        edit.keep()
        if not ok:
            raise OperatorError(
                f"{name} is on its way to {new}, but not all of it is deployed",
                f"correct what is wrong and run this again, or go back: {back}",
                failure_code(run),
            )


def _require_sound(name: str, settings: "Settings", patience_s: float, back: str) -> None:
    err.print("Waiting for certificate and login")
    door = door_of(settings)
    checks = wait_until_sound(lambda: outside_checks(door, settings), _say, patience_s=patience_s)
    print_checks(checks)
    if any(found.problem for found in checks):
        for line in _reasons(name, settings):
            _say(line)
        raise OperatorError(
            f"{settings.domain} is deployed, but does not answer as it should",
            f"`llmctl domain check {name}` looks again; to go back: {back}",
        )


def _reasons(name: str, settings: "Settings") -> list[str]:
    from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415

    try:
        return challenge_reasons(kubectl_of(name), hosts_of(settings))
    except OperatorError as error:
        return [f"cert-manager cannot be asked why: {error.message}"]


def challenge_reasons(kubectl: Kubectl, hosts: list[str]) -> list[str]:
    """Return what cert-manager says about proofs for `hosts` that have not succeeded. Raises OperatorError."""
    found = []
    for item in kubectl.items("challenges.acme.cert-manager.io", "--all-namespaces"):
        host, status = item.get("spec", {}).get("dnsName", ""), item.get("status", {})
        if host in hosts and status.get("state") != "valid":
            found.append(
                f"Let's Encrypt for {host}: {status.get('state') or 'waits'}: {status.get('reason', '')}".rstrip(": ")
            )
    return found


def _callback(settings: "Settings") -> str:
    from stacks.common.hosts import Hosts  # noqa: PLC0415

    hosts = Hosts(settings.domain)
    urls = (hosts.chat_callback, hosts.opik_callback, hosts.grafana_callback)
    return f"the redirect URIs {', '.join(urls)}"


def _say(text: str) -> None:
    err.print(text, markup=False)
