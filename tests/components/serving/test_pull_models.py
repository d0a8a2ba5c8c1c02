"""The script that brings models into Ollama's store, run against a fake `ollama`."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.platform.components.serving.ollama import pull_script

# Keeps its store in a file; models whose name begins with `broken` never arrive, `flaky` ones at the second try.
OLLAMA = """#!/bin/sh
echo "$*" >> "$CALLS"
case $1 in
serve) [ -z "${NO_SERVER:-}" ] || { echo "no GPU library"; exit 1; }; exec sleep 60 ;;
list) [ -z "${NO_SERVER:-}" ] || exit 1; echo "NAME ID SIZE"; sed 's/$/ abc 1GB/' "$STORE" ;;
show) case $2 in gone*) grep -qx "$2" "$STORE.whole" 2>/dev/null ;; esac ;;
create)
    [ -z "${REFUSE_CREATE:-}" ] || exit 1
    echo "$2: $(tr '\\n' ' ' <"$4" | sed 's/ $//')" >> "${STORE%store}made" ;;
rm) grep -Fvx "$2" "$STORE" > "$STORE.new"; mv "$STORE.new" "$STORE" ;;
pull)
    printf 'pulling manifest\\r\\033[1Gpulling aeda25e63ebd:  50%% \\342\\226\\225\\342\\226\\210 1 GB\\r' >&2
    case $2 in broken*) echo "Error: pull model manifest: file does not exist" >&2; exit 1 ;; esac
    case $2 in flaky*) [ -e "$STORE.tried" ] || { touch "$STORE.tried"; exit 1; } ;; esac
    case $2 in gone*) echo "$2" >> "$STORE.whole" ;; esac
    case $2 in *:*) echo "$2" ;; *) echo "$2:latest" ;; esac >> "$STORE" ;;
esac
"""


@dataclass(frozen=True)
class Store:
    """A store, and what happened to it."""

    folder: Path

    def run(self, *models: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(self.folder / "pull-models.sh"), *models],
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "STORE": str(self.folder / "store"),
                "CALLS": str(self.folder / "calls"),
                "TERMINATION_LOG": str(self.folder / "termination"),
                "PAUSE_SECONDS": "0",
                "TRIES": "2",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def models(self) -> list[str]:
        return (self.folder / "store").read_text().splitlines()

    @property
    def pulls(self) -> list[str]:
        return [line for line in (self.folder / "calls").read_text().splitlines() if line.startswith("pull")]

    @property
    def last_word(self) -> str:
        return (self.folder / "termination").read_text()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "pull-models.sh").write_text(pull_script())
    (tmp_path / "store").write_text("")
    (tmp_path / "ollama").write_text(OLLAMA)
    (tmp_path / "ollama").chmod(0o755)
    return Store(tmp_path)


def test_missing_models_are_downloaded_and_the_others_left_alone(store: Store) -> None:
    (store.folder / "store").write_text("phi3.5:latest\n")
    result = store.run("phi3.5", "llama3.1:8b")
    assert result.returncode == 0, result.stdout
    assert store.models == ["phi3.5:latest", "llama3.1:8b"]
    assert store.pulls == ["pull llama3.1:8b"]


def test_second_run_downloads_nothing(store: Store) -> None:
    store.run("phi3.5", "llama3.1:8b")
    before = store.pulls
    assert store.run("phi3.5", "llama3.1:8b").returncode == 0
    assert store.pulls == before


def test_name_that_only_begins_like_a_present_one_is_downloaded(store: Store) -> None:
    (store.folder / "store").write_text("llama3.1:8b-q8\n")
    store.run("llama3.1:8b")
    assert "llama3.1:8b" in store.models


def test_model_whose_weights_are_not_whole_is_downloaded_again(store: Store) -> None:
    (store.folder / "store").write_text("gone:1b\n")
    result = store.run("gone:1b")
    assert (result.returncode, store.pulls) == (0, ["pull gone:1b"])


def test_passing_fault_is_tried_again(store: Store) -> None:
    assert store.run("flaky:1b").returncode == 0
    assert store.models == ["flaky:1b"]


def test_failure_names_the_model_and_does_not_keep_the_others_from_coming(store: Store) -> None:
    result = store.run("broken:1b", "phi3.5")
    assert result.returncode == 1
    assert store.last_word == "models that could not be downloaded: broken:1b\n"
    assert "broken:1b: FAILED after 2 tries" in result.stdout
    assert "file does not exist" in result.stdout
    assert store.models == ["phi3.5:latest"]


def test_progress_is_told_in_lines(store: Store) -> None:
    lines = store.run("phi3.5").stdout.splitlines()
    assert "  phi3.5: pulling manifest" in lines
    assert any(line.startswith("  phi3.5: pulling aeda25e63ebd:  50%") for line in lines)
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_server_that_does_not_start_is_told_with_its_log(store: Store) -> None:
    result = store.run("phi3.5", NO_SERVER="yes")
    assert result.returncode == 1
    assert "no GPU library" in result.stdout
    assert store.last_word == "ollama serve does not start\n"


def test_unlisted_models_stay_unless_pruning_is_asked_for(store: Store) -> None:
    (store.folder / "store").write_text("old:1b\nphi3.5:latest\n")
    store.run("phi3.5")
    assert store.models == ["old:1b", "phi3.5:latest"]
    assert store.run("phi3.5", PRUNE="true").returncode == 0
    assert store.models == ["phi3.5:latest"]


def test_nothing_is_pruned_while_a_model_is_missing(store: Store) -> None:
    (store.folder / "store").write_text("old:1b\n")
    assert store.run("broken:1b", PRUNE="true").returncode == 1
    assert store.models == ["old:1b"]


def test_a_tag_with_a_context_of_its_own_is_made_of_what_was_brought(store: Store) -> None:
    contexts = "llama3.1:8b-16384ctx=16384 phi3.5:4096ctx=4096 other:2048ctx=2048"
    result = store.run("llama3.1:8b", "phi3.5", CONTEXTS=contexts)
    assert result.returncode == 0, result.stdout
    assert (store.folder / "made").read_text().splitlines() == [
        "llama3.1:8b-16384ctx: FROM llama3.1:8b PARAMETER num_ctx 16384",
        "phi3.5:4096ctx: FROM phi3.5 PARAMETER num_ctx 4096",
    ]


def test_a_tag_that_cannot_be_made_fails_under_its_name(store: Store) -> None:
    result = store.run("llama3.1:8b", CONTEXTS="llama3.1:8b-7ctx=7", REFUSE_CREATE="1")
    assert result.returncode == 1
    assert store.last_word == "models that could not be downloaded: llama3.1:8b-7ctx\n"
