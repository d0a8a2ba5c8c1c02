"""An environment in a folder, deployed to the fake cloud, whose database is restored."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.cli.database.restore import FOLLOWING, Restore, Restored
from scripts.cli.database.server import AzureServers
from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.lab.rehearsal.cloud import Cloud
from stacks.settings import Settings

from .file_drill import SMALLEST, FileDrill

MOMENT = "2026-11-01T12:00:00Z"
EARLIEST = "2026-10-30T00:00:00Z"
FILE = f"""{SMALLEST}\
opik: {{enabled: false}}
monitoring: {{enabled: false}}
database: # with a comment that stays
  sku: B_Standard_B2s
"""
SERVER = "azurerm_postgresql_flexible_server"


class Drill(FileDrill):
    """One environment, with its file beside it; `following` are the stacks that follow a restored server."""

    def __init__(self, folder: Path, following: tuple[str, ...] = FOLLOWING, *, fresh: bool = True) -> None:
        super().__init__(folder, FILE, fresh=fresh)
        self.following = following
        self.verified: list[str] = []

    @property
    def work(self) -> Restore:
        """A restore of this environment."""
        return Restore(
            "dev",
            Consent("dev", yes=True),
            0,
            self._verify,
            AzureServers(self._ask),
            self.following,
            Tools(rollout=self.rollout),
        )

    def restore(self, moment: str = MOMENT, **how: Any) -> Restored:
        return self.work.run(moment, **how)

    def abort(self, **how: Any) -> Restored:
        return self.work.abort(**how)

    def _verify(self, settings: Settings, _connect: object, _patience_s: float) -> None:
        self.verified.append(settings.name)

    def _ask(self, *arguments: str) -> dict[str, Any]:
        """Answer as `az postgres flexible-server` does, from the fake cloud."""
        if arguments[2] == "list":
            return {"servers": sorted(self.servers())}
        assert arguments[arguments.index("--name") + 1] in self.servers()
        return {"state": "Ready", "backup": {"earliestRestoreDate": EARLIEST}}

    def servers(self) -> dict[str, Any]:
        """Return every server that exists in the fake cloud, by name."""
        found = Cloud(self.rehearsal.folder).objects(SERVER)
        return {server.id.rsplit("/", 1)[-1]: (server.id, server.generation) for server in found}

    def in_state(self) -> set[str]:
        """Return the names of the servers that Terraform manages."""
        text = self.rehearsal.state_file("database").read_text("utf-8")
        return set(re.findall(r'"name": "(llm-dev-pg[^"]*)"', text))


def main(arguments: Sequence[str]) -> None:
    """Do one command of `llmctl db restore` on a drill that is set up: folder, then `--abort` or a time."""
    folder, command = arguments
    drill = Drill(Path(folder), (), fresh=False)
    if command == "--abort":
        drill.abort()
    else:
        drill.restore(command)


if __name__ == "__main__":
    main(sys.argv[1:])
