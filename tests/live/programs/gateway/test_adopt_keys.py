"""A key that a real LiteLLM made, kept in another database alone, opens the environment's gateway once it is taken."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from scripts.applications.adoption.copying import Copying, Report
from scripts.applications.adoption.source import Place
from scripts.cluster.pod_program import START, ByCommand
from scripts.core.errors import OperatorError
from stacks.platform.components.llm_gateway import address, secrets
from tests.live.programs.stage import GATEWAY_URL, Stage
from tests.support.llm_gateway import pods as gateway_pods
from tests.support.llm_gateway.pods import ask

pytestmark = pytest.mark.live
MODEL = "llama3.1-8b"
TABLES = ("LiteLLM_BudgetTable", "LiteLLM_TeamTable", "LiteLLM_VerificationToken")


@dataclass
class OldGateway:
    """The old database and the keys that its clients have."""

    address: str
    key: str
    blocked: str


def master(stage: Stage) -> str:
    return stage.secret(address.NAMESPACE, secrets.SECRET, "LITELLM_MASTER_KEY")


def made(stage: Stage, path: str, **body: object) -> dict[str, str]:
    status, _, content = ask(f"{GATEWAY_URL}{path}", body, key=master(stage))
    assert status == 200, content
    return dict(json.loads(content))


def chat(key: str) -> int:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Am I known?"}]}
    return ask(f"{GATEWAY_URL}/v1/chat/completions", body, key=key)[0]


@pytest.fixture(scope="module")
def old(stage: Stage) -> Iterator[OldGateway]:
    """Let the real gateway make a team with two keys, and move them into a database of their own."""
    team = made(stage, "/team/new", team_alias="divers", max_budget=5)["team_id"]
    key = made(stage, "/key/generate", key_alias="boat", team_id=team, models=[MODEL], rpm_limit=1000)["key"]
    blocked = made(stage, "/key/generate", key_alias="wreck", blocked=True)["key"]
    database = stage.database
    database.superuser("CREATE ROLE old_litellm LOGIN SUPERUSER PASSWORD 'Password1'")
    database.superuser("CREATE DATABASE old_litellm OWNER old_litellm")
    login = "old_litellm:Password1"
    place = f"{login}@{database.program.address}:{database.program.port}"
    url = f"postgresql://{place}/old_litellm?sslmode=require"
    gateway_pods.migrate(url)
    with (
        psycopg.connect(f"postgresql://{place}/litellm?sslmode=require", autocommit=True) as here,
        psycopg.connect(url, autocommit=True) as there,
    ):
        for table in TABLES:
            for (row,) in here.execute(f'SELECT row_to_json(t)::text FROM "{table}" t').fetchall():
                there.execute(
                    f'INSERT INTO "{table}" SELECT * FROM json_populate_record(NULL::"{table}", %s::json)'
                    " ON CONFLICT DO NOTHING",
                    (row,),
                )
        here.execute("DELETE FROM \"LiteLLM_VerificationToken\" WHERE key_alias IN ('boat', 'wreck')")
        here.execute('DELETE FROM "LiteLLM_TeamTable" WHERE team_id = %s', (team,))
    yield OldGateway(url, key, blocked)
    database.superuser("DROP DATABASE old_litellm")
    database.superuser("DROP ROLE old_litellm")


def take(stage: Stage, old: OldGateway) -> Report:
    gateway = stage.gateway
    run = ByCommand([gateway.command[0], "-c", START], gateway.name, {**os.environ, **gateway.environment})
    with Place.of("env:OLD", {"OLD": old.address}).open() as source:
        copying = Copying(source, "keys", run, {"own": ["chat-key"]})
        assert copying.counts()["LiteLLM_VerificationToken"] >= 2
        copying.look()
        tables: Report = copying.take(lambda _table, _rows: None)["tables"]
        return tables


def limits(stage: Stage) -> str:
    columns = "key_alias, models::text, rpm_limit, blocked, team_id IS NOT NULL"
    return stage.database.superuser(
        f"SELECT {columns} FROM \"LiteLLM_VerificationToken\" WHERE key_alias IN ('boat', 'wreck') ORDER BY 1",
        "litellm",
    )


def test_a_key_of_the_old_gateway_opens_this_one_within_its_limits(stage: Stage, old: OldGateway) -> None:
    report = take(stage, old)
    assert report["LiteLLM_VerificationToken"]["added"] == 2
    assert report["LiteLLM_TeamTable"]["added"] == 1
    assert limits(stage) == f"boat|{{{MODEL}}}|1000||t\nwreck|{{}}||t|f"
    assert chat(old.key) == 200
    assert chat(old.blocked) in (401, 403)
    assert chat(old.key[:-1] + ("a" if old.key[-1] != "a" else "b")) == 401
    # No key of the old gateway administers this one.
    assert ask(f"{GATEWAY_URL}/key/generate", {}, key=old.key)[0] in (401, 403)


def test_a_second_run_adds_nothing(stage: Stage, old: OldGateway) -> None:
    before = limits(stage)
    assert {table: found["added"] for table, found in take(stage, old).items() if found["added"]} == {}
    assert limits(stage) == before


def test_a_source_with_a_limit_that_is_unknown_here_is_refused(stage: Stage, old: OldGateway) -> None:
    stage.database.superuser('ALTER TABLE "LiteLLM_VerificationToken" ADD COLUMN new_limit int', "old_litellm")
    before = limits(stage)
    with pytest.raises(OperatorError, match=r"newer than this environment, which has no .*new_limit"):
        take(stage, old)
    assert limits(stage) == before
