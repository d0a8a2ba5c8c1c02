"""Copies through this machine."""

import threading
from dataclasses import dataclass, field
from typing import Literal

from scripts.core.errors import ExitCode, OperatorError
from scripts.images.logged import run_logged
from scripts.images.registry.client import Registry
from scripts.images.registry.copying import Place, copy
from scripts.images.registry.credentials import auth_file, find_login
from scripts.images.registry.references import is_loopback

from .base import Transfer

_MIB = 1024 * 1024


class DirectCopy:
    """Copies with this program's own client: needs no tool, sends only what is missing."""

    name = "direct"

    def __init__(self) -> None:
        self._registries: dict[str, Registry] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def transfer(self, transfer: Transfer) -> None:
        """Copy blob by blob. Raises OperatorError."""
        sent = 0

        def count(size: int) -> None:
            nonlocal sent
            if self._stopped:
                raise OperatorError(f"{transfer.name}: interrupted", code=ExitCode.INTERRUPTED)
            before, sent = sent, sent + size
            if sent // _MIB > before // _MIB:
                transfer.step(f"{sent / _MIB:.0f} MiB copied")

        source = Place(self._registry(transfer.source.registry), transfer.source.repository)
        target = Place(self._registry(transfer.target.registry), transfer.target.repository)
        assert transfer.target.tag is not None
        copy(source, transfer.source.selector, target, transfer.target.tag, count)

    def stop(self) -> None:
        """Break off every copy that runs."""
        self._stopped = True

    def _registry(self, name: str) -> Registry:
        with self._lock:
            if name not in self._registries:
                self._registries[name] = Registry.connect(name)
            return self._registries[name]


@dataclass(frozen=True)
class ToolCopy:
    """Copies with skopeo or crane."""

    name: Literal["skopeo", "crane"] = field(default="skopeo")

    def transfer(self, transfer: Transfer) -> None:
        """Run the tool, which takes its logins from a file. Raises BuildError."""
        source = transfer.source.by(transfer.source.digest) if transfer.source.digest else transfer.source
        registries = (transfer.source.registry, transfer.target.registry)
        logins = {name: login for name in registries if (login := find_login(name))}
        with auth_file(logins) as file:
            env = {"REGISTRY_AUTH_FILE": str(file), "DOCKER_CONFIG": str(file.parent)}
            run_logged(
                transfer.processes,
                self._command(str(source), str(transfer.target), *map(is_loopback, registries)),
                name=transfer.name,
                log=transfer.log,
                env=env,
                step=transfer.step,
            )

    def _command(self, source: str, target: str, source_is_local: bool, target_is_local: bool) -> list[str]:
        if self.name == "crane":
            return ["crane", "copy", *(["--insecure"] if source_is_local or target_is_local else []), source, target]
        plain = [f"--{side}-tls-verify=false" for side, local in
                 (("src", source_is_local), ("dest", target_is_local)) if local]  # fmt: skip
        return ["skopeo", "copy", "--all", "--preserve-digests", *plain, f"docker://{source}", f"docker://{target}"]
