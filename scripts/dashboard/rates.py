"""What is counted of the models and GPUs at this moment, by the metrics that the platform keeps (helm/monitors)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .prometheus import Prometheus

WINDOW = "5m"
"""Two scrapes of the longest interval that the settings allow."""
_MODEL = "requested_model"
QUERIES = {
    "requests": (
        "requested_model",
        f"sum by (requested_model) (rate(litellm_proxy_total_requests_metric_total[{WINDOW}]))",
    ),
    "tokens": ("requested_model", f"sum by (requested_model) (rate(litellm_output_tokens_metric_total[{WINDOW}]))"),
    "open": ("route_name", 'sum by (route_name) (interceptor_request_concurrency{route_namespace="serving"})'),
    "queued": ("model_name", 'sum by (model_name) (vllm:num_requests_waiting{job="vllm"})'),
    "gpu_percent": ("node", "avg by (node) (DCGM_FI_DEV_GPU_UTIL)"),
    "gpu_memory": ("node", "avg by (node) (DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE))"),
}
"""Label and expression of each figure."""


@dataclass(frozen=True)
class Rates:
    """Figures by what they are of; a metric that nothing writes yet is an empty one."""

    requests: Mapping[str, float] = field(default_factory=dict)
    """Requests a second, by model."""
    tokens: Mapping[str, float] = field(default_factory=dict)
    """Tokens a second that the models write, by model."""
    open: Mapping[str, float] = field(default_factory=dict)
    """Requests that wait for an engine or are being answered, by engine."""
    queued: Mapping[str, float] = field(default_factory=dict)
    """Requests in the queue of a running vLLM, by model."""
    gpu_percent: Mapping[str, float] = field(default_factory=dict)
    """How busy the GPUs of a node are, by node."""
    gpu_memory: Mapping[str, float] = field(default_factory=dict)
    """Share of their memory that is in use, 0 to 1, by node."""


def rates(prometheus: Prometheus) -> Rates:
    """Ask for all figures. Raises OperatorError."""
    return Rates(**{name: prometheus.by(label, expression) for name, (label, expression) in QUERIES.items()})
