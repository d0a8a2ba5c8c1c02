"""Who deploys is named as colleagues know them: by the pipeline, by the Azure CLI, by the client id."""

from typing import Any

import pytest

from scripts.core.azure import AzureError
from scripts.core.person import person


def nobody(*_arguments: Any) -> str:
    raise AzureError("nobody is logged in")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"GITHUB_ACTOR": "ada", "GITHUB_RUN_ID": "17"}, "ada (pipeline 17)"),
        ({"BUILD_REQUESTEDFOR": "Ada L.", "BUILD_BUILDID": "9"}, "Ada L. (pipeline 9)"),
        ({"GITLAB_USER_LOGIN": "ada"}, "ada (pipeline)"),
        ({"ARM_CLIENT_ID": "4a5f0b9e"}, "4a5f0b9e"),
        ({}, "unknown"),
    ],
)
def test_without_the_azure_cli_the_variables_tell(variables: dict[str, str], named: str) -> None:
    assert person(variables, nobody) == named


def test_an_account_of_the_azure_cli_is_named() -> None:
    assert person({"ARM_CLIENT_ID": "4a5f0b9e"}, lambda *_arguments: "ada@acme.io\n") == "ada@acme.io"
