"""`llmctl webui banner`: every pod gets it, since each keeps its own; banners of others stay."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.chat import commands as webui
from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode, OperatorError

THEIRS = {"id": "theirs", "type": "info", "content": "Welcome", "dismissible": True, "timestamp": 1}


class Pods:
    """Banners by pod, as Open WebUI keeps them without a persistent configuration."""

    def __init__(self, *names: str, leaving: str = "") -> None:
        self.shown: dict[str, list[dict[str, Any]]] = {name: [THEIRS] for name in names}
        self.leaving = leaving
        self.writes = 0

    def items(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        assert (kind, arguments[:2]) == ("pods", ("-n", "chat"))
        return [
            {"metadata": {"name": name, "deletionTimestamp": "now" if name == self.leaving else None}}
            for name in self.shown
        ]

    def in_pod(self, _kubectl: object, namespace: str, pod: str, container: str) -> Any:
        assert (namespace, container) == ("chat", "open-webui")
        name = pod.removeprefix("pod/")

        def run(_program: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
            for call in parameters["calls"]:
                assert call["path"] == "/api/v1/configs/banners"
                if call["method"] == "POST":
                    self.writes += 1
                    self.shown[name] = call["body"]["banners"]
                yield {"status": 200, "body": self.shown[name]}

        return run

    def texts(self, name: str) -> list[str]:
        return [banner["content"] for banner in self.shown[name]]


def run(pods: Pods, *words: str) -> Result:
    tools = Tools(kubectl_of=lambda _name: pods, in_pod=pods.in_pod)  # type: ignore[arg-type,return-value]
    return CliRunner().invoke(webui.app, words, obj=tools)


def test_every_pod_shows_the_text_beside_those_of_others() -> None:
    pods = Pods("a", "b", "old", leaving="old")
    assert run(pods, "banner", "Back at six", "dev").stdout == "Shown in 2 pods.\n"
    assert [pods.texts(name) for name in ("a", "b", "old")] == [["Back at six", "Welcome"]] * 2 + [["Welcome"]]
    run(pods, "banner", "Back at seven", "dev")
    assert pods.texts("a") == ["Back at seven", "Welcome"]


def test_removing_leaves_those_of_others_and_writes_nothing_where_there_is_none() -> None:
    pods = Pods("a")
    run(pods, "banner", "x", "dev")
    assert run(pods, "remove-banner", "dev").stdout == "Removed from 1 pod.\n"
    assert (pods.texts("a"), pods.writes) == (["Welcome"], 2)
    run(pods, "remove-banner", "dev")
    assert pods.writes == 2


@pytest.mark.parametrize("text", ["", "  ", "x" * 501])
def test_a_text_that_cannot_be_shown_is_refused(text: str) -> None:
    pods = Pods("a")
    error = run(pods, "banner", text, "dev").exception
    assert isinstance(error, OperatorError)
    assert error.code is ExitCode.USAGE
    assert pods.writes == 0


def test_a_chat_without_pods_says_so() -> None:
    error = run(Pods(), "banner", "x", "dev").exception
    assert isinstance(error, OperatorError)
    assert "no pod of the chat runs" in error.message
