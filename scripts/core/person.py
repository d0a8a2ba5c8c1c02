"""Who runs a command against an environment, in the words that people know them by."""

import os
from collections.abc import Callable, Mapping

from .azure import az_text
from .errors import OperatorError

PIPELINES = {
    "GITHUB_ACTOR": "GITHUB_RUN_ID",
    "BUILD_REQUESTEDFOR": "BUILD_BUILDID",
    "GITLAB_USER_LOGIN": "CI_PIPELINE_ID",
}
"""Variable that names who started a pipeline (GitHub, Azure DevOps, GitLab), to that of the run."""
UNKNOWN = "unknown"


def person(variables: Mapping[str, str] = os.environ, ask: Callable[..., str] = az_text) -> str:
    """Return who started the pipeline, else the account of the Azure CLI, else the client id that Terraform uses."""
    for actor, run in PIPELINES.items():
        if name := variables.get(actor):
            return f"{name} (pipeline {variables.get(run, '')})".replace(" )", ")")
    try:
        account = ask("account", "show", "--query", "user.name", "--output", "tsv").strip()
    except OperatorError:
        account = ""
    return account or variables.get("ARM_CLIENT_ID", "") or UNKNOWN
