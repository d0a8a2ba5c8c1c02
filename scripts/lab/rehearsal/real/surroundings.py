"""What real providers meet in a rehearsal, for as long as it runs: a cluster, its attendant, a fake of Azure."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.core.workspace import CACHE
from scripts.lab.kube.api import Api
from scripts.lab.kube.cluster import Cluster
from scripts.lab.kube.definitions import define
from scripts.lab.kube.given import given
from scripts.lab.kube.programs import build
from stacks.settings import Settings

from .attendant import Attendant
from .azure import fake_azure
from .packages import RealProviders

KUBECONFIG = "REHEARSAL_KUBECONFIG"
CHARTS = "REHEARSAL_CHARTS"
"""Tell the application of a rehearsal what to write beside the platform stack (`overrides`)."""

CLUSTER = CACHE / "cluster"
"""The one of `llmctl cluster`."""


@dataclass(frozen=True)
class Surroundings:
    """What is there, and the variables that lead Terraform to it."""

    variables: dict[str, str]
    api: Api
    attendant: Attendant


@contextmanager
def surroundings(
    providers: RealProviders,
    settings: Settings,
    folder: Path,
    *,
    fresh: bool,
    cluster_folder: Path = CLUSTER,
    lasting: bool = True,
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[Surroundings]:
    """Set up what the providers need, within; a cluster that was started here goes on afterwards if `lasting`.

    `fresh` starts `llmctl cluster`'s again, so that nothing of an earlier run is in it. KUBECONFIG names another one,
    which is taken as it is. Raises OperatorError where anything does not start.
    """
    with ExitStack() as stack:
        variables: dict[str, str] = {}
        path = os.environ.get("KUBECONFIG")
        if path:
            api = stack.enter_context(given(path))
        else:
            cluster = Cluster(cluster_folder)
            if fresh:
                cluster.down()
            api = cluster.up(build(say), settings, say, lasting=lasting)
            if not lasting:
                stack.callback(cluster.down)
            path = str(cluster.files.kubeconfig)
        define(api, "keda")  # AKS's add-on brings them
        attendant = stack.enter_context(Attendant(api))
        if providers.fake_azure:
            say("starting the fake of Azure")
            variables |= stack.enter_context(fake_azure(providers.fake_azure, folder / "azure", settings))
        variables |= {KUBECONFIG: str(Path(path).resolve()), CHARTS: str(providers.charts or "")}
        yield Surroundings(variables, api, attendant)
