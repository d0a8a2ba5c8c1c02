"""Find, hand over or erase one person in the database of a pod; runs inside the pod, with the pod's own address.

Started by `pod_program` with PARAMETERS, so that no name stands on a command line: `action` (`count`, `export`,
`erase`), `names` (e-mail address, and ids in other databases), `related` (ids that count where a column is equal to
one of them, such as those of chats), and `rules`, one of the YAML files of the folder above. Prints one JSON object a
line: rows and files of an export, then {"report": ...}. `count` does what `erase` does, and rolls it back.
"""

from typing import Any

from scripts.applications.privacy.in_pod.choice import choose
from scripts.applications.privacy.in_pod.erasure import erase
from scripts.applications.privacy.in_pod.export import export
from scripts.applications.privacy.in_pod.outside import forget_sessions, remove, uploads
from scripts.applications.privacy.in_pod.person import Person
from scripts.cluster.in_pod.answers import RefusedError, say
from scripts.cluster.in_pod.database import connected, run


def main(parameters: dict[str, Any]) -> None:
    """Do what the parameters say, and report."""
    with connected() as connection:
        person = Person(connection, parameters["rules"], parameters["names"], parameters["related"])
        if unknown := person.unclassified():
            raise RefusedError(f"this version has columns that no rule knows: {', '.join(unknown)}")
        action = parameters["action"]
        if action == "export" and not person.rules.get("heir"):
            # Nothing is handed over, so that a last administrator can be exported.
            person.rules = {**person.rules, "heir": ""}
        choose(person)
        related = {name: person.gone.get(name, []) for name in person.rules.get("related", ())}
        if action == "export":
            report = export(person)
            connection.rollback()
        else:
            files = uploads(person)
            report = erase(person)
            report["files"] = {"removed": len(files), "elsewhere": []}
            if action == "erase":
                # Before the commit: a row without its file can be erased again, a file without a row by nobody.
                report["files"] = remove(files)
                report["sessions"] = forget_sessions([*person.ids, *person.emails])
                connection.commit()
            else:
                connection.rollback()
        say({"report": {**report, "ids": person.ids, "related": related}})


if __name__ == "__main__":
    run(main, PARAMETERS)  # type: ignore[name-defined]  # noqa: F821 - given by pod_program
