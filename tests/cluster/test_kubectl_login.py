"""Which program a kubeconfig asks for a login, so that it can be brought along."""

from typing import Any

import pytest

from scripts.cluster.kubectl import find_context, login_program

KUBECONFIG: dict[str, Any] = {
    "current-context": "live",
    "clusters": [{"name": "live", "cluster": {"server": "https://live.example:443"}}],
    "contexts": [
        {"name": "live", "context": {"cluster": "live", "user": "entra"}},
        {"name": "tests", "context": {"cluster": "live", "user": "token"}},
        {"name": "nobody", "context": {"cluster": "live"}},
    ],
    "users": [
        {"name": "entra", "user": {"exec": {"command": "kubelogin", "args": ["get-token"]}}},
        {"name": "token", "user": {"token": "REDACTED"}},
        {"name": "empty", "user": None},
    ],
}


@pytest.mark.parametrize(
    ("context", "program"), [("live", "kubelogin"), ("tests", ""), ("nobody", ""), ("no such one", "")]
)
def test_the_login_of_a_context_is_the_program_that_its_user_names(context: str, program: str) -> None:
    assert login_program(KUBECONFIG, context) == program


def test_an_empty_kubeconfig_has_neither_context_nor_login() -> None:
    empty: dict[str, Any] = {"clusters": None, "contexts": None, "users": None}
    assert find_context(empty, "https://live.example") is None
    assert login_program(empty, "live") == ""
