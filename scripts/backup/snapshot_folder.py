"""The uploads in a snapshot of another environment's share, as the folder that an adoption of uploads takes."""

import base64
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.cluster.pod_program import PodProgram
from scripts.core.errors import OperatorError

PROGRAM = Path(__file__).with_name("snapshot_files.py")


@dataclass
class SnapshotFolder:
    """Files of a snapshot, read through a pod that mounts the share: by one stream for all that are asked for."""

    run: PodProgram
    folder: str
    """Where the pod mounts the share."""
    moment: str
    scratch: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="llmctl-uploads-")))
    wanted: Sequence[str] = ()
    """Names in the order in which they are going to be fetched."""
    _stream: Iterator[dict[str, Any]] | None = None

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of every file, by name. Raises OperatorError."""
        found = {line["file"]: int(line["size"]) for line in self._lines("list") if "file" in line}
        self.wanted = sorted(found)
        return found

    def fetch(self, name: str) -> Path:
        """Return the path of one file on this machine, until the next one is fetched. Raises OperatorError."""
        if self._stream is None:
            self._stream = self._lines("send", names=list(self.wanted))
        target = self.scratch / "upload"
        size = next((int(line["size"]) for line in self._stream if line.get("file") == name), None)
        if size is None:
            raise OperatorError(f"the snapshot's file {name} did not come", "run the command again")
        with target.open("wb") as file:
            while file.tell() < size:
                line = next(self._stream, {})
                if "data" not in line:
                    raise OperatorError(f"the snapshot's file {name} ended too early", "run the command again")
                file.write(base64.b64decode(line["data"]))
        return target

    def _lines(self, action: str, **more: Any) -> Iterator[dict[str, Any]]:
        for line in self.run(
            PROGRAM.read_text("utf-8"), {"action": action, "folder": self.folder, "moment": self.moment, **more}
        ):
            if why := line.get("refused"):
                raise OperatorError(f"uploads: {why}", "llmctl backup verify; is the chat running?")
            yield line
