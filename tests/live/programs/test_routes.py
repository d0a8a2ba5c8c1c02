"""The committed route tables are those of the programs that are installed."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts.lab.routes.installed import installed_table
from scripts.lab.routes.tables import PROGRAMS, read
from stacks.platform.components.serving import routes as serving_routes
from tests.support.programs.processes import litellm_python, open_webui_python, version

pytestmark = pytest.mark.live

PYTHONS = {"litellm": litellm_python, "open-webui": open_webui_python}


@pytest.mark.parametrize("name", PYTHONS)
def test_no_route_of_an_installed_program_is_unknown(name: str) -> None:
    installed = set(installed_table(name, PYTHONS[name]()))
    known = set(read(PROGRAMS[name])[1])
    assert installed - known == set(), f"python -m scripts.lab.routes {name}"
    assert known - installed == set(), f"python -m scripts.lab.routes {name}"


def test_no_route_of_ollama_is_unknown_to_the_serving_proxy() -> None:
    module = f"github.com/ollama/ollama@v{version('ollama/server')}"
    said = subprocess.run(["go", "mod", "download", "-json", module], capture_output=True, text=True, check=True).stdout
    text = (Path(json.loads(said)["Dir"]) / "server" / "routes.go").read_text("utf-8")
    installed = set(re.findall(r'\br\.(GET|POST|PUT|DELETE|HEAD|PATCH)\("([^"]+)"', text))
    table = Path(serving_routes.__file__).with_name("routes.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line.startswith("ollama\t"))
    assert installed == {(method, path) for _, method, path, _ in rows}
