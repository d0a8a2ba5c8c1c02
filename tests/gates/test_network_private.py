"""Who may connect to whom in a private environment, by Cilium's own engine, and who needs the platform's own CA."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.gates.network import cilium, objects, pods, third_party
from scripts.gates.network.check import cluster, matrix_of
from scripts.gates.network.matrix import Matrix
from stacks.platform.common.egress import ROOTS_LABEL
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, parse_settings
from tests.support.stacks.synthesis import synthesize

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not on PATH; the CI set brings it"),
    pytest.mark.skipif(shutil.which("go") is None and not cilium.where().is_file(), reason="go is not on PATH"),
]
ENVIRONMENTS = Path(__file__).parents[1] / "environments"


def _settings(name: str) -> Settings:
    file = ENVIRONMENTS / f"valid.private_{name}.yaml"
    return parse_settings(file.read_text("utf-8"), file.name)


Evaluated = Callable[[str], tuple[Path, Matrix]]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    found: dict[str, tuple[Path, Matrix]] = {}

    def of(name: str) -> tuple[Path, Matrix]:
        if name not in found:
            folder = tmp_path_factory.mktemp(name)
            synthesize(_settings(name), folder)
            stack = folder / "stacks" / "platform"
            found[name] = stack, matrix_of(cluster(_settings(name), stack))
        return found[name]

    return of


@pytest.mark.parametrize("name", ["with_tailscale", "by_vpn"])
def test_every_documented_connection_of_a_private_environment_is_open_and_no_other(
    evaluated: Evaluated, name: str
) -> None:
    _, matrix = evaluated(name)
    assert matrix.findings == ()
    assert len(matrix.edges) > 5000


def _pods_that_reach(matrix: Matrix, receiver: str, *ports: int) -> set[str]:
    return {
        edge.caller.partition("/")[0]
        for edge in matrix.edges
        if edge.receiver.startswith(receiver) and edge.port.number in ports and "/" in edge.caller
    }


@pytest.mark.parametrize(("name", "router"), [("with_tailscale", {"tailscale"}), ("by_vpn", set())])
def test_whoever_reaches_the_hosts_that_the_internal_ca_signs_is_given_its_root(
    evaluated: Evaluated, name: str, router: set[str]
) -> None:
    """But for the router, which hands clients' own TLS on."""
    given = {rules.name for rules in enabled_components(_settings(name)).namespaces() if ROOTS_LABEL in rules.labels}
    assert _pods_that_reach(evaluated(name)[1], "ingress/nginx-ingress", 80, 443) == given | router
    assert given == {"chat", "opik"}


@pytest.mark.skipif(pods.charts_folder() is None, reason="neither CHARTS_DIR nor PULL_CHARTS is set")
def test_what_is_written_down_of_private_environments_is_what_their_charts_bring(evaluated: Evaluated) -> None:
    charts = pods.charts_folder()
    assert charts is not None
    found = third_party.facts([objects.read(evaluated("with_tailscale")[0])], charts)
    known = third_party.read_facts(third_party.PRIVATE_FACTS)
    assert found["tailscale-operator"] == known["tailscale-operator"]
    assert known["start-login"]["pods"][0] in found["oauth2-proxy"]["pods"]
    assert found["trust-manager"] == known["trust-manager"]
    assert set(found) - set(third_party.read_facts()) == {"tailscale-operator", "trust-manager"}
