"""No two environments share an output folder, whoever starts the application."""

from pathlib import Path

import pytest

from stacks.common.output_folder import ROOT, output_folder
from stacks.settings import SettingsError


def test_folder_is_named_after_the_environment() -> None:
    assert output_folder("dev", {}) == ROOT / "cdktf.out" / "dev"


def test_folder_given_by_the_command_line_is_used() -> None:
    assert output_folder("prod", {"CDKTF_OUTDIR": "/tmp/x/prod"}) == Path("/tmp/x/prod")


def test_shared_folder_is_refused_with_the_fix() -> None:
    with pytest.raises(SettingsError, match=r"cdktf\.out is not a folder of the environment dev.*CDKTF_OUTPUT"):
        output_folder("dev", {"CDKTF_OUTDIR": "cdktf.out"})
