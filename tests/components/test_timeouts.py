"""The table of times on the way to an engine, compared hop by hop, with the charts' values and the pages."""

import re
from pathlib import Path

import pytest

from stacks.platform.common import timeouts
from stacks.platform.common.timeouts import Hop
from stacks.platform.components.ingress.release import nginx_ingress
from stacks.platform.components.llm_gateway import release as gateway
from stacks.platform.components.serving import scaling
from stacks.settings import Settings, load_settings
from tests.support.stacks.components import components_with_images, images_of, with_images
from tests.support.stacks.disposable import aks_stack

DOCS = Path(__file__).parents[2] / "docs"
LOAD_BALANCER_IDLE_SECONDS = 30 * 60
NODE_DRAIN_SECONDS = 30 * 60


def _settings(hold_minutes: int = 15) -> Settings:
    settings = load_settings("prod")
    serving = settings.serving.model_copy(update={"hold_minutes": hold_minutes})
    return settings.model_copy(update={"serving": serving})


def _ways(settings: Settings) -> list[tuple[str, Hop, Hop]]:
    """Every pair of a caller and the server that it calls."""
    interceptor, front = timeouts.interceptor(settings.serving), timeouts.serving_proxy(settings.serving)
    gateway_, chat = timeouts.llm_gateway(settings.serving), timeouts.chat(settings.serving)
    door = timeouts.ingress(settings.serving)
    return [
        ("front door to chat", door, chat),
        ("front door to gateway", door, gateway_),
        ("chat to gateway", chat, gateway_),
        ("chat to front", chat, front),
        ("gateway to front", gateway_, front),
        ("front to interceptor", front, interceptor),
        ("interceptor to vllm", interceptor, timeouts.vllm()),
        ("interceptor to ollama", interceptor, timeouts.ollama()),
    ]


def test_the_table_by_name_and_number() -> None:
    settings = _settings()
    hops = {
        "vllm": timeouts.vllm(),
        "ollama": timeouts.ollama(),
        "interceptor": timeouts.interceptor(settings.serving),
        "front": timeouts.serving_proxy(settings.serving),
        "gateway": timeouts.llm_gateway(settings.serving),
        "chat": timeouts.chat(settings.serving),
        "front door": timeouts.ingress(settings.serving),
    }
    table = {
        name: (hop.silence_seconds, hop.idle_seconds, hop.reuse_seconds, hop.drain_seconds, hop.grace_seconds)
        for name, hop in hops.items()
    }
    assert table == {
        "vllm": (None, 120, 0, 600, 620),
        "ollama": (None, None, 0, 600, 620),
        "interceptor": (1620, None, 90, 1620, 1640),
        "front": (1650, 150, 0, 1650, 1670),
        "gateway": (1680, 75, 120, 1680, 1700),
        "chat": (None, 75, 15, 1680, 1700),
        "front door": (1740, 75, 0, 1740, 1770),
    }


@pytest.mark.parametrize("hold_minutes", [1, 15])
def test_no_server_closes_a_connection_that_its_caller_would_use_again(hold_minutes: int) -> None:
    for way, caller, server in _ways(_settings(hold_minutes)):
        assert server.idle_seconds is None or caller.reuse_seconds < server.idle_seconds, way


@pytest.mark.parametrize("hold_minutes", [1, 15])
def test_every_caller_bears_silence_longer_than_whom_it_calls(hold_minutes: int) -> None:
    for way, caller, server in _ways(_settings(hold_minutes)):
        if caller.silence_seconds is not None and server.silence_seconds is not None:
            assert caller.silence_seconds > server.silence_seconds, way
    assert timeouts.ingress_seconds(_settings(15).serving) < LOAD_BALANCER_IDLE_SECONDS


@pytest.mark.parametrize("hold_minutes", [1, 15])
def test_every_pod_goes_on_at_least_as_long_as_the_pods_behind_it(hold_minutes: int) -> None:
    for way, caller, server in _ways(_settings(hold_minutes)):
        assert caller.drain_seconds >= server.drain_seconds, way
        for hop in (caller, server):
            assert hop.grace_seconds > hop.pre_stop_seconds + hop.drain_seconds, way
        assert caller.grace_seconds <= NODE_DRAIN_SECONDS, way


def test_weights_are_loaded_before_the_caller_gives_up() -> None:
    assert (timeouts.LOAD_SECONDS, timeouts.ANSWER_SECONDS) == (600, 720)


def test_interceptor_drains_what_it_holds() -> None:
    values = scaling.keda_http_add_on(_settings().serving, images_of(_settings()))["interceptor"]
    assert values == {
        "readinessTimeout": "900s",
        "responseHeaderTimeout": "720s",
        "shutdownDelay": "10s",
        "drainTimeout": "1620s",
        "terminationGracePeriodSeconds": 1640,
    }


def test_the_front_door_ends_after_the_last_answer() -> None:
    controller = nginx_ingress(*with_images(_settings()), routes={}, address={}, backends=["chat"])["controller"]
    assert controller["config"]["entries"]["proxy-read-timeout"] == "1740s"
    assert controller["lifecycle"] == {"preStop": {"sleep": {"seconds": 20}}}
    assert controller["terminationGracePeriodSeconds"] == 1770


def test_front_and_gateway_take_their_times_from_the_table() -> None:
    front = scaling.serving_proxy(*with_images(_settings()))
    times = {key: front[key] for key in ("timeoutSeconds", "idleSeconds", "preStopSeconds", "graceSeconds")}
    assert times == {"timeoutSeconds": 1650, "idleSeconds": 150, "preStopSeconds": 10, "graceSeconds": 1670}
    values = gateway.litellm(*components_with_images(_settings()), database_host="host")
    times = {key: values[key] for key in ("drainSeconds", "preStopSeconds", "keepAliveSeconds")}
    assert times == {"drainSeconds": 1700, "preStopSeconds": 10, "keepAliveSeconds": 75}


def test_pages_tell_programs_to_wait_as_long_as_the_platform_does() -> None:
    pages = {
        name: (DOCS / f"{name}.md").read_text("utf-8")
        for name in ("reference/llm-gateway", "how-to/trace-an-application")
    }
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([\d +]+?) \|$", pages["reference/llm-gateway"], re.MULTILINE))
    assert rows == {
        "interceptor: wait, then first byte": "900 + 720",
        "serving-front": "1650",
        "LiteLLM (`request_timeout`)": "1680",
        "Ingress, NGINX or Application Gateway": "1740",
        "Azure's load balancer": "1800",
    }
    waits = [int(seconds) for page in pages.values() for seconds in re.findall(r"OpenAI\(timeout=(\d+)", page)]
    assert waits == [1800, 1800]


def test_autoscaler_of_the_nodes_waits_for_the_pod_that_goes_on_longest() -> None:
    (cluster,) = aks_stack("prod")["resource"]["azurerm_kubernetes_cluster"].values()
    assert cluster["auto_scaler_profile"]["max_graceful_termination_sec"] == "1770"
