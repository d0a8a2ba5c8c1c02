"""Which schema migrations an older Opik can live with, from the changelogs' own text."""

import pytest

from scripts.opik.changelog import ANALYTICS, STATE, ChangeSetId, changelog, parse
from scripts.opik.migration_history import executed_since, not_executed, obstacles, parse_rows

HEADER = "--liquibase formatted sql\n--changeset someone:000042_change\n--comment: why\n\n"
UNDO = "\n\n--rollback ALTER TABLE undone;\n"


def why(sql: str, undo: str = UNDO) -> str:
    (change,) = parse(HEADER + sql + undo, ANALYTICS)
    return change.irreversible


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE IF NOT EXISTS a (id CHAR(36) NOT NULL, PRIMARY KEY (id));",
        "CREATE TABLE IF NOT EXISTS ${DB}.a ON CLUSTER '{cluster}' (id String) ENGINE = Log COMMENT 'a;b';",
        "CREATE INDEX by_name ON a (name);",
        "ALTER TABLE ${DB}.a ON CLUSTER '{cluster}' ADD COLUMN IF NOT EXISTS b String DEFAULT '';",
        """ALTER TABLE ${DB}.a ON CLUSTER '{cluster}'
    -- why, with a ; in it
    ADD COLUMN b UInt64 DEFAULT 10001,
    ADD COLUMN c String MATERIALIZED if(length(i) > b, substring(i, 1, b), i);""",
        "ALTER TABLE a ADD COLUMN b VARCHAR(10) NULL, ADD INDEX by_b (b, c);",
        "ALTER TABLE a ADD COLUMN b ENUM('x, y', 'z') NOT NULL DEFAULT 'z';",
        "alter table a add column b int;\ncreate table b (c int);",
    ],
)
def test_what_only_adds_can_be_lived_with(sql: str) -> None:
    assert why(sql) == ""


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE a DROP COLUMN b;",
        "ALTER TABLE a DROP FOREIGN KEY a_b_fk;",
        "ALTER TABLE a ADD COLUMN c INT, DROP COLUMN b;",
        "ALTER TABLE a ON CLUSTER '{cluster}' MODIFY COLUMN b Enum8('x' = 1, 'y' = 2);",
        "ALTER TABLE a RENAME COLUMN b TO c;",
        "ALTER TABLE a ADD COLUMN b INT NOT NULL;",
        "ALTER TABLE a ADD UNIQUE INDEX one (b);",
        "ALTER TABLE a ADD CONSTRAINT one FOREIGN KEY (b) REFERENCES c(id);",
        "CREATE UNIQUE INDEX one ON a (b);",
        "DROP TABLE a;",
        "RENAME TABLE a TO b;",
        "UPDATE a SET b = 1;",
        "INSERT INTO a SELECT * FROM b;",
        "CREATE TABLE b (c INT);\nDELETE FROM a;",
    ],
)
def test_what_does_more_than_add_cannot(sql: str) -> None:
    assert why(sql).startswith("it does more than add")


@pytest.mark.parametrize("undo", ["", "\n--rollback empty\n", "\n--rollback empty;\n", "\n--ROLLBACK EMPTY\n"])
def test_what_upstream_calls_final_is_final(undo: str) -> None:
    assert "impossible to undo" in why("ALTER TABLE a ADD COLUMN b INT;", undo)


def test_a_file_may_hold_several_changesets_each_with_its_own_fate() -> None:
    text = (
        "--liquibase formatted sql\n"
        "-- changeset one:a runOnChange:true\nCREATE TABLE a (b INT);\n--rollback DROP TABLE a;\n"
        "--changeset two:b\nDROP TABLE c;\n--rollback empty\n"
    )
    one, two = parse(text, STATE)
    assert (one.id, bool(one.irreversible)) == (ChangeSetId(STATE, "one", "a"), False)
    assert (two.id, bool(two.irreversible)) == (ChangeSetId(STATE, "two", "b"), True)
    assert str(two.id) == "MySQL b"


def log(*names: str, sql: str = "CREATE TABLE a (b INT);") -> dict[str, str]:
    body = f"{sql}\n--rollback DROP TABLE a;\n"
    return {f"db-app-state/migrations/{name}.sql": f"--changeset me:{name}\n{body}" for name in names}


def rows(*names: str) -> set[ChangeSetId]:
    return parse_rows("".join(f"me\t{name}\n" for name in names), STATE)


def test_only_what_the_databases_really_hold_counts() -> None:
    older, newer = changelog(log("1")), changelog(log("1", "2", "3"))
    assert [change.name for change in executed_since(rows("1", "2"), older)] == ["2"]
    assert obstacles(executed_since(rows("1", "2"), older), newer) == []


def test_a_migration_that_cannot_be_lived_with_or_that_nobody_knows_is_an_obstacle() -> None:
    older = changelog(log("1"))
    newer = older | changelog(log("2", sql="DROP TABLE x;"))
    found = obstacles(executed_since(rows("1", "2", "ghost"), older), newer)
    assert [(obstacle.id.name, obstacle.why.split(":")[0]) for obstacle in found] == [
        ("2", "it does more than add"),
        ("ghost", "it is in none of the two changelogs"),
    ]


def test_files_that_are_no_changelogs_are_left_alone() -> None:
    assert changelog({"db-app-state/changelog.xml": "<x/>", "other/1.sql": "--changeset a:b\nDROP TABLE c;\n"}) == {}


@pytest.mark.parametrize("text", ["", "\n", "Unable to connect\n", "me\t1\nERROR\n", "me\t\n"])
def test_an_error_message_is_never_taken_for_an_empty_ledger(text: str) -> None:
    with pytest.raises(ValueError, match="history"):
        parse_rows(text, STATE)


@pytest.mark.parametrize(
    ("heading", "conditional"),
    [
        ("--changeset me:1", False),
        ("--changeset me:1 runOnChange:true", False),
        ("--changeset me:1 dbms:postgresql", True),
        ("--changeset me:1 context:test", True),
        ("--changeset me:1 labels:later", True),
        ("--changeset me:1 ignore:true", True),
        ("--changeset me:1\n--preconditions onFail:CONTINUE", True),
        ("--changeset me:1\n--preconditions onFail:MARK_RAN", False),
    ],
)
def test_what_liquibase_may_leave_out_without_a_row_is_not_missed(heading: str, conditional: bool) -> None:
    """https://docs.liquibase.com/concepts/changelogs/changeset.html: MARK_RAN writes a row, the others none."""
    known = changelog({"db-app-state/a.sql": f"--liquibase formatted sql\n{heading}\nCREATE TABLE a (b INT);\n"})
    assert len(known) == 1
    assert not_executed(set(), known) == ([] if conditional else list(known))
    assert not_executed(known.keys(), known) == []
