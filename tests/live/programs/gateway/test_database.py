"""The LLM gateway believes its database server by certificate and name alone: LiteLLM and PostgreSQL, both real."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stacks.platform.components.llm_gateway import address, release
from stacks.platform.components.llm_gateway.address import DATABASE
from tests.live.programs.stage import DATABASE_HOST, Stage
from tests.support.llm_gateway import pods
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import Program, wait_for
from tests.support.web_servers import authority

pytestmark = pytest.mark.live
ANOTHER_HOST = "psql-another.postgres.database.azure.com"
"""Leads to the same server, whose certificate does not name it."""
IP = "127.0.1.14"
REFUSED = {
    "another authority": "self-signed certificate",
    "another name": "Hostname/IP does not match certificate's altnames",
    "no authority": "self-signed certificate",
}


@dataclass
class Refused:
    """A pod that was started, and what the server saw of it."""

    proxy: Program
    log: str


@pytest.fixture
def begun(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path) -> Iterator[Refused]:
    """Start a pod whose server is another one than it should be, until its log says so."""
    roots, found = stage.database.folder / "server.crt", stage.gateway_release
    if request.param == "another authority":
        roots, _ = authority(tmp_path, "postgres")
    if request.param == "another name":
        stage.names.addresses[ANOTHER_HOST] = stage.names.addresses[DATABASE_HOST]
        found = pods.rendered_release(stage.settings, tmp_path, ANOTHER_HOST)
    _, proxy = pods.pod(found, tmp_path, stage.secrets, ip=IP, name="another", database_roots=roots)
    if request.param == "no authority":
        own = {key: text for key, text in proxy.environment.items() if key not in {"SSL_CERT_FILE", "SSL_CERT_DIR"}}
        url = own["DATABASE_URL"].partition("&sslcert=")[0]
        proxy = replace(proxy, environment={**own, "DATABASE_URL": url})
    before = len(stage.database.log)
    proxy.start(wait=False)
    try:
        wait_for(lambda: REFUSED[request.param] in proxy.log, PATIENCE_S, lambda: proxy.log[-4000:])
        refusal = "could not accept SSL connection"
        wait_for(lambda: refusal in stage.database.log[before:], PATIENCE_S, lambda: stage.database.log[before:])
        yield Refused(proxy, stage.database.log[before:])
    finally:
        proxy.kill()


@pytest.mark.parametrize("begun", REFUSED, indirect=True)
def test_gateway_sends_no_password_to_a_server_of_another_authority_or_name(begun: Refused) -> None:
    assert not begun.proxy.answers()
    assert "could not accept SSL connection" in begun.log


def test_gateway_s_statements_arrive_encrypted(stage: Stage) -> None:
    status, _, body = pods.ask(f"http://{address.SERVICE}:{address.PORT}/health/readiness")
    assert status == 200, body
    encrypted = stage.database.superuser(
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
        f" WHERE datname = '{DATABASE}' AND backend_type = 'client backend'"
    )
    assert encrypted == "t"


def test_address_names_no_mode_that_prisma_takes_for_an_unchecked_one(stage: Stage) -> None:
    url = pods.database_address(stage.gateway_release, stage.secrets, Path("/roots.pem"))
    assert url.endswith(f"@{DATABASE_HOST}:5432/{DATABASE}?sslmode=require&sslaccept=strict&sslcert=/roots.pem")
    assert release.ROOTS_FOLDER not in url
