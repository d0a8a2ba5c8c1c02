"""Rules of the fake providers: all are asked, and each refuses what it is there for and nothing of what is right."""

from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider.protocol.values import UNKNOWN
from scripts.lab.rehearsal.fake_provider.rules import cluster, data, network, node_pools
from scripts.lab.rehearsal.fake_provider.rules.azure import RULES
from scripts.lab.rehearsal.fake_provider.rules.checks import problems
from tests.support.rehearsal import rule_cases
from tests.support.rehearsal.rule_cases.case import ARGUMENTS, names, without_case

CASES = [*rule_cases.cluster.CASES, *rule_cases.data.CASES, *rule_cases.network.CASES]


def test_the_rules_of_every_module_are_asked() -> None:
    assert set(RULES) == {*cluster.RULES, *node_pools.RULES, *data.RULES, *network.RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.type}-{rule.path}")
def test_what_is_not_known_yet_is_never_refused(rule: Any) -> None:
    class Unknown(dict[str, Any]):
        def get(self, _key: str, _default: Any = None) -> Any:
            return UNKNOWN

    assert rule.check(Unknown()) is None


@pytest.mark.parametrize(ARGUMENTS, CASES, ids=names(CASES))
def test_a_rule_refuses_the_wrong_and_takes_the_right(
    type_name: str, stage: str, wrong: dict[str, Any], word: str, right: dict[str, Any]
) -> None:
    (found,) = problems(RULES, type_name, stage, wrong)
    assert word in found[1]
    assert problems(RULES, type_name, stage, right) == []


def test_every_rule_has_a_case() -> None:
    assert without_case(RULES, CASES) == []
