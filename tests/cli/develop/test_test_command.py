"""`llmctl test` hands arguments to pytest, and refuses at once what pytest would refuse after minutes of checks."""

import pytest

from scripts.cli.develop.test import refuse_unknown
from scripts.core.errors import ExitCode, OperatorError


@pytest.mark.programs
def test_what_pytest_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(OperatorError, match=r"pytest does not take --typo: unrecognized arguments: --typo") as caught:
        refuse_unknown(["--typo"])
    assert caught.value.code is ExitCode.USAGE


@pytest.mark.programs
def test_what_pytest_knows_goes_on() -> None:
    refuse_unknown(["-k", "wiring", "-x", "--maxfail=2"])
    refuse_unknown([])
