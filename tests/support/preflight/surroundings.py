"""The surroundings of a check, all on this machine, and one sentence for each thing that it finds."""

from collections.abc import Sequence
from typing import Any

from scripts.azure.client import Azure
from scripts.azure.login import Login
from scripts.bootstrap.problems import NotReadyError
from scripts.core.errors import OperatorError
from scripts.preflight.catalogue import CHECKS
from scripts.preflight.internet.dns import Resolver
from scripts.preflight.internet.web import Web
from scripts.preflight.machine import Machine
from scripts.preflight.run import Result, look
from scripts.preflight.surroundings import Surroundings
from stacks.settings import Settings
from tests.support.stacks.durable import settings

from .azure_api import REGION, SUBSCRIPTION, Token

DOMAIN = "llm.contoso.com"
EVERYTHING = ("identity", "disks", "acr", "database", "address", "network", "aks", "platform")
T4 = {"vm_size": "Standard_NC4as_T4_v3", "priority": "spot", "min_nodes": 0, "max_nodes": 3}


def sound(**sections: Any) -> Settings:
    """Return the settings of an environment that the fake Azure has everything for, with other keys of sections."""
    cluster = {"gpu_pools": {"t4": T4}} | sections.pop("cluster", {})
    azure = {"subscription_id": SUBSCRIPTION, "region": REGION} | sections.pop("azure", {})
    made = settings(azure=azure, cluster=cluster, **sections)
    return made.model_copy(update={"domain": DOMAIN})


class FakeMachine(Machine):
    """A machine with programs that print what a test says."""

    def __init__(self, printed: dict[str, str] | None = None, **problems: Any) -> None:
        self.printed = {
            "az": "", "git": "", "kubelogin": "kubelogin version\ngit hash: v0.2.10/abc\n",
            "kubectl": "Client Version: v1.36.1\nKustomize Version: v5.7.1\n",
        } if printed is None else printed  # fmt: skip
        self.problems = problems

    def has(self, program: str) -> bool:
        return program in self.printed

    def output(self, *command: str) -> str | None:
        return self.printed.get(command[0])

    def terraform(self) -> NotReadyError | None:
        found: NotReadyError | None = self.problems.get("terraform")
        return found

    def builder(self, _name: str, _registry: str) -> OperatorError | None:
        found: OperatorError | None = self.problems.get("builder")
        return found


def surroundings(
    url: str,
    environment: Settings | None = None,
    *,
    token: Any = None,
    dns_port: int = 9,
    web: Web | None = None,
    machine: Machine | None = None,
    stacks: Sequence[str] = EVERYTHING,
    undeployed: Sequence[str] = (),
    variables: dict[str, str] | None = None,
    waits: list[float] | None = None,
    read_timeout_s: float = 30,
) -> Surroundings:
    """Return surroundings that ask Azure and the directory at `url`."""
    login = Login(token or Token())
    noted = [] if waits is None else waits
    options: dict[str, Any] = {"wait": noted.append, "read_timeout_s": read_timeout_s}
    return Surroundings(
        settings=environment or sound(),
        stacks=tuple(stacks),
        undeployed=tuple(undeployed),
        azure=Azure(login, SUBSCRIPTION, url=url, **options),
        graph=Azure(login, SUBSCRIPTION, url=f"{url}/v1.0", scope="graph", **options),
        dns=Resolver(["127.0.0.1"], port=dns_port, lifetime_s=1, server_timeout_s=0.2),
        web=web or Web(),
        machine=machine or FakeMachine(),
        variables=variables or {},
    )


def result(name: str, asked: Surroundings) -> Result:
    """Return how the check of this name ends."""
    return look(next(check for check in CHECKS if check.name == name), asked)
