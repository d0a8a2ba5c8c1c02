"""Ollama of the pinned version with the variables of its pod, and models of its names that say known sentences."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock

from stacks.platform.components.serving import ollama
from stacks.platform.components.serving.engines import OLLAMA_PORT, ServingEngine
from stacks.settings import Settings
from tests.support.patience import PATIENCE_S
from tests.support.programs import processes
from tests.support.programs.processes import Program
from tests.support.serving import tiny_model
from tests.support.stacks.components import images_of

PROGRAMS = processes.LIVE / f"ollama-{processes.version('ollama/server')}"
INSTALLED = (PROGRAMS / "complete").exists() and processes.gguf_python().exists()
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IMAGE = {"OLLAMA_HOST": f"0.0.0.0:{OLLAMA_PORT}", "PATH": f"{PROGRAMS / 'bin'}:{SYSTEM_PATH}"}
"""What the image sets (`Dockerfile` of ollama v0.32.15); the chart adds nothing to it."""
PROBE = "/"
"""Path of the chart's probes (`values.yaml` of otwld/ollama-helm 1.77.0)."""

_MESSAGES = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}"
WITHOUT_TOOLS = _MESSAGES + tiny_model.ASSISTANT
WITH_TOOLS = "{{ if .Tools }}{{ .Tools }}\n{{ end }}" + WITHOUT_TOOLS
ENDLESS = _MESSAGES + tiny_model.ENDLESS_ASSISTANT


@dataclass(frozen=True)
class OllamaPod:
    """One pool's Ollama, its folder in the place of the pod's volumes."""

    engine: ServingEngine
    folder: Path
    server: Program

    @property
    def store(self) -> Path:
        """Folder with the models."""
        return Path(self.server.environment["OLLAMA_MODELS"])

    def run(self, *arguments: str, folder: Path | None = None) -> str:
        """Run the client beside the server; return what it wrote. Raises AssertionError when it fails."""
        done = subprocess.run(
            ["ollama", *arguments], env=client(self.server.environment), capture_output=True, text=True,
            cwd=folder or self.folder, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def create(self, name: str, template: str, *, embeds: bool = False) -> None:
        """Make a model of this name."""
        file = model_file(self.folder, name, embeds=embeds)
        modelfile = self.folder / "Modelfile"
        modelfile.write_text(f'FROM {file}\nTEMPLATE """{template}"""\n')
        self.run("create", name, "-f", str(modelfile))


def variables(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return a container's variables: the image's, then the given ones with folders of the test."""
    moved = {ollama.MODELS: folder / "models", "/tmp": folder / "home"}
    for place in moved.values():
        place.mkdir(parents=True, exist_ok=True)
    texts = dict(given)
    for name, text in given.items():
        for old, new in moved.items():
            if text == old or text.startswith(f"{old}/"):
                texts[name] = f"{new}{text[len(old) :]}"
    return IMAGE | texts


def client(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a client beside a server that has these."""
    return {**environment, "OLLAMA_HOST": f"127.0.0.1:{OLLAMA_PORT}"}


def server(settings: Settings, engine: ServingEngine, folder: Path, *, read_only: bool = False) -> Program:
    """Return the server with every variable that the stack passes to the chart.

    With `read_only`, its store is mounted as the chart mounts it, after the container that makes its folders.
    """
    values = ollama.ollama(settings.cluster, settings.serving, images_of(settings), engine)
    environment = variables({item["name"]: item["value"] for item in values["extraEnv"]}, folder)
    command = [str(PROGRAMS / "bin" / "ollama"), "serve"]
    if read_only:
        (folders,) = values["initContainers"]
        subprocess.run(folders["command"], env=environment, check=True, timeout=PATIENCE_S)
        mount = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
        store = str(folder / "models")
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh", store, *command]
    return Program("ollama", command, folder, environment, "127.0.0.1", OLLAMA_PORT, health=PROBE, start_s=60)


@contextmanager
def running_ollama(
    settings: Settings, engine: ServingEngine, folder: Path, *, read_only: bool = False
) -> Iterator[OllamaPod]:
    """Run a pool's Ollama on the store in `folder`, after that of another process, since all have one port."""
    program = server(settings, engine, folder, read_only=read_only)
    with FileLock(Path(gettempdir()) / f"ollama-{OLLAMA_PORT}.lock"), program.running():
        yield OllamaPod(engine, folder, program)


def model_file(folder: Path, name: str, *, embeds: bool = False) -> Path:
    """Write weights that no other name has; with `embeds`, those of a model that makes vectors."""
    path = folder / f"{name.replace(':', '-')}.gguf"
    command = [str(processes.gguf_python()), str(Path(tiny_model.__file__)), str(path), name]
    subprocess.run([*command, *(["vectors"] if embeds else [])], check=True, capture_output=True, timeout=120)
    return path
