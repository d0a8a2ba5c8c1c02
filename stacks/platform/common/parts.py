"""The workloads of a component by the words that people use, in the order in which they start."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One Deployment, StatefulSet or DaemonSet of a component."""

    name: str
    """As a command line names it."""
    namespace: str
    workload: str
    """As kubectl names it: `deployment/open-webui`."""
    container: str
    """The container that does the work, beside sidecars; a shell opens in it."""
    store: bool = False
    """Whether it keeps data on a disk of one pod: a restart leaves it alone unless it is named, and it has one pod."""
    main: bool = False
    """Whether a shell opens in it where no part is named."""
    family: str = ""
    """Second word, besides the component's, under which it is found: `ollama`, `vllm`."""
    replicas_setting: str = ""
    """Keys of the environment file that say how many pods it has; empty where the platform's charts say so."""

    @property
    def kind(self) -> str:
        """The first half of `workload`."""
        return self.workload.partition("/")[0]

    @property
    def workload_name(self) -> str:
        """The second half of `workload`."""
        return self.workload.partition("/")[2]
