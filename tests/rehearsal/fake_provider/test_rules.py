"""Rules of the fake providers: all that the modules hold are asked, and none refuses what is not known yet."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider import rules_cluster, rules_data, rules_network
from scripts.lab.rehearsal.fake_provider.azure_rules import RULES
from scripts.lab.rehearsal.fake_provider.values import UNKNOWN


def test_the_rules_of_every_module_are_asked() -> None:
    assert set(RULES) == {*rules_cluster.RULES, *rules_data.RULES, *rules_network.RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.type}-{rule.path}")
def test_what_is_not_known_yet_is_never_refused(rule: Any) -> None:
    class Unknown(dict[str, Any]):
        def get(self, _key: str, _default: Any = None) -> Any:
            return UNKNOWN

    assert rule.check(Unknown()) is None
