"""The script that brings models into the store, with the pinned Ollama and a registry that breaks off."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.platform.components.serving import ollama
from stacks.platform.components.serving.engines import ollama_engines
from stacks.settings import load_settings
from tests.support.patience import PATIENCE_S
from tests.support.programs.pod_network import Names
from tests.support.programs.processes import wait_for
from tests.support.serving import model_registry, ollama_pod
from tests.support.serving.model_registry import Registry, serving_registry
from tests.support.serving.ollama_pod import running_ollama
from tests.support.web_servers import authority, certificate_for

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not ollama_pod.INSTALLED, reason="Ollama is not installed (scripts/lab/install-live ollama)"),
]
REGISTRY_IP = "127.0.1.30"
PHI, LLAMA, GEMMA = "phi3.5", "llama3.1:8b", "gemma2:2b"


@dataclass(frozen=True)
class Job:
    """A pod that brings models into a store."""

    folder: Path
    trusted: Path
    registry: Registry

    @property
    def store(self) -> Path:
        return self.folder / "models" / "ollama"

    @property
    def last_word(self) -> str:
        return (self.folder / "termination").read_text("utf-8")

    def start(self, *models: str, **more: str) -> "subprocess.Popen[str]":
        """Run the script as its container does, but without its pauses."""
        environment = ollama_pod.variables(ollama.server_environment(), self.folder) | {
            "SSL_CERT_FILE": str(self.trusted),
            "TERMINATION_LOG": str(self.folder / "termination"),
            "TMPDIR": str(self.folder),
            "TRIES": "2",
            "PAUSE_SECONDS": "0",
        }
        script = self.folder / ollama.SCRIPT_NAME
        script.write_text(ollama.pull_script())
        return subprocess.Popen(
            ["sh", str(script), *models], env=environment | more, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *models: str, **more: str) -> tuple[int, str]:
        process = self.start(*models, **more)
        said = process.communicate(timeout=240)[0]
        return process.returncode, said

    def listed(self) -> set[str]:
        """Return the models in the store, as the files say."""
        library = self.store / "manifests" / model_registry.HOST / "library"
        return {f"{path.parent.name}:{path.name}" for path in library.glob("*/*")}


@pytest.fixture(scope="module")
def offered(network: Names, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store with what the registry hands out."""
    assert network
    settings = load_settings("dev")
    (engine,) = ollama_engines(settings.models, settings.cluster)
    with running_ollama(settings, engine, tmp_path_factory.mktemp("offered")) as pod:
        for name in (PHI, LLAMA, GEMMA):
            pod.create(name, ollama_pod.WITH_TOOLS)
        return pod.store


@pytest.fixture
def job(network: Names, offered: Path, tmp_path: Path) -> Iterator[Job]:
    network.addresses |= {model_registry.HOST: REGISTRY_IP, model_registry.BLOBS: REGISTRY_IP}
    trust = authority(tmp_path, "trust")
    tls = certificate_for(tmp_path, trust, model_registry.HOST, model_registry.BLOBS)
    with serving_registry(offered, REGISTRY_IP, tls) as registry:
        yield Job(tmp_path, trust[0], registry)


def stop(process: "subprocess.Popen[str]") -> None:
    """Kill the script and its server, as a node does that goes away."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout
    process.stdout.close()


def parts(store: Path) -> Sequence[Path]:
    return sorted((store / "blobs").glob("*-partial*"))


def test_models_are_brought_once(job: Job) -> None:
    code, said = job.run(PHI, LLAMA)
    assert code == 0, said
    assert job.listed() == {"phi3.5:latest", LLAMA}
    brought = len(job.registry.asked)
    code, said = job.run(PHI, LLAMA)
    assert (code, len(job.registry.asked)) == (0, brought)
    assert f"{PHI} is in the store" in said
    assert "all models are in the store" in said


def test_brought_model_answers_from_a_store_that_the_server_only_reads(job: Job) -> None:
    assert job.run(LLAMA)[0] == 0
    settings = load_settings("dev")
    (engine,) = ollama_engines(settings.models, settings.cluster)
    with running_ollama(settings, engine, job.folder, read_only=True) as pod:
        assert pod.run("run", LLAMA, "Does it work?").split() == ["It", "works", "as", "it", "was", "deployed", "."]
        with pytest.raises(AssertionError, match="read-only file system"):
            pod.run("cp", LLAMA, "mine")
        with pytest.raises(AssertionError, match="read-only file system"):
            pod.run("rm", LLAMA)
    assert job.listed() == {LLAMA}


def test_tag_with_a_context_of_its_own_is_loaded_with_it_and_shares_the_weights(job: Job) -> None:
    tag = f"{LLAMA}-4096ctx"
    assert job.run(LLAMA, CONTEXTS=f"{tag}=4096")[0] == 0
    blobs = {path.name for path in (job.store / "blobs").iterdir() if path.stat().st_size > 10_000}
    assert job.run(LLAMA, CONTEXTS=f"{LLAMA}-2048ctx=2048")[0] == 0
    settings = load_settings("dev")
    (engine,) = ollama_engines(settings.models, settings.cluster)
    with running_ollama(settings, engine, job.folder, read_only=True) as pod:
        for name, context in ((LLAMA, " 8192 "), (tag, " 4096 "), (f"{LLAMA}-2048ctx", " 2048 ")):
            assert pod.run("run", name, "Does it work?")
            # Models of the same weights take each other's place in memory.
            (line,) = [line for line in pod.run("ps").splitlines() if line.split()[0] == name]
            assert context in line
    assert {path.name for path in (job.store / "blobs").iterdir() if path.stat().st_size > 10_000} == blobs


def test_server_on_an_empty_store_serves_what_another_pod_brings_meanwhile(
    network: Names, offered: Path, tmp_path: Path
) -> None:
    assert network
    settings = load_settings("dev")
    (engine,) = ollama_engines(settings.models, settings.cluster)
    with running_ollama(settings, engine, tmp_path, read_only=True) as pod:
        assert pod.run("list").count("\n") == 1
        shutil.copytree(offered, pod.store, dirs_exist_ok=True)
        assert pod.run("run", PHI, "Does it work?").split() == ["It", "works", "as", "it", "was", "deployed", "."]


def test_download_that_was_killed_is_completed(job: Job, offered: Path) -> None:
    job.registry.stalls_after = 50_000
    process = job.start(LLAMA)
    assert job.registry.stalled.wait(PATIENCE_S)
    wait_for(lambda: any(part.stat().st_size for part in parts(job.store)), PATIENCE_S, lambda: "nothing was written")
    stop(process)
    assert parts(job.store)
    assert job.listed() == set()
    job.registry.stalls_after = None
    job.registry.go_on.set()
    code, said = job.run(LLAMA)
    assert code == 0, said
    assert (parts(job.store), job.listed()) == ([], {LLAMA})
    for blob in (job.store / "blobs").iterdir():
        assert blob.read_bytes() == (offered / "blobs" / blob.name).read_bytes()


def test_server_that_starts_meanwhile_leaves_the_download_alone(job: Job) -> None:
    """`OLLAMA_NOPRUNE`: without it, what has no manifest yet is removed."""
    job.registry.stalls_after = 50_000
    process = job.start(LLAMA)
    assert job.registry.stalled.wait(PATIENCE_S)
    wait_for(lambda: bool(parts(job.store)), PATIENCE_S, lambda: "nothing was written")
    stop(process)
    before = sorted((job.store / "blobs").iterdir())
    settings = load_settings("dev")
    (engine,) = ollama_engines(settings.models, settings.cluster)
    with running_ollama(settings, engine, job.folder) as pod:
        assert pod.run("list").count("\n") == 1
    assert sorted((job.store / "blobs").iterdir()) == before


def test_registry_that_cannot_be_reached_fails_clearly(job: Job, network: Names) -> None:
    del network.addresses[model_registry.HOST]
    code, said = job.run(PHI)
    assert code == 1
    assert job.last_word == "models that could not be downloaded: phi3.5\n"
    assert f"{PHI}: FAILED after 2 tries" in said
    assert "no such host" in said


def test_model_that_does_not_exist_does_not_keep_the_others_from_coming(job: Job) -> None:
    code, said = job.run("nowhere:1b", PHI)
    assert code == 1
    assert "file does not exist" in said
    assert job.last_word == "models that could not be downloaded: nowhere:1b\n"
    assert job.listed() == {"phi3.5:latest"}


def test_model_counts_as_there_with_the_content_alone_that_is_pinned(job: Job, offered: Path) -> None:
    """The digest of the settings is the one that `ollama list` and the library's pages show."""
    settings = load_settings("dev")
    (engine,) = ollama_engines(settings.models, settings.cluster)
    with running_ollama(settings, engine, offered.parents[1]) as pod:
        digest = next(line.split()[1] for line in pod.run("list").splitlines() if line.startswith(LLAMA))
    assert job.run(LLAMA, DIGEST=digest * 5)[0] == 0
    code, said = job.run(LLAMA, DIGEST="0" * 64)
    assert code == 1
    assert f"{LLAMA}: FAILED after 2 tries" in said


def test_pruning_removes_what_is_not_listed(job: Job) -> None:
    assert job.run(PHI, GEMMA)[0] == 0
    assert job.run(PHI)[0] == 0
    assert job.listed() == {"phi3.5:latest", GEMMA}
    code, said = job.run(PHI, PRUNE="true")
    assert code == 0, said
    assert job.listed() == {"phi3.5:latest"}


def test_damaged_manifest_is_brought_anew(job: Job) -> None:
    """What is left when a node goes away while a manifest is written."""
    assert job.run(PHI)[0] == 0
    manifest = job.store / "manifests" / model_registry.HOST / "library" / PHI / "latest"
    manifest.write_bytes(manifest.read_bytes()[:40])
    code, said = job.run(PHI)
    assert code == 0, said
    assert manifest.stat().st_size > 40


def test_blob_that_went_missing_is_brought_anew(job: Job) -> None:
    assert job.run(PHI)[0] == 0
    largest = max((job.store / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    size = largest.stat().st_size
    largest.unlink()
    code, said = job.run(PHI)
    assert code == 0, said
    assert largest.stat().st_size == size
