"""A rehearsal whose providers are real ones, where they can be had."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.lab.rehearsal.drive import Rehearsal
from stacks.settings import Settings

from .packages import real_providers
from .surroundings import CLUSTER, surroundings


@contextmanager
def real_rehearsal(
    settings: Settings,
    folder: Path,
    *,
    fresh: bool,
    cluster_folder: Path = CLUSTER,
    lasting: bool = True,
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[Rehearsal]:
    """Give a rehearsal in `folder`, within what its providers meet; `surroundings` says what that is.

    `fresh` empties the folder and starts the cluster again.

    Raises OperatorError for what PROVIDERS_DIR, FAKE_AZURE, CHARTS_DIR or KUBECONFIG name and is not there.
    """
    providers = real_providers(os.environ)
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    around = surroundings(
        providers, settings, folder, fresh=fresh, cluster_folder=cluster_folder, lasting=lasting, say=say
    )
    with around as found:
        yield Rehearsal(settings, folder, fresh=False, real=providers.packages, extra=found.variables)
