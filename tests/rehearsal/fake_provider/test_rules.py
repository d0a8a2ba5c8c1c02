"""Every rule refuses what it is there for, and nothing of what is right."""

from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider.rules.azure import RULES
from scripts.lab.rehearsal.fake_provider.rules.checks import problems
from tests.support.rehearsal.rule_cases import cluster, data, network
from tests.support.rehearsal.rule_cases.case import ARGUMENTS, names, without_case

CASES = [*cluster.CASES, *data.CASES, *network.CASES]


@pytest.mark.parametrize(ARGUMENTS, CASES, ids=names(CASES))
def test_a_rule_refuses_the_wrong_and_takes_the_right(
    type_name: str, stage: str, wrong: dict[str, Any], word: str, right: dict[str, Any]
) -> None:
    (found,) = problems(RULES, type_name, stage, wrong)
    assert word in found[1]
    assert problems(RULES, type_name, stage, right) == []


def test_every_rule_has_a_case() -> None:
    assert without_case(RULES, CASES) == []
