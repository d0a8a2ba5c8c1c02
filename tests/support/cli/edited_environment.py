"""A rehearsed environment whose file is edited between deployments, in a folder of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.synthesis import synthesize
from stacks.settings import load_settings

ROOT = Path(__file__).parents[3]
_APP = """\
import json
import sys
from dataclasses import replace
from pathlib import Path
sys.path[0] = {root!r}
import stacks
from stacks.platform.common import catalogue
from stacks.settings.file import loading
loading.ENVIRONMENTS = Path({folder!r})
tags = json.loads((loading.ENVIRONMENTS / "tags.json").read_text())
# What is read once is what everybody gets.
pinned = catalogue.images()
pinned.update({{name: replace(pinned[name], tag=tag) for name, tag in tags.items()}})
import main
main.main()
"""


class EditedEnvironment:
    """A copy of an environment file, and a rehearsal that reads it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder / "environments"
        self.folder.mkdir(parents=True)
        self.file = self.folder / f"{name}.yaml"
        self.file.write_text((ROOT / "environments" / f"{name}.yaml").read_text())
        (self.folder / "tags.json").write_text("{}")
        self._app = folder / "app.py"
        self._app.write_text(_APP.format(root=str(ROOT), folder=str(self.folder)))
        self.rehearsal = Rehearsal(load_settings(name), folder / "rehearsal")

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the file; what is written has to be a sound environment."""
        yaml = YAML(typ="safe")
        content = yaml.load(self.file)
        change(content)
        with self.file.open("w") as file:
            yaml.dump(content, file)
        load_settings(self.name, self.folder)

    def synthesize(self) -> None:
        """Write the stacks of what the file says now."""
        synthesize(self.rehearsal.workspace, self.rehearsal.processes, self._app)

    def tag(self, image: str, tag: str) -> None:
        """Run another version of an image."""
        import json

        (self.folder / "tags.json").write_text(json.dumps({image: tag}))
