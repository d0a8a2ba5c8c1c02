"""Sets a folder up so that the real Terraform, started with the returned environment, meets fake providers.

Providers are installed through a filesystem mirror under their pinned versions, so configurations run unmodified.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import stat
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from .cloud import FOLDER
from .fake_provider.faults import FILE as FAULTS_FILE
from .fake_provider.protocol import fork_server
from .schemas import PROVIDERS, pinned

ROOT = Path(__file__).resolve().parents[3]

# The same bytes for every provider, version and machine: Terraform's lock file records a hash of them.
_EXECUTABLE = """#!/bin/sh
if [ -z "$REHEARSAL_PYTHON" ]; then
  echo "This fake provider only works inside a rehearsal." >&2
  exit 1
fi
exec "$REHEARSAL_PYTHON" -S -s "$REHEARSAL_MAIN" "$0"
"""
REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
"""Where Terraform and OpenTofu take a provider without a host from."""

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386"}


def platform_name() -> str:
    """Return this machine's name as Terraform writes it, such as ``linux_amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{_MACHINES.get(machine, machine)}"


def prepare(folder: Path, *, real: Mapping[str, Path | None] | None = None) -> dict[str, str]:
    """Create or refresh mirror and cloud under ``folder``; returns the environment for Terraform.

    ``real`` names the providers that are none of ours: with the folder of its package, or None for one that Terraform
    takes from the registry. Merge the result over the caller's environment. Safe to call again for a folder in use with
    the same providers: what exists there stays. Changing them there needs the lock files removed.
    """
    real = real or {}
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    mirror = folder / "mirror"
    for provider in PROVIDERS:
        for registry in REGISTRIES:
            if provider not in real:
                _install(mirror / registry, provider)
            elif package := real[provider]:
                _link(mirror / registry, provider, package)
    config = folder / "terraform.rc"
    _write_atomically(config, _installation(mirror, [name for name in real if real[name] is None]).encode())
    main = str(ROOT / "scripts" / "lab" / "rehearsal" / "fake_provider" / "__main__.py")
    path = os.pathsep.join([str(ROOT), str(metadata.distribution("grpcio").locate_file(""))])
    return {
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_CLI_ARGS_providers_lock": f"-fs-mirror={shlex.quote(str(mirror))} -platform={platform_name()}",
        "TF_DISABLE_PLUGIN_TLS": "1",  # plain gRPC over a private socket: no certificate to make or keep
        "TF_PLUGIN_CACHE_DIR": "",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": os.environ.get("GOGC", "400"),  # a tenth of Terraform's time would look for garbage
        "GRPC_VERBOSITY": "NONE",
        FOLDER: str(folder),
        FAULTS_FILE: str(Path(os.environ.get(FAULTS_FILE) or folder / "faults.yaml").resolve()),
        "REHEARSAL_PYTHON": sys.executable,
        "REHEARSAL_MAIN": main,
        "REHEARSAL_PATH": path,
        fork_server.VARIABLE: fork_server.start(sys.executable, main, path),
    }


def _installation(mirror: Path, fetched: Sequence[str]) -> str:
    """Return Terraform's configuration: everything from the mirror, the providers ``fetched`` from the registry."""
    direct = [f"{registry}/hashicorp/{name}" for registry in REGISTRIES for name in fetched]
    mirrored = [f"{registry}/hashicorp/{name}" for registry in REGISTRIES for name in PROVIDERS if name not in fetched]
    text = (
        "disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n"
        f"    path = {json.dumps(str(mirror))}\n    include = {json.dumps(mirrored)}\n  }}\n"
    )
    return text + (f"  direct {{\n    include = {json.dumps(direct)}\n  }}\n}}\n" if direct else "}\n")


def _place(mirror: Path, provider: str) -> Path:
    return mirror / "hashicorp" / provider / pinned().version(provider) / platform_name()


def _link(mirror: Path, provider: str, package: Path) -> None:
    place = _place(mirror, provider)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(package, target_is_directory=True)


def _install(mirror: Path, provider: str) -> None:
    version = pinned().version(provider)
    executable = _place(mirror, provider) / f"terraform-provider-{provider}_v{version}"
    if executable.exists() and executable.read_text(encoding="utf-8") == _EXECUTABLE:
        return
    _write_atomically(executable, _EXECUTABLE.encode())
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that others see the old content or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
