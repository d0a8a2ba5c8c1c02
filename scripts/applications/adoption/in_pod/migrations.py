"""Open WebUI's own migrations, applied to the scratch tables of an adoption."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from scripts.applications.adoption.in_pod.adoption import SCRATCH, Adoption
from scripts.cluster.in_pod.answers import RefusedError

MIGRATION = """
import sys
from alembic import command
from alembic.config import Config
settings = Config()
settings.set_main_option("script_location", sys.argv[1])
command.upgrade(settings, sys.argv[2])
"""


def require_known(adoption: Adoption, revision: str) -> None:
    """Raise RefusedError for a source that this version does not know."""
    # Of the image, and only there.
    from alembic.config import Config  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    settings = Config()
    settings.set_main_option("script_location", str(_folder()))
    script = ScriptDirectory.from_config(settings)
    if revision not in {found.revision for found in script.walk_revisions()}:
        raise RefusedError(
            f"the source's schema ({revision}) is newer than this environment's Open WebUI: upgrade the environment"
        )
    here = adoption.one("SELECT version_num FROM public.alembic_version")
    if here not in script.get_heads():
        raise RefusedError("this environment's database is not at its version's schema: deploy the environment")


def migrate(revision: str) -> None:
    """Bring the scratch tables to a revision. Raises RefusedError."""
    environment = os.environ | {"PGOPTIONS": f"-c search_path={SCRATCH}", "ENABLE_DB_MIGRATIONS": "False"}
    environment.pop("DATABASE_SCHEMA", None)
    done = subprocess.run(  # noqa: S603 - fixed words
        [sys.executable, "-c", MIGRATION, str(_folder()), revision],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # The lines after it quote statements and rows.
        said = [line for line in done.stderr.splitlines() if re.match(r"[\w.]+(Error|Exception|Violation)\b", line)]
        raise RefusedError(f"Open WebUI's migration to {revision} failed: {(said or ['no message'])[-1][:200]}")


def require_whole(adoption: Adoption) -> None:
    """Refuse what the migrations made fewer."""
    for table in adoption.rules["whole"]:
        expected = adoption.loaded.get(table, 0) - adoption.orphans.get(table, 0)
        if (found := adoption.count(SCRATCH, table)) < expected:
            raise RefusedError(f"Open WebUI's migrations left {found} of {expected} rows of {table}")
    adoption.connection.commit()


def _folder() -> Path:
    """Return the folder of the migrations, without importing Open WebUI."""
    found = importlib.util.find_spec("open_webui")
    if found is None or not found.submodule_search_locations:
        raise RefusedError("the pod has no Open WebUI")
    return Path(next(iter(found.submodule_search_locations))) / "migrations"
