"""The script that ends a deployment only when the vault has the internal CA, against an API that has it in the end."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import HELM
from tests.support.web_servers import QuietHandler, authority, certificate_for, served

pytestmark = pytest.mark.programs

SCRIPT = HELM / "private-certificates" / "is-kept.sh"


def condition(status: str, message: str) -> dict[str, object]:
    """Return a PushSecret as the API answers, keys in the order of the alphabet."""
    found = {"lastTransitionTime": "2026-11-30T00:00:00Z", "message": message, "reason": "r", "status": status}
    return {"kind": "PushSecret", "status": {"conditions": [{**found, "type": "Ready"}]}}


def test_it_waits_until_the_ca_is_kept_and_says_once_why(tmp_path: Path) -> None:
    answers = [
        {"kind": "PushSecret"},
        condition("False", "no secret"),
        condition("False", "no secret"),
        condition("True", "done"),
    ]
    asked: list[tuple[str, str]] = []

    class Api(QuietHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.answer_json(200, answers[len(asked) - 1])

    issuer = authority(tmp_path, "cluster")
    account = tmp_path / "account"
    account.mkdir()
    shutil.copy(issuer[0], account / "ca.crt")
    (account / "token").write_text("the-token")
    with served(Api, tls=certificate_for(tmp_path, issuer, "localhost")) as address:
        told = {
            "ACCOUNT": str(account),
            "API": f"https://localhost:{address.rpartition(':')[2]}",
            "KEPT": "cert-manager/pushsecrets/kept-internal-ca",
            "PAUSE": "0",
        }
        done = subprocess.run(["sh", str(SCRIPT)], env=os.environ | told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["not yet: no secret", "the vault has the internal CA"]
    path = "/apis/external-secrets.io/v1alpha1/namespaces/cert-manager/pushsecrets/kept-internal-ca"
    assert asked == [(path, "Bearer the-token")] * 4
    assert "the-token" not in done.stdout + done.stderr
