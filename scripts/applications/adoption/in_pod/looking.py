"""What the environment's database holds already, and what of a source could not be taken."""

from typing import Any

from scripts.applications.adoption.in_pod.adoption import Adoption
from scripts.applications.adoption.in_pod.migrations import require_known
from scripts.cluster.in_pod.answers import RefusedError

MATCHED = """
SELECT count(*) FROM public."user" WHERE lower(email) = ANY(%s) OR oauth -> 'oidc' ->> 'sub' = ANY(%s)
"""


def look(adoption: Adoption) -> dict[str, Any]:
    """Return what there is. Raises RefusedError for what could not be taken."""
    lacking = [table for table in adoption.rules["needs"] if table not in adoption.target.columns]
    if lacking:
        raise RefusedError(f"this environment's database has no table {lacking[0]}: deploy the environment first")
    if adoption.rules.get("migrate"):
        require_known(adoption, str(adoption.revision))
    else:
        _require_columns(adoption)
    matched = 0
    if adoption.people:
        emails = [email.lower() for _, email, _ in adoption.people]
        matched = int(adoption.one(MATCHED, emails, [subject for _, _, subject in adoption.people if subject]))
    tables = [table for table in adoption.rules["take"] if table in adoption.target.columns]
    return {"there": {table: adoption.count("public", table) for table in tables}, "matched": matched}


def _require_columns(adoption: Adoption) -> None:
    """Refuse a source with columns that are not here: one of them may be a limit that would be lost."""
    unknown = sorted(
        f"{table}.{column}"
        for table, columns in adoption.source.items()
        for column in columns
        if column not in adoption.target.columns.get(table, {})
    )
    if unknown:
        raise RefusedError(f"the source is newer than this environment, which has no {', '.join(unknown[:5])}")
