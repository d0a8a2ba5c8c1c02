"""A fake of Azure that the real azurerm and azuread speak to: a program of its own, named by FAKE_AZURE.

What it has to do: answer Resource Manager, login, Graph and Key Vault on one loopback port, which is also the proxy
that leads there, so that the configuration and its public host names stay as they are. Its command line:

    PROGRAM --port N --cert-dir DIR --subscription ID --state FILE --log FILE --seed FILE
    PROGRAM --port N --cert-dir DIR --subscription ID --env     # prints `export NAME='VALUE'` for Terraform

The seed is what exists before a first deployment: `{"arm": [{"id": ID, "location": REGION}, ...]}`.
"""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.core.errors import OperatorError
from stacks.settings import Settings

_STARTED_S = 60
_GROUP = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+", re.IGNORECASE)
_EXPORT = re.compile(r"^export (\w+)='([^']*)'$", re.MULTILINE)


@contextmanager
def fake_azure(program: Path, folder: Path, settings: Settings) -> Iterator[dict[str, str]]:
    """Run the fake, within; gives the variables that lead Terraform there. What it holds is kept in `folder`.

    Raises OperatorError where it does not start; its own words are in `folder`/fake-azure.log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    common = [sys.executable, str(program), "--port", str(port), "--cert-dir", str(folder / "certificates")]
    common += ["--subscription", str(settings.azure.subscription_id)]
    (folder / "seed.json").write_text(json.dumps(seed(settings)), encoding="utf-8")
    with (folder / "fake-azure.log").open("ab") as log:
        served = [*common, "--state", str(folder / "azure.json"), "--log", str(folder / "requests.log")]
        served += ["--seed", str(folder / "seed.json")]
        process = subprocess.Popen(served, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603
        try:
            _wait(process, port, folder / "fake-azure.log")
            told = subprocess.run([*common, "--env"], capture_output=True, text=True, check=True)  # noqa: S603
            yield dict(_EXPORT.findall(told.stdout))
        finally:
            process.terminate()
            process.wait()


def seed(settings: Settings) -> dict[str, list[dict[str, str]]]:
    """Return what has to exist in Azure before a first deployment: whatever the settings name by its id."""
    named = [value for value in _texts(settings.model_dump(mode="json")) if _GROUP.match(value)]
    groups = [found[0] for value in named if (found := _GROUP.match(value))]
    return {"arm": [{"id": value, "location": settings.azure.region} for value in dict.fromkeys([*groups, *named])]}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _STARTED_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise OperatorError("the fake of Azure does not start", f"see {log}")
