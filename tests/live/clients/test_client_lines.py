"""Each command line is run by its real client, so far that the client's own parser has accepted it."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli.client_lines import AZ, COSIGN, DOCKER, HELM, KUBECTL
from tests.support.programs.processes import LIVE, installed_version

ROOT = Path(__file__).parents[3]
AZURE_CLI = LIVE / f"azure-cli-{installed_version('azure_cli')}" / "bin" / "python"
COSIGN_FOLDER = LIVE / f"cosign-{installed_version('cosign')}"
TIMEOUT_S = 300

pytestmark = pytest.mark.live


def run(words: list[str], environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def az(line: str, folder: Path) -> tuple[int, str]:
    assert AZURE_CLI.exists(), "scripts/lab/install-live azure-cli"
    words = shlex.split(line)
    assert words[0] == "az"
    environment = {"AZURE_CONFIG_DIR": str(folder), "AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_CORE_NO_COLOR": "true"}
    return run([str(AZURE_CLI), "-m", "azure.cli", *words[1:]], environment)


@pytest.mark.parametrize("line", AZ)
def test_az_understands_the_line(line: str, tmp_path: Path) -> None:
    """Without a login a sound line ends in a request for one."""
    status, said = az(line, tmp_path)
    if line.endswith("--help"):
        assert status == 0, said
    else:
        assert "Please run 'az login'" in said, said


def test_a_wrong_argument_of_az_would_be_noticed(tmp_path: Path) -> None:
    """As `backup list --name` was, which az does not know any more."""
    _, said = az("az postgres flexible-server backup list --resource-group g --name s", tmp_path)
    assert "Please run 'az login'" not in said


UNREACHABLE = ("was refused", "connection refused", "Unable to connect", "cluster unreachable")


@pytest.mark.parametrize("line", KUBECTL)
def test_kubectl_understands_the_line(line: str, tmp_path: Path) -> None:
    """A sound line gets as far as the cluster, which is not there."""
    words = shlex.split(line)
    config = {"KUBECONFIG": str(tmp_path / "none")}
    status, said = run([words[0], "--server", "http://127.0.0.1:1", *words[1:]], config)
    if words[1] in ("config", "version"):
        assert status == 0, said
    else:
        # An empty file stands for the objects of a line: kubectl says so once it has understood the line.
        assert any(sign in said for sign in (*UNREACHABLE, "no objects passed to create")), said


def test_a_wrong_option_of_kubectl_would_be_noticed(tmp_path: Path) -> None:
    wrong = "kubectl rollout status deployment/x --time-out=5s"
    _, said = run([*shlex.split(wrong), "--server", "http://127.0.0.1:1"], {"KUBECONFIG": str(tmp_path / "none")})
    assert not any(sign in said for sign in UNREACHABLE)


@pytest.mark.parametrize("line", HELM)
def test_helm_understands_the_line(line: str, tmp_path: Path) -> None:
    environment = {"KUBECONFIG": str(tmp_path / "none"), "HELM_KUBEAPISERVER": "http://127.0.0.1:1"}
    status, said = run(shlex.split(line), environment)
    assert (
        status == 0 if " template " in line or line.endswith("--help") else any(sign in said for sign in UNREACHABLE)
    ), said


@pytest.mark.parametrize("line", COSIGN)
def test_cosign_understands_the_line(line: str) -> None:
    """Keys and files of a sound line are looked for, and not there."""
    words = shlex.split(line)
    program = shutil.which("cosign", path=f"{COSIGN_FOLDER}:{os.environ['PATH']}")
    assert program, "scripts/lab/install-live cosign"
    _, said = run([program, *words[1:]], {})
    expected = '"gitVersion"' if words[1] == "version" else "no such file or directory"
    assert expected in said, said
    assert "deprecated" not in said.lower(), said


@pytest.mark.parametrize("line", DOCKER)
def test_docker_understands_the_line(line: str, tmp_path: Path) -> None:
    environment = {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_CONFIG": str(tmp_path)}
    status, said = run(shlex.split(line), environment)
    assert status == 0 if line.endswith("--help") else "Cannot connect to the Docker daemon" in said, said
