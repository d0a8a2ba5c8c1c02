"""What the simulation takes for granted: the fields, explained with values and sources in `assumptions.yaml`."""

from typing import Annotated

from pydantic import Field

from stacks.settings.models import Engine
from stacks.settings.types import Model

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class Keda(Model):
    """KEDA and its HTTP add-on."""

    polling_interval_s: Positive
    activation_threshold: NotNegative
    push_delay_s: NotNegative


class Hpa(Model):
    """The horizontal pod autoscaler."""

    sync_period_s: Positive
    tolerance: NotNegative
    scale_up_window_s: NotNegative
    pods_per_period: Annotated[int, Field(ge=1)]
    period_s: Positive
    longest_scale_down_window_s: NotNegative


class ClusterAutoscaler(Model):
    """The cluster autoscaler."""

    scan_interval_s: Positive
    scale_down_unneeded_s: NotNegative
    scale_down_delay_after_add_s: NotNegative


class Start(Model):
    """From a missing node to a model that answers."""

    node_ready_s: NotNegative
    node_ready_spread: Annotated[float, Field(ge=0, lt=1)]
    image_gib: dict[Engine, NotNegative]
    image_pull_gib_per_s: Positive
    weights_read_gib_per_s: Positive
    engine_init_s: dict[Engine, NotNegative]


class Service(Model):
    """How fast an engine answers."""

    gpu_memory_gb_per_s: dict[str, Positive]
    decode_efficiency: Share
    stream_share_at_full_batch: dict[Engine, Share]
    prefill_speedup: Positive
    concurrency: dict[Engine, Annotated[int, Field(ge=1)]]


class Queue(Model):
    """What happens to requests whose replica goes."""

    termination_grace_s: NotNegative


class Traffic(Model):
    """Sizes of requests where the trace does not say them."""

    prompt_tokens_median: Positive
    answer_tokens_median: Positive
    token_spread: NotNegative


class Spot(Model):
    """What Azure takes back."""

    evictions_per_node_hour: NotNegative
    gaps_per_week: NotNegative
    gap_hours: Positive


class Price(Model):
    """Prices of nodes in US dollars."""

    usd_per_hour: dict[str, Positive]
    spot_share: Share


class Assumptions(Model):
    """Everything assumed; the fields are explained, with their sources, in `assumptions.yaml`."""

    keda: Keda
    hpa: Hpa
    cluster_autoscaler: ClusterAutoscaler
    start: Start
    service: Service
    queue: Queue
    traffic: Traffic
    spot: Spot
    price: Price
