"""Vectors of the old chat's documents: copied where the same model made them, otherwise made again."""

import json
from collections.abc import Mapping
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

from .source import Source

TABLE = "document_chunk"
REINDEX = (
    "Documents are searchable after an administrator has chosen Admin Panel, Settings, Documents, Reindex Knowledge"
    " Base Vectors; a file that belongs to a chat alone is attached again where it has to be searched."
)


def require_same_model(source: Source, variables: Mapping[str, str]) -> None:
    """Return when the source's vectors can be used here. Raises OperatorError (REFUSED) otherwise.

    `variables` are those of the environment's chat: RAG_EMBEDDING_MODEL and PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH.
    """
    if source.kind != "postgresql" or TABLE not in source.tables():
        raise OperatorError(
            "the source has no vectors in PostgreSQL: those of Chroma and of other stores cannot be copied",
            "leave out --vectors copy; re-indexing makes them again",
            ExitCode.REFUSED,
        )
    length = next((len(json.loads(row[0])) for row in source.rows(TABLE, ["vector"]) if row[0]), 0)
    here = int(variables["PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH"])
    model, used = embedding_model(source), variables["RAG_EMBEDDING_MODEL"]
    if length not in (0, here):
        raise OperatorError(
            f"the source's vectors have {length} numbers, those of this environment {here}",
            "leave out --vectors copy; re-indexing makes them again",
            ExitCode.REFUSED,
        )
    if model and model.rpartition("/")[2].lower() != used.rpartition("/")[2].lower():
        raise OperatorError(
            f"the source's vectors are of the model {model}, those of this environment of {used}",
            "leave out --vectors copy; re-indexing makes them again",
            ExitCode.REFUSED,
        )


def embedding_model(source: Source) -> str:
    """Return the model that the source's settings name; empty where its variables decided."""
    columns = source.tables().get("config", ())
    if "key" in columns:
        rows = {str(key): str(value) for key, value in source.rows("config", ["key", "value"])}
        return str(_json(rows.get("rag.embedding_model", '""')) or "")
    if "data" in columns:
        for (data,) in source.rows("config", ["data"]):
            found = _json(data)
            if isinstance(found, dict):
                return str(found.get("rag", {}).get("embedding_model") or "")
    return ""


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None
