"""The script of the Job that brings certificates back, against an API that creates, has it already, or refuses."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import HELM
from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, authority, certificate_for, served

pytestmark = pytest.mark.programs

SCRIPT = HELM / "kept-certificates" / "bring-back.sh"
KEY = "-----BEGIN PRIVATE KEY-----"


@dataclass
class Job:
    """The Job's pod: its files, its account, and an API that answers by namespace."""

    folder: Path
    url: str
    answers: dict[str, int] = field(default_factory=dict)
    asked: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Path to token and body."""

    def kept(self, name: str, text: str) -> None:
        (self.folder / "kept").mkdir(exist_ok=True)
        (self.folder / "kept" / name).write_text(text)

    def run(self) -> tuple[int, str]:
        told = {"FILES": str(self.folder / "kept"), "ACCOUNT": str(self.folder / "account"), "API": self.url}
        done = subprocess.run(
            ["sh", str(SCRIPT)], env=os.environ | told, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    found = Job(tmp_path, "")

    class Api(QuietHandler):
        def do_POST(self) -> None:
            found.asked[self.path] = self.headers["Authorization"], self.body().decode()
            self.answer(found.answers.get(self.path.split("/")[4], 201), KEY.encode())

    issuer = authority(tmp_path, "cluster")
    account = tmp_path / "account"
    account.mkdir()
    shutil.copy(issuer[0], account / "ca.crt")
    (account / "token").write_text("the-token")
    with served(Api, tls=certificate_for(tmp_path, issuer, "localhost")) as address:
        found.url = f"https://localhost:{address.rpartition(':')[2]}"
        yield found


def test_what_is_kept_is_created_and_what_exists_stays(job: Job) -> None:
    secret = json.dumps({"kind": "Secret", "stringData": {"tls.key": KEY}})
    job.kept("chat_chat-tls", secret)
    job.kept("opik_opik-tls", secret)
    job.kept("gateway_gateway-tls", "")
    job.answers["opik"] = 409
    status, said = job.run()
    assert (status, said.splitlines()) == (
        0,
        ["chat_chat-tls: brought back", "gateway_gateway-tls: nothing is kept", "opik_opik-tls: is there"],
    )
    assert job.asked == dict.fromkeys(
        ("/api/v1/namespaces/chat/secrets", "/api/v1/namespaces/opik/secrets"), ("Bearer the-token", secret)
    )


def test_a_refusal_fails_the_deployment_after_the_others_and_no_secret_is_printed(job: Job) -> None:
    for name in ("chat_chat-tls", "opik_opik-tls"):
        job.kept(name, KEY)
    job.answers["chat"] = 403
    status, said = job.run()
    assert status == 1
    assert sorted(said.splitlines()) == ["chat_chat-tls: the API refuses it: 403", "opik_opik-tls: brought back"]
    assert "the-token" not in said
    assert KEY not in said
