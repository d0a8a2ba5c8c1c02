"""The commands. No value is printed, and none is taken from a command line, which other users of the machine see."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment, Yes
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.external_secrets import refresh
from scripts.core.consent import Consent
from scripts.core.console import out, print_json, report
from scripts.core.environment_file import AgreedEdit, edited
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets, default_environment
from scripts.deployment.bring_up import bring_up
from scripts.deployment.going_back import GoingBack
from scripts.deployment.secret_places import SecretPlace, secret_places
from scripts.terraform.prepare import Job
from stacks.settings import Settings
from stacks.settings.secrets.names import KEPT

STACKS = ("database", "platform")
"""The vault and the server, then what reads them."""
LARGEST_BYTES = 25_000
"""Azure Key Vault takes secrets of 25 KB (https://learn.microsoft.com/azure/key-vault/secrets/about-secrets)."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Secrets: where each lies and who reads it, rotate one, set one of your own.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the secret in the vault; `where` lists them.")]


@app.command("where")
def where(
    context: typer.Context,
    environment: Environment = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Ask the vault which of them it has; reads no value.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show where every secret lies, who reads it, and whether and how it is renewed.

    Asks nobody without --check, which needs a login of `az` with a role on the vault.

    Examples: `llmctl secrets where prod`, `llmctl secrets where prod --check`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    places, vault = secret_places(settings), settings.azure_names.key_vault
    there = set(tools.azure_of(settings.azure.subscription_id).vaults.current(vault, without=KEPT)) if check else None
    if as_json:
        rows = [
            asdict(place) | {"in_vault": None if there is None else place.name in there} for place in places.values()
        ]
        print_json({"environment": name, "vault": vault, "secrets": rows})
        return
    out.print(f"Secrets of {name}, in the vault {vault}", markup=False)
    for place in places.values():
        missing = "" if there is None or place.name in there else "  NOT IN THE VAULT"
        out.print(f"{place.name}{missing}", markup=False)
        for line in _lines(place, name):
            out.print(f"  {line}", markup=False, soft_wrap=True)


def _lines(place: SecretPlace, environment: str) -> Iterator[str]:
    readers = ", ".join(filter(None, [*place.readers, place.also]))
    yield f"read by  {readers or 'nobody: what would is off'}"
    if place.secrets:
        yield f"copy in  {', '.join(place.secrets)}"
    if not place.generated:
        yield f"renew    llmctl secrets set {place.name} {environment} < FILE"
    elif place.kept_by:
        yield f"renew    not by version: {place.kept_by}"
    else:
        yield f"renew    llmctl secrets rotate {place.name} {environment}; version {place.version} now"


@app.command("rotate")
def rotate(context: typer.Context, secret: Name, environment: Environment = None, *, yes: Yes = False) -> None:
    """Rotate a generated secret: its version in the environment file is raised by one, and deployed.

    Deploys `database`, which draws the new value into the vault, then `platform`: pods that read it restart by
    themselves. Refused for a secret that a store keeps on its disk. Commit the environment file afterwards.

    Examples: `llmctl secrets rotate vllm-api-key prod`, `llmctl secrets rotate chat-redis-password dev --yes`
    """
    tools, name = tools_of(context), environment or default_environment()
    place = _place(tools.load(name), secret)
    if not place.generated:
        raise OperatorError(
            f"{secret} is written by people", f"llmctl secrets set {secret} {name} < FILE", ExitCode.REFUSED
        )
    if place.kept_by:
        raise OperatorError(
            f"{secret} is not rotated by version: {place.kept_by}",
            'docs/explanation/secrets.md, "Why some secrets cannot be rotated by version"',
            ExitCode.REFUSED,
        )
    assert place.version is not None
    report(f"{secret}: version {place.version} → {place.version + 1}; these restart: {', '.join(place.readers)}")
    consent = Consent(name, yes, terminal=tools.terminal)
    consent.require_answerable()
    _deploy(tools, name, consent, ("secrets", "versions", secret), str(place.version + 1))
    out.print(f"{secret} of {name} is rotated. Commit environments/{name}.yaml.", markup=False)


def _deploy(tools: Tools, name: str, consent: Consent, key: tuple[str, ...], value: str) -> None:
    targets = Targets(name, STACKS)
    with edited(name, key, value) as edit:
        asking = AgreedEdit(**vars(consent), edit=edit)
        with tools.rollout(Job("secrets", targets, tools.workspace(name))) as run:
            ok = bring_up(run, targets, asking, back=GoingBack(connect=tools.kubectl_of))
            interrupted = bool(run.processes.interrupted)
    if not ok:
        ended = "interrupted" if interrupted else "the deployment failed"
        raise OperatorError(
            f"{ended}; environments/{name}.yaml asks for the new version",
            f"llmctl deploy {name} {' '.join(STACKS)}",
            ExitCode.INTERRUPTED if interrupted else ExitCode.FAILED,
        )


@app.command("set")
def set_(
    context: typer.Context,
    secret: Name,
    environment: Environment = None,
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Bring it into the cluster at once, which else takes up to an hour.")
    ] = False,
) -> None:
    """Write a secret of your own into the vault: a token, the address or password of alerts, a variable of the chat.

    The value comes from the standard input (its last line break is left out), or is asked for without an echo; it
    stands on no command line and in no log. A generated secret is refused: `rotate` renews it.

    Examples: `llmctl secrets set hugging-face-token prod`, `llmctl secrets set alert-webhook-url prod --now`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    place = _place(settings, secret)
    if place.generated:
        raise OperatorError(
            f"{secret} is drawn by the platform", f"llmctl secrets rotate {secret} {name}", ExitCode.REFUSED
        )
    asked = tools.terminal.interactive()
    given = tools.terminal.hidden(f"{secret}: ").encode() if asked else sys.stdin.buffer.read(LARGEST_BYTES + 3)
    value = _checked(secret, given)
    vault = settings.azure_names.key_vault
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "value"
        file.touch(mode=0o600)
        file.write_bytes(value)
        tools.azure_of(settings.azure.subscription_id).vaults.write(vault, secret, file)
    if now and place.secrets:
        refresh(tools.kubectl_of(name))
    out.print(f"{secret} is in the vault {vault}.", markup=False)
    for reader_name in place.readers:
        out.print(f"Next: `llmctl restart {reader_name} {name}`, whose pods read it as they start.", markup=False)
    if not place.readers:
        out.print(f"Next: `llmctl deploy {name} platform`, where what reads it is not on yet.", markup=False)


def _place(settings: Settings, secret: str) -> SecretPlace:
    places = secret_places(settings)
    if secret not in places:
        raise OperatorError(
            f"{settings.name} has no secret {secret!r}",
            f"`llmctl secrets where {settings.name}` lists them; those of the chat are named in chat.secrets",
            ExitCode.USAGE,
        )
    return places[secret]


def _checked(secret: str, value: bytes) -> bytes:
    """Return the value without its last line break. Raises OperatorError where vault or pod would refuse it."""
    trimmed = value.removesuffix(b"\n").removesuffix(b"\r")
    problem = ""
    if not trimmed.strip():
        problem = "is empty"
    elif len(trimmed) > LARGEST_BYTES:
        problem = f"has {len(trimmed)} bytes; a vault takes {LARGEST_BYTES}"
    else:
        try:
            trimmed.decode("utf-8")
        except UnicodeDecodeError:
            problem = "is not UTF-8"
    if b"\0" in trimmed:
        problem = "holds a zero byte, which no variable can"
    if problem:
        raise OperatorError(f"the value of {secret} {problem}", "nothing was written", ExitCode.USAGE)
    return trimmed
