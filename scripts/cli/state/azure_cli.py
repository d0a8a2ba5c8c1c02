"""The Azure CLI as `llmctl state bootstrap` runs it: command lines that are shown as well."""

import base64
import json
import shlex
import subprocess

from scripts.core.errors import OperatorError


def logged_in() -> tuple[str, str]:
    """Return object id and kind of whoever `az` is logged in as: a person, a service principal or a managed identity.

    The id stands in the token itself, since a service principal may often not read the directory, not even itself.
    """
    kind = json.loads(run_az(["az", "account", "show", "--query", "user.type", "--output", "json"]))
    token = json.loads(run_az(["az", "account", "get-access-token", "--query", "accessToken", "--output", "json"]))
    payload = str(token).split(".")[1]
    token_claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(token_claims["oid"]), "ServicePrincipal" if kind == "servicePrincipal" else "User"


def run_az(command: list[str]) -> str:
    """Return what a command of the Azure CLI prints. Raises OperatorError."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise OperatorError(
            f"`{shlex.join(command[:4])} …` failed: {lines[0] if lines else 'no message'}",
            "log in with `az login`, check your roles on the subscription, and run this again",
        )
    return done.stdout
