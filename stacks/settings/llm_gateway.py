"""The LLM gateway: LiteLLM."""

from typing import Annotated

from pydantic import Field

from .cloud_models import PlaceOfProcessing
from .one_way.marks import DeletesOlder
from .types import Model, Unique, text


class PersonLimits(Model):
    """What each person may spend in the chat, unless `llmctl gateway person` gives them another budget."""

    budget_usd: Annotated[float, Field(gt=0, le=100_000)]
    """Dollars at the prices of `models[].usd_per_million_tokens`; beyond it the chat says so in place of an answer."""
    days: Annotated[int, Field(ge=1, le=366)] = 30
    """Days after which it begins again."""
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Most calls of one person in a minute; left out, no limit."""
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Most tokens of one person in a minute, prompts and answers together; left out, no limit."""
    contact: (
        Annotated[str, text(r"^[\w.,:/@+()& -]{2,120}$", "a name, an address or a page, such as it-help@example.com")]
        | None
    ) = None
    """Whom somebody asks who has reached a limit; the chat says so. Left out, `whoever runs the platform`."""


class GatewayServiceSettings(Model):
    """LiteLLM, the one OpenAI-compatible API in front of the engines."""

    enabled: bool = True
    """Whether the platform has an LLM gateway; without it the chat calls the engines directly."""
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    """Pods that are always there."""
    max_replicas: Annotated[int, Field(ge=1, le=20)] = 2
    """Pods that the autoscaler may reach; they share the database's connections."""
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    """Connections that each pod may open."""
    trace_chats: bool = False
    """Whether traces hold what people write and read in the chat; `false` leaves times, tokens and costs. Everybody in
    Opik's access group could read them."""
    trace_prompts: bool = True
    """Whether traces hold prompts and answers of programs; `false` leaves times, tokens, costs and which key called."""
    spend_log_days: Annotated[
        int,
        Field(ge=1, le=3650),
        DeletesOlder(
            stack="database",
            effect="platform",
            why="the LLM gateway deletes older records of calls",
            only_while=(("gateway.enabled", "true"),),
            unless="database.generation",
            agreeable=True,
        ),
    ] = 90
    """How long the record of every call, without its text, is kept in the database."""
    spend_per_person: bool = False
    """Whether the record of a call in the chat names who asked, by the id of the chat's account, so that
    `llmctl gateway spend --by person` can sum it. Traces and metrics name nobody in any case. Ask your works council.
    """
    person_limits: PersonLimits | None = None
    """What each person may spend in the chat; needs `spend_per_person`. Left out, no limit but that of the chat's key.
    """
    keepalive_seconds: Annotated[int, Field(ge=0, le=300)] = 0
    """Seconds of silence after which a stream gets a comment (`: ping`), so that no proxy or NAT cuts it while an
    engine starts; 0 for none. From the first comment on the status is 200, and a failure comes within the stream."""
    cloud_places: Annotated[tuple[PlaceOfProcessing, ...], Unique] = ()
    """Places in which `cloud_models` may process prompts: Azure regions, `data-zone-eu`, `data-zone-us`, `global`. A
    model of another place is refused; an empty list allows none."""
