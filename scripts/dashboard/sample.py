"""A picture of the dashboard for the documentation: made-up figures of a busy afternoon on a small platform."""

import asyncio
import re
from datetime import UTC, datetime

from .board import Board, Engine, GpuRow, Pool, model_rows
from .rates import Rates
from .screen import Dashboard

SIZE = (110, 25)
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""They would be fetched from another server by whoever looks at the picture."""

_RATES = Rates(
    requests={"qwen3-32b": 0.62, "llama3.1-8b": 0.21, "phi3.5": 0.0},
    tokens={"qwen3-32b": 214, "llama3.1-8b": 38},
    open={"vllm-a100": 11, "ollama-t4": 3},
    queued={"qwen3-32b": 2},
    gpu_percent={"aks-a100-0": 93, "aks-t4-1": 61},
    gpu_memory={"aks-a100-0": 0.91, "aks-t4-1": 0.48},
)
_ENGINES = (
    Engine("vllm-a100", 1, 1, suspended=False, models=("qwen3-32b",)),
    Engine("ollama-t4", 1, 1, suspended=False, models=("llama3.1-8b", "phi3.5")),
    Engine("vllm-h100", 0, 0, suspended=True, models=("deepseek-r1",)),
)
BOARD = Board(
    environment="prod",
    at=datetime(2026, 11, 30, 15, 4, 5, tzinfo=UTC),
    pools=(
        Pool("system", "Standard_D4ds_v5", spot=False, ready=3, nodes=3, gpus=0),
        Pool("workload", "Standard_D8ds_v5", spot=False, ready=2, nodes=2, gpus=0),
        Pool("a100", "Standard_NC24ads_A100_v4", spot=True, ready=1, nodes=1, gpus=1),
        Pool("t4", "Standard_NC4as_T4_v3", spot=True, ready=1, nodes=2, gpus=1),
    ),
    gpus_in_use=2,
    models=tuple(model_rows(_ENGINES, _RATES)),
    gpu_nodes=(GpuRow("aks-a100-0", 93, 0.91), GpuRow("aks-t4-1", 61, 0.48)),
    waiting_pods=("serving/ollama-t4-7c9f, 2 min: its node starts",),
    usd_per_hour=4.18,
    usd_is_whole=True,
)


def picture() -> str:
    """Return the picture as SVG."""

    async def take() -> str:
        app = Dashboard(lambda: BOARD, every_s=3600)
        async with app.run_test(size=SIZE) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            return app.export_screenshot()

    return _FONTS.sub("", asyncio.run(take()))
