"""Rules of the fake providers: all that the modules hold are asked, and none refuses what is not known yet."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider.rules import cluster, data, network
from scripts.lab.rehearsal.fake_provider.rules.azure import RULES
from scripts.lab.rehearsal.fake_provider.values import UNKNOWN


def test_the_rules_of_every_module_are_asked() -> None:
    assert set(RULES) == {*cluster.RULES, *data.RULES, *network.RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.type}-{rule.path}")
def test_what_is_not_known_yet_is_never_refused(rule: Any) -> None:
    class Unknown(dict[str, Any]):
        def get(self, _key: str, _default: Any = None) -> Any:
            return UNKNOWN

    assert rule.check(Unknown()) is None
