"""Where the synthesized stacks of an environment are written."""

from collections.abc import Mapping
from pathlib import Path

from stacks.settings import SettingsError

ROOT = Path(__file__).parents[2]


def output_folder(environment: str, variables: Mapping[str, str]) -> Path:
    """Return the output folder of `environment`, named after it so that no two environments share one.

    The cdktf command line names its folder in `CDKTF_OUTDIR`; the project's own launcher makes that
    `cdktf.out/<environment>`. Raises SettingsError when another launcher names a shared folder, because the
    environments' Terraform working folders would then overwrite each other.
    """
    given = variables.get("CDKTF_OUTDIR")
    if not given:
        return ROOT / "cdktf.out" / environment
    if Path(given).name != environment:
        raise SettingsError(
            f"CDKTF_OUTDIR: {given} is not a folder of the environment {environment}; "
            f"use the project's cdktf (.venv/bin/cdktf) or set CDKTF_OUTPUT=cdktf.out/{environment}"
        )
    return Path(given)
