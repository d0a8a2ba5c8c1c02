"""What `scripts/lab/install-live start-page` brings: checks of pages, and the clients of the examples."""

import hashlib
from pathlib import Path

from tests.support.programs.processes import LIVE, version

LOCK = Path(__file__).parent / "browser" / "package-lock.json"


def checks_folder() -> Path:
    """Folder of the npm packages: axe-core, the checker of HTML, OpenAI's SDK."""
    return LIVE / f"start-page-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def clients_python() -> Path:
    """Python of the environment with the SDKs of OpenAI, Opik and OpenTelemetry."""
    return LIVE / f"clients-{version('opik/backend')}" / "bin" / "python"
