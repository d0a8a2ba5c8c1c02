"""Vectors beyond what pgvector indexes in single precision: a pod of the chat keeps them in half, and finds by them."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from scripts.cluster.pod_program import START, ByCommand
from stacks.platform.common.databases import PORT
from stacks.platform.components.chat import names
from stacks.platform.components.chat.login import administrator
from stacks.settings import Settings
from stacks.settings.chat import LONGEST_FULL_VECTOR, LONGEST_VECTOR
from tests.live.programs.chat_stage import CLIENT, GROUP, TENANT, ChatStage
from tests.live.programs.stage import DATABASE_HOST, Stage
from tests.support.chat.pods import chart_values
from tests.support.kubernetes import rendered
from tests.support.programs.processes import Program
from tests.support.web_servers import QuietHandler, served

pytestmark = pytest.mark.live
MODEL_IP, POD_IP = "127.0.1.21", "127.0.1.22"
DATABASE = "open_webui_long"
CALLS = Path("scripts/applications/chat/accounts_in_pod.py")
CRANE = "The harbour crane of Lübeck lifts forty tons of salt every morning."
OTHERS = ("Nine owls sleep in the bell tower.", "A ferry leaves for Trelleborg at night.")


def vector(text: str) -> list[float]:
    """Return a vector in which texts that share words are near each other."""
    found = [0.0] * LONGEST_VECTOR
    for word in text.lower().split():
        found[crc32(word.strip(".?").encode()) % LONGEST_VECTOR] += 1.0
    return found


class _Model(QuietHandler):
    """An embedding model as the LLM gateway offers it."""

    asked: list[str]

    def do_POST(self) -> None:
        body = json.loads(self.body())
        texts: Sequence[str] = [body["input"]] if isinstance(body["input"], str) else body["input"]
        self.asked.append(body["model"])
        data = [
            {"object": "embedding", "index": number, "embedding": vector(text)} for number, text in enumerate(texts)
        ]
        self.answer_json(200, {"object": "list", "model": body["model"], "data": data, "usage": {"total_tokens": 1}})


@dataclass
class Long:
    """A pod of the chat on a database of its own."""

    stage: Stage
    pod: Program
    asked: list[str]

    def call(self, path: str, body: dict[str, Any]) -> Any:
        """Ask the pod as its local administrator."""
        run = ByCommand([self.pod.command[0], "-c", START], self.pod.name, {**os.environ, **self.pod.environment})
        base = f"http://{POD_IP}:{names.PORT}"
        calls = [{"method": "POST", "path": path, "body": body}]
        given = {"base": base, "administrator": administrator(self.stage.settings.domain), "calls": calls}
        (answer,) = run(CALLS.read_text("utf-8"), given)
        assert answer["status"] == 200, f"{answer}\n{self.pod.log[-3000:]}"
        return answer["body"]


def long_settings(settings: Settings) -> Settings:
    """Return an environment whose documents become the longest vectors."""
    values = settings.model_dump()
    served_model = {"name": "vectors", "engine": "ollama", "id": "acme/long", "pool": "t4", "weights_gib": 1}
    values["models"] = [*values["models"], served_model]
    values["chat"]["embeddings"] = {"model": "vectors", "dimensions": LONGEST_VECTOR}
    return Settings.model_validate(values)


@pytest.fixture(scope="module")
def long(chat: ChatStage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Long]:
    stage, folder = chat.stage, tmp_path_factory.mktemp("long")
    settings = long_settings(stage.settings)
    stage.database.superuser(f"CREATE DATABASE {DATABASE} OWNER open_webui")
    stage.database.superuser("CREATE EXTENSION vector", DATABASE)
    delivered = rendered.delivered(settings, rendered.vault(), database_host=DATABASE_HOST)
    secrets = {
        place: {key: text.replace(f":{PORT}/open_webui", f":{PORT}/{DATABASE}") for key, text in held.items()}
        for place, held in delivered.items()
    }
    assert secrets != delivered
    values = chart_values(settings, client=CLIENT, group=GROUP, tenant=TENANT)
    parts = replace(chat.parts, settings=settings, folder=folder, secrets=secrets, values=values)
    assert parts.migration("long").wait(timeout=900) == 0
    pod = parts.open_webui("long", POD_IP)
    asked: list[str] = []
    with served(type("Model", (_Model,), {"asked": asked}), MODEL_IP, 8000):
        # The model is behind the gateway of this environment, which is not the one that runs here.
        pod.environment = {**pod.environment, "RAG_OPENAI_API_BASE_URL": f"http://{MODEL_IP}:8000/v1"}
        with pod.running():
            yield Long(stage, pod, asked)


def test_a_document_is_found_by_the_longest_vectors_through_an_index_in_half_precision(long: Long) -> None:
    names_of = [f"harbour-{number}" for number in range(3)]
    for name, text in zip(names_of, (CRANE, *OTHERS), strict=True):
        long.call("/api/v1/retrieval/process/text", {"name": name, "content": text, "collection_name": name})
    query = {"collection_names": names_of, "query": "How much salt does the harbour crane lift?", "k": 1}
    found = json.dumps(long.call("/api/v1/retrieval/query/collection", query), ensure_ascii=False)
    assert CRANE in found
    assert not any(other in found for other in OTHERS)
    assert set(long.asked) == {"vectors"}
    database = long.stage.database
    column = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'document_chunk'::regclass"
    assert database.superuser(f"{column} AND attname = 'vector'", DATABASE) == f"halfvec({LONGEST_VECTOR})"
    index = database.superuser(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_document_chunk_vector'", DATABASE
    )
    assert "USING hnsw (vector halfvec_cosine_ops)" in index
    assert database.superuser("SELECT count(*) FROM document_chunk", DATABASE) == "3"
    nearest = "SELECT id FROM document_chunk ORDER BY vector <=> (SELECT vector FROM document_chunk LIMIT 1) LIMIT 1"
    plan = database.superuser(f"SET enable_seqscan = off; EXPLAIN {nearest}", DATABASE)
    assert "idx_document_chunk_vector" in plan


@pytest.mark.parametrize(
    ("kind", "operators", "longest"),
    [("vector", "vector_cosine_ops", LONGEST_FULL_VECTOR), ("halfvec", "halfvec_cosine_ops", LONGEST_VECTOR)],
)
def test_lengths_that_the_settings_allow_are_those_that_pgvector_indexes(
    stage: Stage, kind: str, operators: str, longest: int
) -> None:
    def made(length: int) -> str:
        table = f"BEGIN; CREATE TABLE lengths (v {kind}({length}))"
        done = stage.database.superuser(
            f"{table}; DO $$ BEGIN CREATE INDEX ON lengths USING hnsw (v {operators});"
            " EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END $$;"
            " SELECT count(*) FROM pg_indexes WHERE tablename = 'lengths'; ROLLBACK",
            "open_webui",
        )
        return done.splitlines()[-1]

    assert made(longest) == "1"
    assert made(longest + 1) == "0"
