"""The commands of `llmctl`, loaded one at a time, so that `--help` and completion answer at once."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer._click.exceptions import UsageError
from typer.core import TyperCommand, TyperGroup

from scripts.core.errors import EXIT_CODES, ExitCode, OperatorError

if TYPE_CHECKING:
    from typer import _click as click

VERBOSE_VARIABLE = "LLMCTL_VERBOSE"


@dataclass(frozen=True)
class Entry:
    """One command: the module that defines it, its line in the overview and the panel it is listed under."""

    module: str
    help: str
    panel: str
    attribute: str = "app"
    group: bool = False


_PREPARE = "Start here"
_DEPLOY = "Deploy"
_OPERATE = "Operate"
_DEVELOP = "For developers of the platform"

COMMANDS = {
    "rehearse": Entry(
        "scripts.cli.develop.rehearse", "Deploy an environment on fake providers, without Azure.", _PREPARE
    ),
    "env": Entry("scripts.cli.env.commands", "Create, validate and list environment files.", _PREPARE, group=True),
    "state": Entry(
        "scripts.cli.state.commands", "Create and migrate the Terraform state backend.", _PREPARE, group=True
    ),
    "remote": Entry("scripts.cli.remote.commands", "Set up HCP Terraform for remote runs.", _PREPARE, group=True),
    "pipeline": Entry(
        "scripts.cli.pipeline.commands",
        "Create the identities of a pipeline: plan, images, apply.",
        _PREPARE,
        group=True,
    ),
    "setup": Entry("scripts.cli.develop.setup", "Install this checkout's Python packages, Node and cdktf.", _PREPARE),
    "preflight": Entry(
        "scripts.cli.preflight.commands", "Check what a deployment needs, before anything is created.", _DEPLOY
    ),
    "deploy": Entry("scripts.cli.deploy.deploy", "Bring an environment up, or up to date.", _DEPLOY),
    "diff": Entry("scripts.cli.deploy.diff", "Show what a deployment would change.", _DEPLOY),
    "outputs": Entry("scripts.cli.deploy.outputs", "Show the outputs of every stack.", _DEPLOY),
    "destroy": Entry("scripts.cli.deploy.destroy", "Destroy network, cluster and workloads; data stays.", _DEPLOY),
    "cleanup": Entry("scripts.cli.cleanup.commands", "Delete databases, uploads, traces, or everything.", _DEPLOY),
    "images": Entry("scripts.cli.images.commands", "Build, import and lock the container images.", _DEPLOY, group=True),
    "cost": Entry("scripts.cli.cost.commands", "Estimate what an environment costs a month.", _DEPLOY),
    "synth": Entry("scripts.cli.deploy.synth", "Synthesize the Terraform files of an environment.", _DEPLOY),
    "status": Entry("scripts.cli.status.commands", "Show the whole platform on one screen.", _OPERATE),
    "logs": Entry("scripts.cli.operate.commands", "Print what the pods of a component write.", _OPERATE, "logs"),
    "follow": Entry("scripts.cli.operate.commands", "Print what they write from now on.", _OPERATE, "follow"),
    "events": Entry("scripts.cli.operate.commands", "Show what Kubernetes did, in order of time.", _OPERATE, "events"),
    "restart": Entry("scripts.cli.operate.commands", "Replace the pods of a component.", _OPERATE, "restart"),
    "stop": Entry("scripts.cli.operate.commands", "Take a component, or all, to zero pods.", _OPERATE, "stop"),
    "start": Entry("scripts.cli.operate.commands", "Start what was stopped, stores first.", _OPERATE, "start"),
    "scale": Entry("scripts.cli.operate.commands", "Give a part another number of pods.", _OPERATE, "scale"),
    "shell": Entry("scripts.cli.operate.commands", "Open a shell in a pod of a component.", _OPERATE, "shell"),
    "health": Entry("scripts.cli.health.commands", "Check the platform end to end, from login to trace.", _OPERATE),
    "webui": Entry("scripts.cli.chat.commands", "Open WebUI, the chat: status, logs, restart.", _OPERATE, group=True),
    "chat": Entry("scripts.cli.chat.commands", "The same as webui.", _OPERATE, group=True),
    "gateway": Entry(
        "scripts.cli.llm_gateway.commands", "LLM gateway: budgets and keys of teams.", _OPERATE, group=True
    ),
    "models": Entry(
        "scripts.cli.models.commands",
        "List, ask, measure, add, remove and download the served models.",
        _OPERATE,
        group=True,
    ),
    "ask": Entry("scripts.cli.models.ask", "Ask a model one question, as the chat does.", _OPERATE),
    "vllm": Entry(
        "scripts.cli.engines.vllm", "vLLM: status, logs, restart, other values for a model.", _OPERATE, group=True
    ),
    "ollama": Entry("scripts.cli.engines.ollama", "Ollama: status, logs, restart.", _OPERATE, group=True),
    "ingress": Entry(
        "scripts.cli.operate.nouns", "The ingress: status, logs, restart, scale.", _OPERATE, "ingress", group=True
    ),
    "monitoring": Entry(
        "scripts.cli.operate.nouns", "Prometheus, Grafana: status, logs, restart.", _OPERATE, "monitoring", group=True
    ),
    "gpu": Entry(
        "scripts.cli.engines.gpu", "Suspend the engines to free GPU nodes, and resume them.", _OPERATE, group=True
    ),
    "opik": Entry(
        "scripts.cli.opik.commands", "Opik: upgrade, roll back, check, tokens for programs.", _OPERATE, group=True
    ),
    "off-hours": Entry("scripts.cli.off_hours.commands", "Stop the cluster while nobody works.", _OPERATE, group=True),
    "tailscale": Entry(
        "scripts.cli.tailscale.commands", "Private access: split DNS of the tailnet.", _OPERATE, group=True
    ),
    "client": Entry(
        "scripts.cli.client.commands", "Private access: CA, fingerprint, installer for people.", _OPERATE, group=True
    ),
    "disks": Entry(
        "scripts.cli.disks.commands", "Data disks: grow, bind again, free those of a dead node.", _OPERATE, group=True
    ),
    "db": Entry("scripts.cli.database.commands", "Restore PostgreSQL to a point in time.", _OPERATE, group=True),
    "adopt": Entry(
        "scripts.cli.adopt.commands", "Take over an installation that was made by hand.", _OPERATE, group=True
    ),
    "backup": Entry(
        "scripts.cli.backup.commands", "Backup sets of the whole environment: make, list, verify.", _OPERATE, group=True
    ),
    "restore": Entry("scripts.cli.restore.commands", "Restore a backup set beside what is there.", _OPERATE),
    "secrets": Entry(
        "scripts.cli.secrets.commands", "Secrets: where each lies, rotate one, set your own.", _OPERATE, group=True
    ),
    "privacy": Entry("scripts.cli.privacy.commands", "Export or erase one person's data.", _OPERATE, group=True),
    "audit": Entry("scripts.cli.audit.commands", "Show who did what: chat, LLM gateway, vault, cluster.", _OPERATE),
    "upgrades": Entry("scripts.cli.upgrades.commands", "Show upgrades to come: until when, what first.", _OPERATE),
    "top": Entry("scripts.cli.top.commands", "Show the platform at work, live.", _OPERATE),
    "doctor": Entry("scripts.cli.doctor.commands", "Find known problems, say their fixes, mend them.", _OPERATE),
    "support": Entry("scripts.cli.support.commands", "Collect a redacted bundle for a bug report.", _OPERATE),
    "domain": Entry("scripts.cli.domain.commands", "Move to another domain, check the ingress.", _OPERATE, group=True),
    "port-forward": Entry(
        "scripts.cli.access.port_forward", "Forward a service of the cluster to a local port.", _OPERATE
    ),
    "test": Entry("scripts.cli.develop.test", "Run the tests, as CI does.", _DEVELOP),
    "check": Entry("scripts.cli.develop.check", "Run linters, type checks and the fast tests.", _DEVELOP),
    "policy": Entry(
        "scripts.cli.develop.policy", "Policy checks: stacks, charts, licences, credentials.", _DEVELOP, group=True
    ),
    "simulate": Entry(
        "scripts.cli.develop.simulate",
        "Simulate GPU scaling policies (cost and waiting times).",
        _DEVELOP,
        group=True,
    ),
    "drill": Entry("scripts.cli.develop.drill", "Play what can go wrong, and show what survived.", _DEVELOP),
    "cluster": Entry("scripts.cli.develop.cluster", "Run a real Kubernetes API on this machine.", _DEVELOP, group=True),
    "docs": Entry(
        "scripts.cli.develop.docs", "Draw the architecture picture of the documentation.", _DEVELOP, group=True
    ),
    "bench": Entry("scripts.cli.develop.bench", "Benchmarks of synthesis and image builds.", _DEVELOP, group=True),
}


class LazyGroup(TyperGroup):
    """Lists commands from the table above and imports one only when it runs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.help, rich_help_panel=entry.panel))

    def resolve_command(
        self, ctx: "click.Context", args: list[str]
    ) -> "tuple[str | None, click.Command | None, list[str]]":
        """Return the command that the arguments name, imported now, and what is left for it."""
        if args and (entry := COMMANDS.get(args[0])):
            return args[0], load(entry, args[0]), args[1:]
        return super().resolve_command(ctx, args)


def load(entry: Entry, name: str) -> "click.Command":
    """Return the command itself, its module imported now."""
    command = typer.main.get_command(getattr(import_module(entry.module), entry.attribute))
    command.name = name
    return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog="[bold]Exit codes:[/] " + "; ".join(f"{code.value} {text}" for code, text in EXIT_CODES.items()),
)


def _show_version(asked: bool) -> None:
    if asked:
        # git takes longer than all of --help, which does without.
        from scripts.core.version import version_text  # noqa: PLC0415

        typer.echo(version_text())
        raise typer.Exit


@app.callback()
def root(
    verbose: Annotated[bool, typer.Option("--verbose", help="Show tracebacks of errors.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback has answered
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show release, commit and pinned programs."
        ),
    ] = False,
) -> None:
    """A company's own LLM platform on Azure, from one environment file.

    [bold]First steps:[/] `llmctl rehearse` deploys the default environment without Azure;
    `llmctl env new NAME` writes an environment of your own; `llmctl deploy NAME` brings it up.

    ENV is the name of a file in environments/; left out, it is $PLATFORM_ENV, else `dev`.
    """
    if verbose:
        os.environ[VERBOSE_VARIABLE] = "1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; expected errors show no traceback."""
    try:
        app(args=arguments, prog_name="llmctl")
    except SystemExit as leaving:
        # 2 is what pending changes end with, as in Terraform; the parser uses it for a wrong command line.
        misuse = isinstance(leaving.__context__, UsageError)
        sys.exit(ExitCode.USAGE if misuse else leaving.code)
    except OperatorError as error:
        # Rich's console takes 30 ms, which every --help does without.
        from scripts.core.console import print_error  # noqa: PLC0415

        if os.environ.get(VERBOSE_VARIABLE):
            raise
        print_error(error)
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
