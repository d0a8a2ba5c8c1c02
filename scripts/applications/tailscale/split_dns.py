"""What of a tailnet's split DNS differs from what an environment needs."""

from dataclasses import dataclass

from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Nameservers of one domain, as they are and as they have to be."""

    domain: str
    found: tuple[str, ...]
    needed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything is to be changed; the order of nameservers says nothing."""
        return set(self.found) != set(self.needed)

    def lines(self) -> list[str]:
        """Return the difference as people read it, a line for each nameserver."""
        kept = [f"    {address}" for address in self.found if address in self.needed]
        gone = [f"  - {address}" for address in self.found if address not in self.needed]
        new = [f"  + {address}" for address in self.needed if address not in self.found]
        return [self.domain, *gone, *new, *kept]


def difference(settings: Settings, found: dict[str, list[str]], *, remove: bool = False) -> Difference:
    """Return what the tailnet lacks for the environment's zone, or, with `remove`, what it still has of it.

    Raises OperatorError for an environment without Tailscale.
    """
    address = settings.nameserver_address
    if not settings.is_private or settings.private_access.tailscale is None or address is None:
        raise OperatorError(
            f"{settings.name} has no private access by Tailscale",
            f"set exposure: private and private_access.tailscale in environments/{settings.name}.yaml",
            ExitCode.REFUSED,
        )
    needed = () if remove else (str(address),)
    return Difference(domain=settings.domain, found=tuple(found.get(settings.domain, ())), needed=needed)
