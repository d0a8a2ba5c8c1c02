"""The real Kubernetes API that tests run on: started here, or the one that KUBECONFIG names."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.lab.kube.api import Api, Object
from scripts.lab.kube.cluster import Cluster
from scripts.lab.kube.given import given
from scripts.lab.kube.programs import build
from stacks.settings import Settings

from .helm_client import Helm


@dataclass(frozen=True)
class Running:
    """A cluster that answers."""

    api: Api
    kubeconfig: Path
    cluster: Cluster | None
    """None for one that somebody else started."""


@contextmanager
def running(folder: Path, settings: Settings, *, simulated: Sequence[Object] = ()) -> Iterator[Running]:
    """Within, a cluster with the nodes of the environment's pools runs; a given one has those that it has.

    `simulated` are further objects of kwok's configuration.
    """
    if kubeconfig := os.environ.get("KUBECONFIG"):
        with given(kubeconfig) as api:
            yield Running(api, Path(kubeconfig), None)
        return
    cluster = Cluster(folder / "cluster")
    try:
        api = cluster.up(build(), settings, lasting=False, simulated=simulated)
        yield Running(api, cluster.files.kubeconfig, cluster)
    finally:
        cluster.down()


def helm(running: Running, folder: Path) -> Helm:
    """Return real Helm for the cluster; fails where there is none, since nothing is proven without."""
    program = shutil.which("helm")
    assert program, "helm is not on PATH: .ci/run builds it"
    return Helm(program, running.kubeconfig, folder)
