"""Programs that stand beside a script of scripts/ci on its PATH."""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "scripts" / "ci"


class Programs:
    """Fake programs, which note how they are called and answer from files."""

    def __init__(self, folder: Path, **sources: str) -> None:
        self.folder = folder
        for name, source in sources.items():
            path = folder / name
            noting = f"open(folder / 'calls', 'a').write(json.dumps([{name!r}, *words]) + '\\n')"
            start = f"import json, os, pathlib, sys\nwords = sys.argv[1:]\nfolder = pathlib.Path({str(folder)!r})"
            path.write_text(f"#!{sys.executable} -IS\n{start}\n{noting}\n{source}")
            path.chmod(0o755)

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(self.folder),
            **variables,
        }
        command = [str(SCRIPTS / script), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
