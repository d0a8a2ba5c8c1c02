"""The identities of one pipeline in Azure, and who may log in as them: compared, created, corrected and removed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scripts.core.azure import az, az_list, az_text

from .directory import permissions
from .identities import Identity, Purpose
from .place import Credential, Place, Principal
from .roles import Roles
from .steps import Step

AUDIENCE = "api://AzureADTokenExchange"


@dataclass
class AzureIdentities:
    """The identities of one pipeline."""

    place: Place
    identities: Sequence[Identity]
    tags: Mapping[str, str]
    ask: Callable[..., dict[str, Any]] = az
    ask_list: Callable[..., list[Any]] = az_list
    tell: Callable[..., str] = az_text
    """For what answers with nothing."""
    principals: dict[Purpose, Principal] = field(default_factory=dict)
    """Those that are there, or were created meanwhile."""
    waiting: list[str] = field(default_factory=list)
    """What can only be given once a stack is deployed."""
    _others: bool = False

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """Purposes of the identities."""
        return tuple(identity.purpose for identity in self.identities)

    def read(self) -> None:
        """Look for the identities. Raises AzureError."""
        found = self.ask_list("identity", "list", "--subscription", self.place.names.subscription_id)
        ours = [item for item in found if item["resourceGroup"].lower() == self.place.group.lower()]
        by_name = {item["name"]: Principal(item["clientId"], item["principalId"]) for item in ours}
        names = {self.place.identity(identity.purpose): identity.purpose for identity in self.identities}
        self.principals = {names[name]: found for name, found in by_name.items() if name in names}
        self._others = bool(by_name.keys() - names)

    def steps(self, credentials: Mapping[Purpose, Sequence[Credential]]) -> Iterator[Step]:
        """Yield what is missing, differs or is too much, after `read`. Raises AzureError."""
        self.waiting.clear()
        yield from self._created()
        for identity in self.identities:
            yield from self._trusts(identity.purpose, credentials.get(identity.purpose, ()))
        yield from self._roles.steps()
        if self.place.directory:
            yield from permissions(self.place, self.identities, self.principals, self.ask)

    def trust(self, purpose: Purpose, credential: Credential) -> None:
        """Let the jobs that a credential describes log in as the identity. Raises AzureError."""
        self.ask(
            *("identity", "federated-credential", "create", *self._within()),
            *("--identity-name", self.place.identity(purpose), "--name", credential.name),
            *("--issuer", credential.issuer, "--subject", credential.subject, "--audiences", AUDIENCE),
        )

    def removal(self) -> Iterator[Step]:
        """Yield what takes the identities away again, after `read`. Raises AzureError."""
        for purpose, principal in self.principals.items():
            name = self.place.identity(purpose)
            yield from self._roles.taken(principal, name)
            gone = partial(self.tell, "identity", "delete", *self._within(), "--name", name)
            yield Step(f"delete identity {name}", gone)
        if not self._others:
            yield from self._roles.definitions_removed()
            if self._group_exists():
                gone = partial(self.tell, "group", "delete", *self._within()[:2], "--name", self.place.group, "--yes")
                yield Step(f"delete resource group {self.place.group}", gone)

    @property
    def _roles(self) -> Roles:
        return Roles(
            self.place, self.identities, self.principals, self.waiting, self.ask, ask_list=self.ask_list, tell=self.tell
        )

    def _within(self) -> tuple[str, ...]:
        return ("--subscription", self.place.names.subscription_id, "--resource-group", self.place.group)

    def _group_exists(self) -> bool:
        groups = self.ask_list("group", "list", "--subscription", self.place.names.subscription_id)
        return any(group["name"].lower() == self.place.group.lower() for group in groups)

    def _created(self) -> Iterator[Step]:
        tags = ("--tags", *(f"{key}={value}" for key, value in self.tags.items()))
        if not self._group_exists():
            create = partial(
                self.ask,
                *("group", "create", "--subscription", self.place.names.subscription_id),
                *("--name", self.place.group, "--location", self.place.region),
                *tags,
            )
            yield Step(f"create resource group {self.place.group}", create)
        for identity in self.identities:
            if identity.purpose not in self.principals:
                name = self.place.identity(identity.purpose)
                yield Step(f"create identity {name}", partial(self._create, identity.purpose, tags))

    def _create(self, purpose: Purpose, tags: tuple[str, ...]) -> None:
        made = self.ask(
            *("identity", "create", *self._within(), "--name", self.place.identity(purpose)),
            *("--location", self.place.region, *tags),
        )
        self.principals[purpose] = Principal(made["clientId"], made["principalId"])

    def _trusts(self, purpose: Purpose, credentials: Sequence[Credential]) -> Iterator[Step]:
        name = self.place.identity(purpose)
        listed = (
            self.ask_list("identity", "federated-credential", "list", *self._within(), "--identity-name", name)
            if purpose in self.principals
            else []
        )
        there = {item["name"]: (item["issuer"], item["subject"]) for item in listed}
        for credential in credentials:
            if there.get(credential.name) != (credential.issuer, credential.subject):
                verb = "change" if credential.name in there else "let"
                text = f"{verb} {credential.subject} log in as {name}"
                yield Step(text, partial(self.trust, purpose, credential))
        for gone in sorted(there.keys() - {credential.name for credential in credentials}) if credentials else ():
            delete = partial(
                self.tell,
                *("identity", "federated-credential", "delete", *self._within()),
                *("--identity-name", name, "--name", gone, "--yes"),
            )
            yield Step(f"let {there[gone][1]} no longer log in as {name}", delete)
