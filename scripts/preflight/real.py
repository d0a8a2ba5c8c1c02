"""The real surroundings of a run, and the run itself."""

import os
from collections.abc import Collection

from scripts.azure.client import GRAPH, GRAPH_SCOPE, Azure
from scripts.azure.login import Login, credential_of
from scripts.core.job_login import JOB
from stacks.settings import Settings

from .catalogue import CHECKS
from .internet.dns import Resolver
from .internet.web import Web
from .machine import Machine
from .run import Report, Told, nobody, run
from .surroundings import Surroundings


def preflight(
    settings: Settings,
    stacks: Collection[str],
    told: Told = nobody,
    *,
    undeployed: Collection[str] = (),
) -> Report:
    """Check everything that the stacks need; `told` hears which checks are waited for."""
    subscription = settings.azure.subscription_id
    login = Login(credential_of(subscription, os.environ), JOB)
    surroundings = Surroundings(
        settings=settings,
        stacks=tuple(stacks),
        undeployed=tuple(undeployed),
        azure=Azure(login, subscription),
        graph=Azure(login, subscription, url=GRAPH, scope=GRAPH_SCOPE),
        dns=Resolver(),
        web=Web(),
        machine=Machine(),
        variables=os.environ,
    )
    return run(CHECKS, surroundings, told)
