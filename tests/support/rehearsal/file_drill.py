"""An environment in a folder, rehearsed on fake providers, with a file beside it that commands change."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from main import build_app
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.settings import parse_settings
from stacks.settings.file import loading

SMALLEST = """\
name: dev
azure:
  subscription_id: 00000000-5eed-4000-8000-000000000001
  region: westeurope
domain: llm-dev.example.com
ingress: {acme_email: platform@example.com}
"""
"""What every file of a drill begins with; the drill adds what it is about, and leaves out what it does not need."""


class FileDrill:
    """The environment `dev` as its own file says; without `fresh`, one that is set up already."""

    def __init__(self, folder: Path, text: str, *, fresh: bool = True) -> None:
        self.file = folder / "environments" / "dev.yaml"
        if fresh:
            self.file.parent.mkdir()
            self.file.write_text(text, "utf-8")
        # Commands find the file where the project's own is; a test that starts no process takes it back.
        loading.ENVIRONMENTS = self.file.parent
        self.rehearsal = Rehearsal(parse_settings(text, "dev.yaml", "dev"), folder / "drill", fresh=fresh)

    def synthesize(self) -> None:
        settings = parse_settings(self.file.read_text("utf-8"), "dev.yaml", "dev")
        self.rehearsal.workspace.output.mkdir(parents=True, exist_ok=True)
        build_app(settings, self.rehearsal.workspace.output).synth()

    @contextmanager
    def rollout(self, job: Job) -> Iterator[Rollout]:
        """Do what `prepare.rollout` does, in the drill's folder."""
        self.synthesize()
        run = self.rehearsal.rollout(*job.targets.stacks, destroy=job.destroy)
        try:
            yield run
        finally:
            run.discard_plans()
