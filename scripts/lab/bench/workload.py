"""The application with chosen numbers of GPU pools and models, as a process to be measured.

`python -m scripts.lab.bench.workload OUTDIR 1:0 50:200 --repeats 5` takes the development environment, gives it that
many pools and models, synthesizes the sizes in turns and prints one line of JSON. For each size: the resources written
and the seconds that the fastest validation, construction and synthesis took, once everything was imported.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from main import build_app
from stacks.settings import Settings
from stacks.settings.file.loading import ENVIRONMENTS

MODELS_PER_POOL = 20


def settings_data(pools: int, models: int) -> dict[str, Any]:
    """Return the development environment's data with so many one-node GPU pools and small models on them."""
    data: dict[str, Any] = YAML(typ="safe").load((ENVIRONMENTS / "dev.yaml").read_text("utf-8"))
    # A node takes addresses and a model takes GPU memory; both stay far below what the rules allow.
    pool = {"vm_size": "Standard_NC4as_T4_v3", "max_nodes": 1}
    data["cluster"]["gpu_pools"] = {f"gpu{number}": pool for number in range(pools)}
    data["models"] = [
        {
            "name": f"model-{number}",
            "engine": "ollama",
            "id": f"llama3.2:{number}b",
            "pool": f"gpu{number // MODELS_PER_POOL % pools}",
            "quantization": "q4",
            "weights_gib": 0.5,
        }
        for number in range(models)
    ]
    return data


def resource_count(outdir: Path) -> int:
    """Return how many resources and data sources the synthesized stacks declare."""
    stacks = [json.loads(file.read_text("utf-8")) for file in outdir.glob("stacks/*/cdk.tf.json")]
    blocks = [blocks for stack in stacks for kind in ("resource", "data") for blocks in stack.get(kind, {}).values()]
    return sum(len(block) for block in blocks)


def synthesis_s(data: dict[str, Any], outdir: Path) -> float:
    """Return how long one synthesis takes, from the data of an environment file to the written stacks."""
    start = time.perf_counter()
    build_app(Settings.model_validate(data), outdir).synth()
    return time.perf_counter() - start


def main() -> None:
    """Synthesize and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("outdir", type=Path)
    parser.add_argument("sizes", nargs="+", metavar="POOLS:MODELS")
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    sizes = [tuple(int(part) for part in size.split(":")) for size in arguments.sizes]
    arguments.outdir.mkdir(parents=True, exist_ok=True)
    seconds: list[list[float]] = [[] for _ in sizes]
    turns = list(zip(sizes, seconds, strict=True))
    for _ in range(arguments.repeats):
        # To and fro: both processes go on compiling what they run, which must not favour the size that comes last.
        turns.reverse()
        for (pools, models), found in turns:
            found.append(synthesis_s(settings_data(pools, models), arguments.outdir / f"{pools}-{models}"))
    resources = [resource_count(arguments.outdir / f"{pools}-{models}") for pools, models in sizes]
    fastest = [min(found) for found in seconds]
    print(
        json.dumps(
            [{"resources": count, "seconds": duration} for count, duration in zip(resources, fastest, strict=True)]
        )
    )


if __name__ == "__main__":
    main()
