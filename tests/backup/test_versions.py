"""What of a set an environment can live on: versions, and what else the data depends on."""

import pytest

from scripts.backup.restoring import RestorePart
from scripts.backup.versions import require_readable
from scripts.core.errors import OperatorError
from stacks.platform.common.catalogue import images
from tests.support.backup.environment import Backed, settings

ALL = tuple(RestorePart)


def test_a_set_names_what_the_states_record_as_deployed_of_what_is_on() -> None:
    assert dict(Backed("opik: {version: 2.1.23}\n").making().run().deployed) == {
        "opik.version": "2.1.23",
        "database.version": "17",
        "database.storage_gib": "32",
        "versions.open-webui": images()["open-webui/server"].tag,
        "versions.litellm": images()["litellm/proxy"].tag,
        "chat.embeddings.model": "",
        "chat.embeddings.dimensions": "384",
    }
    without = Backed("chat: {enabled: false}\ngateway: {enabled: false}\nopik: {enabled: false}\n").place.deployed
    assert set(without) == {"database.version", "database.storage_gib"}


@pytest.mark.parametrize(
    ("key", "fits", "does_not"),
    [
        ("opik.version", ("2.1.22", "2.1.23", "2.0.99"), ("2.1.24", "3.0.0")),
        ("database.version", ("17",), ("16", "18")),
        ("database.storage_gib", ("32",), ("64",)),
        ("versions.open-webui", ("v0.1.0",), ("v999.0.0",)),
        ("versions.litellm", ("v1.9.9",), ("v999.0.0",)),
        ("chat.embeddings.model", ("",), ("bge-m3",)),
        ("chat.embeddings.dimensions", ("384",), ("1024",)),
        ("a.key.of.a.later.version", ("1",), ()),
    ],
)
def test_older_data_is_migrated_and_data_of_newer_programs_is_refused(
    key: str, fits: tuple[str, ...], does_not: tuple[str, ...]
) -> None:
    made, here = Backed().making().run(), settings("opik: {version: 2.1.23}\ndatabase: {storage_auto_grow: false}\n")
    for value in fits:
        require_readable(made.model_copy(update={"deployed": {key: value}}), ALL, here)
    for value in does_not:
        with pytest.raises(OperatorError, match="dev cannot live on the set 20261130t030000z of dev"):
            require_readable(made.model_copy(update={"deployed": {key: value}}), ALL, here)


def test_what_is_off_here_and_a_size_that_azure_grows_are_not_compared() -> None:
    made = Backed().making().run()
    newer = made.model_copy(update={"deployed": {"versions.open-webui": "v9.0.0", "database.storage_gib": "4096"}})
    require_readable(newer, ALL, settings("chat: {enabled: false}\n"))


def test_several_problems_are_one_sentence_with_each_way_out() -> None:
    made = Backed().making().run()
    newer = made.model_copy(update={"deployed": {"opik.version": "2.2.0", "database.version": "18"}})
    with pytest.raises(OperatorError) as refused:
        require_readable(newer, ALL, settings("opik: {version: 2.1.23}\n"))
    assert refused.value.message.endswith(
        "Opik is 2.1.23 in dev and 2.2.0 in the set; PostgreSQL is 17 in dev and 18 in the set"
    )
    assert refused.value.fix == (
        'write opik.version: 2.2.0 into environments/dev.yaml; write database.version: "18" into environments/dev.yaml'
    )
