"""What every importer is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scripts.core.processes import Processes
from scripts.images.registry.references import Reference


@dataclass(frozen=True)
class Transfer:
    """One image that goes from its publisher to `target`, which has a tag."""

    name: str
    source: Reference
    target: Reference
    log: Path
    processes: Processes
    step: Callable[[str], object] = lambda _line: None


class Importer(Protocol):
    """Brings an image over with all its platforms, so that its digest stays the same."""

    @property
    def name(self) -> str:
        """Name in options."""
        ...

    def transfer(self, transfer: Transfer) -> None:
        """Bring the image over. Raises OperatorError."""
        ...
