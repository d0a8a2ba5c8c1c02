"""A program of several modules is one text, which needs no files where it runs."""

import sys

from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import START, by_command


def test_modules_of_a_program_import_each_other_by_their_names() -> None:
    program = bundled(
        "import json\nfrom house.rooms import kitchen\n"
        "print(json.dumps({'kitchen': kitchen(), 'given': PARAMETERS['door'], 'name': __name__}))",
        {
            "house.walls": "colour = 'white'",
            "house.rooms": "from house.walls import colour\ndef kitchen():\n    return colour",
        },
    )
    run = by_command([sys.executable, "-I", "-c", START], "a pod")
    assert list(run(program, {"door": "open"})) == [{"kitchen": "white", "given": "open", "name": "__main__"}]
