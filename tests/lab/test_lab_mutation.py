"""The kept mutations fit the tree, and what is played says which of them nobody noticed."""

import dataclasses
from pathlib import Path

import pytest

from scripts.lab.mutation import __main__ as mutate
from scripts.lab.mutation import play
from scripts.lab.mutation.catalogue import Mutation, StaleMutationError, mutations, selected

ROOT = Path(__file__).parents[2]
MADE_UP = Mutation("made-up", "code.py", "ANSWER = 42", "ANSWER = 41", "wrong answers", ("test_code.py",))
TEST = "from code_under_test import ANSWER\n\ndef test_it():\n    assert ANSWER == {expected}\n"


@pytest.mark.parametrize("mutation", mutations(), ids=lambda mutation: mutation.name)
def test_a_kept_mutation_fits_the_tree(mutation: Mutation) -> None:
    assert mutation.mutated((ROOT / mutation.file).read_text("utf-8"))
    assert mutation.find != mutation.replace
    assert [test for test in mutation.noticed_by if not (ROOT / test.partition("::")[0]).is_file()] == []


def test_names_are_unique_and_no_snapshot_is_a_witness() -> None:
    found = mutations()
    assert len({mutation.name for mutation in found}) == len(found)
    assert not [mutation.name for mutation in found if set(mutation.noticed_by) & set(play.NOT_COUNTED)]


@pytest.mark.parametrize("text", ["", "ANSWER = 42\nANSWER = 42\n"])
def test_a_mutation_that_no_longer_fits_says_so(text: str) -> None:
    with pytest.raises(StaleMutationError, match=r"made-up: code\.py has 'ANSWER = 42'"):
        MADE_UP.mutated(text)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(StaleMutationError, match="no-such: no mutation of this name"):
        selected([MADE_UP], ["no-such"])


@pytest.mark.parametrize(("expected", "noticed"), [("42", True), ("41 or True", False)])
def test_a_mistake_is_made_judged_and_taken_back(tmp_path: Path, expected: str, noticed: bool) -> None:
    code = tmp_path / "code_under_test.py"
    code.write_text("ANSWER = 42\n")
    (tmp_path / "test_code.py").write_text(TEST.format(expected=expected))
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    mutation = dataclasses.replace(MADE_UP, file="code_under_test.py")
    assert play.play(mutation, tmp_path, everything=False).noticed is noticed
    assert code.read_text() == "ANSWER = 42\n"


@pytest.mark.parametrize(("survivors", "status"), [(0, 0), (1, 0), (2, 1)])
def test_one_of_twenty_may_survive(survivors: int, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [play.Verdict(MADE_UP, noticed=number >= survivors, output="") for number in range(20)]
    assert mutate.report(verdicts) == status
    assert ("wrong answers" in capsys.readouterr().out) is bool(survivors)
