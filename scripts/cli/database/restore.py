"""A restore of PostgreSQL to a point in time, and the way back to the server before it.

The new server is made in a copy of the stack (`scripts.terraform.scratch`) while the real state still holds the old
one. Only once it is there, the environment file and the state change over to it. Each step finds out whether it has
been done, so that the same command goes on after an interruption at any point.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from scripts.applications.database_health import require_databases
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.core import environment_file
from scripts.core.consent import Consent
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets
from scripts.deployment.following import Following
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.scratch import begin, discard, purpose_of
from scripts.terraform.stack import TerraformError, unreadable_state
from stacks.common.azure_names import AzureNames
from stacks.settings import Settings

from . import restored_server as servers
from .server import AzureServers
from .server_copy import SCRATCH, ServerCopy

FOLLOWING = ("network", "aks", "platform")
MADE_ANEW = ("azurerm_private_endpoint.", "azurerm_monitor_diagnostic_setting.", "kubernetes_job_v1.")
"""What cannot point elsewhere but by being made again, and holds no data: the server's endpoint, where its logs go, and
the Job that prepares databases."""
_BACK = "back"


@dataclass(frozen=True)
class Restored:
    """What a restore, or the way back, ended with."""

    server: str
    """Name of the server in use now."""
    left: tuple[str, ...] = ()
    """Names of the environment's other servers, which exist in Azure and cost."""


@dataclass(frozen=True)
class Restore:
    """Restores of one environment's server; `run` and `abort` may be interrupted and run again."""

    environment: str
    consent: Consent
    patience_s: float = 0.0
    """How long to wait for chat and LLM gateway at the end."""
    verify: Callable[[Settings, Callable[[str], Kubectl], float], None] = require_databases
    azure: AzureServers = field(default_factory=AzureServers)
    following: tuple[str, ...] = FOLLOWING
    """Stacks that are deployed when the server has changed."""
    tools: Tools = field(default_factory=Tools)

    def run(self, moment: str, *, from_: str = "", geo_redundant: bool = False, dry_run: bool = False) -> Restored:
        """Restore to `moment` (UTC, as the environment file has it), from the server in use or from `from_`.

        `geo_redundant` takes the backup that a server of another region has in this one, whether that region answers or
        not. `dry_run` ends after the plan, with nothing written. Raises OperatorError; whatever was refused or failed,
        the server of before is in use, in the file and in the state, until the new one is there.
        """
        text = self._text()
        settings, (server, before) = environment_file.parsed(self.environment, text), self._state()
        if servers.is_switched(settings.azure_names, settings.database, moment, server, from_):
            return self._finish(settings.azure_names.postgresql_server(settings.database.generation))
        source = servers.source_of(settings.azure_names, settings.database, server, from_)
        if not geo_redundant:
            self.azure.require_restorable(source, moment)
        name, after = self._target(text, server, source, moment, before)
        if geo_redundant:
            after = servers.with_geo_redundant_backup(after)
        if not dry_run:
            self.consent.obtain(
                f"Restore {servers.name_of(source)} as it was at {moment} into the new server {name}, and let"
                f" {self.environment} use that one? What was written since is then only in the old one, which stays.",
                {},
            )
        with self._edited(after) as (edit, run):
            copy = ServerCopy.of(self.environment, run, _purpose(source, moment, name))
            copy.make(dry_run=dry_run)
            if dry_run:
                discard(copy.scratch.real, SCRATCH)
                return Restored(name)
            # The file first: `restore` with the same arguments goes on from there, `--abort` back.
            edit.keep()
            copy.switch(self._again())
        return self._finish(name)

    def abort(self, *, from_: str = "") -> Restored:
        """Go back to the server that was in use before the restore, or to `from_`. Raises OperatorError."""
        text = self._text()
        settings, (server, before) = environment_file.parsed(self.environment, text), self._state()
        wanted = settings.azure_names.postgresql_server(settings.database.generation)
        source = from_ or settings.database.restore_from_server_id
        if before == _purpose(servers.server_id(settings.azure_names, wanted), _BACK, wanted) and not from_:
            source = wanted
        elif server is not None and server["name"] != wanted and from_ in ("", server["name"], server["id"]):
            self._back_in_the_file(text, settings.azure_names, str(server["name"]))
            return self._left(str(server["name"]))
        if source is None:
            raise OperatorError(
                "no restore has begun", "`--abort --from SERVER` goes back to a server that you name", ExitCode.USAGE
            )
        old = servers.server_id(settings.azure_names, source)
        name = servers.name_of(old)
        generation = servers.generation_of(settings.azure_names, name)
        if generation is None:
            raise OperatorError(f"{name} is no server of {self.environment}", "llmctl db status", ExitCode.USAGE)
        self.azure.require_there(old)
        self.consent.obtain(
            f"Let {self.environment} use {name} again? What was written to {wanted} since is then only there.", {}
        )
        with self.tools.rollout(self._job("database")) as run:
            # Before the file is changed, which then names no restore any more.
            begin(run.runner("database"), SCRATCH, _purpose(old, _BACK, name))
        with self._edited(servers.without_restore(text, generation)) as (edit, run):
            copy = ServerCopy.of(self.environment, run, _purpose(old, _BACK, name))
            copy.adopt(old)
            copy.make()
            edit.keep()
            copy.switch(self._again())
        return self._finish(name)

    def _text(self) -> str:
        return environment_file.file_of(self.environment).read_text("utf-8")

    def _state(self) -> tuple[Mapping[str, Any] | None, str | None]:
        """Return the server that the state of the stack `database` holds, and what a copy of it was made for."""
        with self.tools.rollout(self._job("database")) as run:
            real = run.runner("database")
            try:
                found = real.resources()
            except TerraformError as error:
                raise unreadable_state(error, self.environment) from None
            server = (values for address, values in found.items() if address.startswith(f"{servers.SERVER}."))
            return next(server, None), purpose_of(real, SCRATCH)

    def _target(
        self, text: str, server: Mapping[str, Any] | None, source: str, moment: str, before: str | None
    ) -> tuple[str, str]:
        """Return the new server's name, and the text of the file that asks for it.

        A restore of the same source to the same time that was interrupted keeps its name; any other takes one that no
        server has.
        """
        settings = environment_file.parsed(self.environment, text)
        names, database = settings.azure_names, settings.database
        current = names.postgresql_server(database.generation)
        if (database.restore_from_server_id, database.restore_time_utc) == (source, moment):
            return current, text
        # Made by a run for the same purpose, after which the file was brought back.
        earlier = before.rpartition(" ")[2] if before else ""
        generation = servers.generation_of(names, earlier) if before == _purpose(source, moment, earlier) else None
        generation = generation or servers.free_generation(
            names, database, server, self.azure.names(servers.server_id(names, current))
        )
        return names.postgresql_server(generation), servers.with_restore(text, generation, source, moment)

    @contextmanager
    def _edited(self, text: str) -> Iterator[tuple[environment_file.Edit, Rollout]]:
        """Give an edit of the file that is undone unless it is kept, and a run over `database` as it asks for."""
        with (
            environment_file.rewritten(self.environment, text) as edit,
            self.tools.rollout(self._job("database")) as run,
        ):
            yield edit, run

    def _finish(self, name: str) -> Restored:
        """Deploy what has to follow the server, and check it."""
        with self.tools.rollout(self._job("database")) as run:
            self._follow.deploy(run, ("database",), (), "the state and the server differ")
            real = run.runner("database")
        if self.following:
            with self.tools.rollout(self._job(*self.following)) as run:
                self._follow.deploy(
                    run, self.following, MADE_ANEW, "the server is there, but not everything uses it yet"
                )
        err.print("Checking that chat and LLM gateway reach their databases")
        self.verify(self.tools.load(self.environment), self.tools.kubectl_of, self.patience_s)
        # Until here it tells a way back that was interrupted from one that has not begun.
        discard(real, SCRATCH)
        return self._left(name)

    def _left(self, name: str) -> Restored:
        settings = environment_file.parsed(self.environment, self._text())
        names = self.azure.names(servers.server_id(settings.azure_names, name))
        return Restored(name, tuple(sorted(names - {name})))

    def _back_in_the_file(self, text: str, names: AzureNames, name: str) -> None:
        """Let the file ask for the server that the state has held all the time."""
        generation = servers.generation_of(names, name)
        if generation is None:
            raise OperatorError(f"the state holds {name}, which is no server of {self.environment}")
        before = servers.without_restore(text, generation)
        environment_file.parsed(self.environment, before)
        environment_file.write(environment_file.file_of(self.environment), before)
        with self.tools.rollout(self._job("database")) as run:
            discard(run.runner("database"), SCRATCH)

    @property
    def _follow(self) -> Following:
        return Following(
            environment=self.environment,
            checked=(servers.GENERATION,),
            connect=self.tools.kubectl_of,
            again=self._again(),
        )

    def _job(self, *stacks: str) -> Job:
        return Job("db restore", Targets(self.environment, stacks), self.tools.workspace(self.environment))

    def _again(self) -> str:
        return (
            "correct what is wrong, then the same command goes on from here; the old server stands untouched, and"
            f" `llmctl db restore --abort {self.environment}` goes back to it"
        )


def _purpose(source: str, moment: str, name: str) -> str:
    return f"{source} {moment} {name}"
