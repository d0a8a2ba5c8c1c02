"""Brings the database to this version's schema, vectors included, then writes down what the platform adds to it.

Which models call tools, and the platform's own function (write_functions.py).

migrate.py runs it under its lock. Environment: MODEL_TOOLS, JSON of the models' ids and whether each calls tools;
DEFAULT_MODEL_METADATA, what holds for models of which nothing is written down; VECTOR_DB and PGVECTOR_*, as Open WebUI
has them. It would make the tables of the vectors itself when it starts, where pods of one moment meet: CREATE TABLE IF
NOT EXISTS fails for all but the first.
"""

import asyncio
import json
import os
import sys

import open_webui.config  # noqa: F401 - migrates while it is imported, where ENABLE_DB_MIGRATIONS allows it
from open_webui.models.models import ModelForm, Models
from open_webui.retrieval.vector.factory import get_vector_db_client
from write_functions import write_functions

CAPABILITY = "builtin_tools"


async def write_down(tools: dict[str, bool], default: bool) -> None:
    """Make Open WebUI's record of every model agree with `tools`; whatever else a record says stays.

    Models that are as the default says get no record: it would show them as changed by somebody.
    """
    for name, able in tools.items():
        record = await Models.get_model_by_id(name)
        known = record.model_dump(exclude={"access_grants"}) if record else {"id": name, "name": name, "meta": {}}
        capabilities = known["meta"].get("capabilities") or {}
        if capabilities.get(CAPABILITY, default) == able or known.get("base_model_id"):
            continue
        known["meta"] |= {"capabilities": capabilities | {CAPABILITY: able}}
        form = ModelForm.model_validate({"params": {}} | known)
        if record:
            await Models.update_model_by_id(name, form)
        else:
            await Models.insert_new_model(form, user_id="platform")
        print(f"model_tools: {name} {'calls' if able else 'does not call'} tools", flush=True)


def main() -> None:
    """Make the tables of the vectors, and write down what the environment says. Raises what the vector store raises."""
    get_vector_db_client()
    default = json.loads(os.environ["DEFAULT_MODEL_METADATA"])["capabilities"][CAPABILITY]
    try:
        asyncio.run(_write_all(json.loads(os.environ["MODEL_TOOLS"]), default))
    except Exception as error:  # noqa: BLE001 - the chat works without; models then have the default
        print(f"model_tools: nothing is written down: {error!r}", file=sys.stderr, flush=True)


async def _write_all(tools: dict[str, bool], default: bool) -> None:
    await write_down(tools, default)
    await write_functions()


if __name__ == "__main__":
    main()
