"""What lets a client trust the internal CA: one script for shells, one for PowerShell."""

from pathlib import Path

from stacks.platform.components.enabled import EnabledComponents

from .routes import INSTALLERS

FOLDER = Path(__file__).parent / "site"


def installer_files(components: EnabledComponents) -> dict[str, str]:
    """Return both by file name, made for this environment's zone and hosts."""
    labels = " ".join(host.label for host in components.hosts())
    return {
        name: (FOLDER / name)
        .read_text("utf-8")
        .replace("@ZONE@", components.settings.domain)
        .replace("@HOSTS@", labels)
        for name in (path.removeprefix("/") for path in INSTALLERS)
    }
