"""The one table of times on the way from a caller to an engine: waits, idle connections, ends.

Every value of a chart that bounds one of these comes from here. Three rules hold along the way, and a test compares
every hop with its neighbours:

- a hop bears the silence before an answer longer than the hop behind it, so that the reason for a failure is heard;
- a hop keeps an idle connection open longer than its callers would use it again: otherwise it closes one just as a
  request comes, and the caller sees a reset;
- a pod that has to end goes on longer than the pods behind it, and Kubernetes kills it later than it is done.
"""

from dataclasses import dataclass

from stacks.settings.serving import ServingSettings

LOAD_SECONDS = 600
"""Longest that weights may take from their store into a GPU while a request waits for them."""
ANSWER_SECONDS = 720
"""Time that a model has for the first byte of its answer, once its server is ready: loading, and the prompt.

An answer that is not streamed has its first byte at its end.
"""
SERVING_PROXY_MARGIN_SECONDS = 30
"""Later than the interceptor, whose answer tells what the wait was for."""
LLM_GATEWAY_MARGIN_SECONDS = 60
"""Later than the serving proxy, whose 503 tells what the wait was for."""
INGRESS_MARGIN_SECONDS = 120
"""Later than serving proxy and LLM gateway."""

ENGINE_DRAIN_SECONDS = 600
"""How long an engine goes on with answers that it has begun."""
ENDPOINT_SECONDS = 10
"""Until nobody sends to a pod any more that is about to end: Kubernetes takes its address away at the same time."""
LOAD_BALANCER_SECONDS = 20
"""The same for Azure's load balancer: with `externalTrafficPolicy: Local` two probes have to fail, 5 s apart. NGINX
closes its doors at once when it is told to end."""
KILL_MARGIN_SECONDS = 10
"""Between the end of a pod's own patience and Kubernetes' kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One server on the way, as its caller and as the node that it runs on see it."""

    silence_seconds: int | None
    """Longest that it waits for the next hop's first byte, and afterwards between two reads of a stream; None for an
    engine, which has no next hop.

    NGINX (`proxy_read_timeout`) and LiteLLM (`sock_read` of aiohttp, in v1.101.6 `aiohttp_transport.py`) have one clock
    for both, so that an engine that hangs in the middle of an answer is held as long as one that loads. The
    interceptor's ends with the header.
    """
    idle_seconds: int | None
    """How long it keeps a connection of a caller open that nothing is asked on; None for ever."""
    reuse_seconds: int
    """How long it keeps its own idle connections to the next hop; 0 where every request has a new one."""
    pre_stop_seconds: int
    """How long it goes on as if nothing were, once it has to end."""
    drain_seconds: int
    """How long it then goes on with what it has begun."""

    @property
    def grace_seconds(self) -> int:
        """How long Kubernetes waits before it kills the pod."""
        return self.pre_stop_seconds + self.drain_seconds + KILL_MARGIN_SECONDS


def hold_seconds(serving: ServingSettings) -> int:
    """How long a request waits for an engine that starts from zero."""
    return serving.hold_minutes * 60


def path_seconds(serving: ServingSettings) -> int:
    """Longest way to the first byte of an answer: the wait for an engine, and the engine's own time."""
    return hold_seconds(serving) + ANSWER_SECONDS


def ingress_seconds(serving: ServingSettings) -> int:
    """Longest silence that the ingress bears: longer than everything behind it, so that its answer is heard."""
    return path_seconds(serving) + INGRESS_MARGIN_SECONDS


def vllm() -> Hop:
    """The engine of one model. Its server closes idle connections after 5 s unless told otherwise."""
    return Hop(
        silence_seconds=None,
        idle_seconds=120,
        reuse_seconds=0,
        pre_stop_seconds=ENDPOINT_SECONDS,
        drain_seconds=ENGINE_DRAIN_SECONDS,
    )


def ollama() -> Hop:
    """The Ollama of a pool: Go's server, which keeps idle connections (`server/routes.go` sets no `IdleTimeout`)."""
    return Hop(
        silence_seconds=None,
        idle_seconds=None,
        reuse_seconds=0,
        pre_stop_seconds=ENDPOINT_SECONDS,
        drain_seconds=ENGINE_DRAIN_SECONDS,
    )


def interceptor(serving: ServingSettings) -> Hop:
    """KEDA's interceptor: holds, then waits for the header; a clone of Go's default transport keeps connections 90 s.

    Source: kedacore/http-add-on v0.15.0, `interceptor/proxy.go` and `pkg/http/server.go`.
    """
    return Hop(
        silence_seconds=path_seconds(serving),
        idle_seconds=None,
        reuse_seconds=90,
        pre_stop_seconds=ENDPOINT_SECONDS,
        drain_seconds=path_seconds(serving),
    )


def serving_proxy(serving: ServingSettings) -> Hop:
    """The NGINX before the engines. A target in a variable has no pool of connections."""
    seconds = path_seconds(serving) + SERVING_PROXY_MARGIN_SECONDS
    return Hop(
        silence_seconds=seconds,
        # Longer than LiteLLM's client, which keeps 120 s.
        idle_seconds=150,
        reuse_seconds=0,
        pre_stop_seconds=ENDPOINT_SECONDS,
        drain_seconds=seconds,
    )


def cloud_egress() -> Hop:
    """The NGINX before models outside the network, which start from nothing: there is no wait for a GPU."""
    return Hop(
        silence_seconds=ANSWER_SECONDS,
        # Longer than LiteLLM's client, as the serving proxy.
        idle_seconds=150,
        reuse_seconds=0,
        pre_stop_seconds=ENDPOINT_SECONDS,
        drain_seconds=ANSWER_SECONDS,
    )


def llm_gateway(serving: ServingSettings) -> Hop:
    """LiteLLM. Its client keeps connections 120 s (`AIOHTTP_KEEPALIVE_TIMEOUT`), its server 5 s unless told otherwise.

    Open WebUI, a caller of it, keeps connections 15 s (the default of aiohttp).
    """
    seconds = path_seconds(serving) + LLM_GATEWAY_MARGIN_SECONDS
    return Hop(
        silence_seconds=seconds,
        idle_seconds=75,
        reuse_seconds=120,
        pre_stop_seconds=ENDPOINT_SECONDS,
        drain_seconds=seconds,
    )


def chat(serving: ServingSettings) -> Hop:
    """Open WebUI: bears any silence, since its clock for a whole answer is off."""
    return Hop(
        silence_seconds=None,
        idle_seconds=75,
        reuse_seconds=15,
        pre_stop_seconds=ENDPOINT_SECONDS,
        drain_seconds=path_seconds(serving) + LLM_GATEWAY_MARGIN_SECONDS,
    )


def ingress(serving: ServingSettings) -> Hop:
    """NGINX at the public address, where it and not an Application Gateway is the ingress.

    It makes a new connection for each request unless `keepalive` is set among its keys.
    """
    seconds = ingress_seconds(serving)
    return Hop(
        silence_seconds=seconds,
        idle_seconds=75,
        reuse_seconds=0,
        pre_stop_seconds=LOAD_BALANCER_SECONDS,
        drain_seconds=seconds,
    )


def longest_grace_seconds(serving: ServingSettings) -> int:
    """Grace of the pod that goes on longest: what whoever takes a node away has to wait for."""
    return ingress(serving).grace_seconds
