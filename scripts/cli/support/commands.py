"""The command, and which parts are asked for."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment, seconds_of
from scripts.cli.tools import tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.log_stream import Wanted
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.core.version import version_text
from scripts.core.workspace import ROOT
from scripts.diagnostics import cluster_parts, state_parts
from scripts.diagnostics.bundle import ERRORS, Collect, collect, write
from scripts.diagnostics.redaction import Redaction
from scripts.terraform.outputs import runners
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings
from stacks.settings.azure import AzureSettings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

TOOLS = {
    "terraform": ("version",),
    "kubectl": ("version", "--client"),
    "helm": ("version",),
    "az": ("version",),
    "kubelogin": ("--version",),
    "docker": ("--version",),
}


@app.command()
def support(
    context: typer.Context,
    environment: Environment = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New file; left out: llm-ENV-TIME.tar.gz in this folder.")
    ] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="Log lines of the last 30m, 24h.")] = "24h",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Log lines of each container; 0: none.")] = 2000,
    as_json: AsJson = False,
) -> None:
    """Collect what a bug report needs into one archive, redacted: versions, states, objects, events, logs.

    Secrets are left out by value and by form; people, ids, domains and public addresses get other names. No Secret, no
    ConfigMap, no value of a state and no prompt is collected. What cannot be read is named in the archive. Look through
    it before you send it: nobody but you does.

    Examples: `llmctl support prod`, `llmctl support dev --since 1h --output bug.tar.gz`
    """
    age = seconds_of(since, "--since")
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    now = tools.now()
    path = output or Path(f"llm-{name}-{now.astimezone(UTC):%Y%m%d-%H%M%S}.tar.gz")
    if path.exists():
        raise OperatorError(f"{path} exists", "name another file by --output", ExitCode.USAGE)
    wanted = Wanted(lines=lines, since_s=age, includes=lambda _pod: True) if lines else None
    parts, secrets = list(_own_parts(settings, now)), list[str]()
    parts += state_parts.parts(runners(tools.workspace(name)))
    try:
        kubectl = tools.kubectl_of(name)
    except OperatorError as error:
        parts.append(("cluster", _failing(error)))
    else:
        secrets, unread = cluster_parts.known_secrets(kubectl)
        if unread:
            err.print(f"Secrets are known by their form alone, not by value: {unread}", markup=False)
        parts += cluster_parts.parts(kubectl)
        if wanted:
            parts += cluster_parts.logs(tools.cluster_of(kubectl), _namespaces(settings, kubectl), wanted)
    with err.status(f"Collecting {len(parts)} files") as status:
        left = {each for each, _ in parts}

        def done(one: str) -> None:
            left.discard(one)
            status.update(f"Collecting, {len(parts) - len(left)} of {len(parts)}: {one}")

        found = collect(parts, Redaction(secrets, _names(settings.azure, settings.domain)), done)
    size = write(path, found.files, now)
    if as_json:
        print_json({"file": str(path), "bytes": size, "files": list(found.files), "missing": dict(found.missing)})
        return
    for each, why in found.missing.items():
        err.print(f"{each} could not be read: {why}", markup=False)
    noted = f" What is missing: {ERRORS} in it." if found.missing else ""
    out.print(f"{path}: {len(found.files)} files, {size / 2**20:.1f} MiB.{noted}", markup=False)
    err.print("Look through it before you send it: tar -tzf lists it, names of your own may still stand in logs.")


def _own_parts(settings: Settings, now: datetime) -> Iterator[tuple[str, Collect]]:
    yield "about.txt", lambda: f"{settings.name} at {now.astimezone(UTC):%F %T} UTC\n{version_text()}\n{sys.version}\n"
    yield "tools.json", _tools
    yield "environment.json", lambda: settings.model_dump_json(indent=1, exclude_unset=True) + "\n"
    for name in ("charts.yaml", "images.yaml"):
        yield f"pins/{name}", (ROOT / "helm" / name).read_text


def _tools() -> str:
    return json.dumps({name: _said(name, arguments) for name, arguments in TOOLS.items()}, indent=1) + "\n"


def _said(name: str, arguments: Sequence[str]) -> list[str]:
    program = shutil.which(name)
    if not program:
        return ["not installed"]
    try:
        done = subprocess.run(  # noqa: S603
            [program, *arguments], capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"does not run: {type(error).__name__}"]
    return (done.stdout or done.stderr).strip().splitlines()


def _failing(error: OperatorError) -> Collect:
    def fail() -> str:
        raise error

    return fail


def _namespaces(settings: Settings, kubectl: Kubectl) -> Sequence[str]:
    enabled = enabled_components(settings)
    own = {rules.name for component in enabled for rules in component.namespaces(enabled)}
    try:
        there = {item["metadata"]["name"] for item in kubectl.items("namespaces")}
    except OperatorError:
        return sorted(own)
    return sorted(there & {*own, "kube-system"})


def _names(azure: AzureSettings, domain: str) -> list[str]:
    """Return what tells whose installation it is."""
    return [domain, str(azure.subscription_id)]
