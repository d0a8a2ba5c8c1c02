"""People and groups of the chat, through Open WebUI's own interface in a pod, as its local administrator.

Interface: open_webui/routers/users.py and groups.py (0.12). Roles come from Entra again at each login.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pod_program import PodProgram, in_pod
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.chat.login import administrator
from stacks.platform.components.chat.names import NAMESPACE, PORT, RELEASE

from .running import DEPLOYMENT

PROGRAM = Path(__file__).with_name("accounts_in_pod.py")
BY_ADDRESS = {"order_by": "email", "direction": "asc"}
"""Without an order that tells everybody apart, pages repeat some people and leave others out."""


@dataclass(frozen=True)
class Account:
    """Somebody who has logged in."""

    id: str
    email: str
    name: str
    role: str
    """`pending` (let in to nothing), `user` or `admin`."""
    last_active: datetime
    created: datetime
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A group, which knowledge bases and models are shared with."""

    id: str
    name: str
    members: int
    description: str = field(default="", compare=False)


@dataclass(frozen=True)
class Accounts:
    """The accounts of one environment's chat."""

    run: PodProgram
    administrator: str
    base: str = f"http://127.0.0.1:{PORT}"

    def people(self) -> list[Account]:
        """Return everybody, by address. Raises OperatorError."""
        users, groups = self.call(
            {"method": "GET", "path": "/api/v1/users/", "pages": "users", "order": BY_ADDRESS},
            {"method": "GET", "path": "/api/v1/groups/"},
        )
        names = {group["id"]: str(group["name"]) for group in groups}
        found = [
            Account(
                user["id"],
                user["email"],
                user["name"],
                user["role"],
                _time(user["last_active_at"]),
                _time(user["created_at"]),
                tuple(sorted(names.get(group, group) for group in user.get("group_ids", ()))),
            )
            for user in users
        ]
        return sorted(found, key=lambda account: account.email)

    def groups(self) -> list[Group]:
        """Return every group, by name. Raises OperatorError."""
        (found,) = self.call({"method": "GET", "path": "/api/v1/groups/"})
        groups = [Group(g["id"], g["name"], g.get("member_count") or 0, g.get("description") or "") for g in found]
        return sorted(groups, key=lambda group: group.name)

    def set_role(self, email: str, role: str) -> Account:
        """Give somebody a role, end their sessions, and return what they were. Raises OperatorError.

        The local administrator stays one: Open WebUI itself protects only whoever came first.
        """
        if email.lower() == self.administrator:
            raise OperatorError(
                f"{email} is the local administrator, as whom these commands act", code=ExitCode.REFUSED
            )
        account = self._person(email)
        place = f"/api/v1/users/{account.id}"
        calls = [{"method": "POST", "path": f"{place}/update", "body": {"role": role}}]
        if role == "pending" or account.role == "admin":
            # Whoever loses a right loses the pages that were opened with it, too.
            calls.append({"method": "POST", "path": f"{place}/sessions/revoke"})
        self.call(*calls)
        return account

    def log_out(self, email: str) -> None:
        """End every session of somebody. Raises OperatorError."""
        self.call({"method": "POST", "path": f"/api/v1/users/{self._person(email).id}/sessions/revoke"})

    def set_members(self, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> bool:
        """Add people to a group, which is made where there is none, and remove others; return whether it is new."""
        known = {account.email: account.id for account in self.people()}
        if missing := [email for email in (*add, *remove) if email.lower() not in known]:
            raise OperatorError(
                f"nobody of the address {', '.join(missing)} has logged in to the chat",
                "llmctl webui users lists them",
                ExitCode.USAGE,
            )
        group = next((group for group in self.groups() if group.name == name), None)
        if group is None and remove:
            raise _no_group(name)
        if group is None:
            body = {"name": name, "description": ""}
            (made,) = self.call({"method": "POST", "path": "/api/v1/groups/create", "body": body})
        place = f"/api/v1/groups/id/{group.id if group else made['id']}/users"
        for emails, what in ((add, "add"), (remove, "remove")):
            if emails:
                ids = [known[email.lower()] for email in emails]
                self.call({"method": "POST", "path": f"{place}/{what}", "body": {"user_ids": ids}})
        return group is None

    def remove_group(self, name: str) -> None:
        """Remove a group; its people stay. Raises OperatorError."""
        self.call({"method": "DELETE", "path": f"/api/v1/groups/id/{self.group(name).id}/delete"})

    def group(self, name: str) -> Group:
        """Return a group. Raises OperatorError when there is none of that name."""
        found = next((group for group in self.groups() if group.name == name), None)
        if found is None:
            raise _no_group(name)
        return found

    def _person(self, email: str) -> Account:
        found = next((account for account in self.people() if account.email == email.lower()), None)
        if found is None:
            raise OperatorError(
                f"nobody of the address {email} has logged in to the chat",
                "llmctl webui users lists them",
                ExitCode.USAGE,
            )
        return found

    def call(self, *calls: Mapping[str, Any]) -> list[Any]:
        """Return the answers to calls of the interface, made one after the other. Raises OperatorError."""
        parameters = {"base": self.base, "administrator": self.administrator, "calls": calls}
        answers = list(self.run(PROGRAM.read_text("utf-8"), parameters))
        for call, answer in zip(calls, answers, strict=False):
            if answer["status"] >= 400:
                why = answer["body"].get("detail") if isinstance(answer["body"], dict) else answer["body"]
                raise OperatorError(f"the chat answers {answer['status']} to {call['method']} {call['path']}: {why}")
        if len(answers) != len(calls):
            raise OperatorError("the chat's pod ended before it had answered", "run the command again")
        return [answer["body"] for answer in answers]


def accounts_of(
    domain: str, kubectl: Kubectl, run_in: Callable[[Kubectl, str, str, str], PodProgram] = in_pod
) -> Accounts:
    """Return the accounts of an environment's chat; `run_in` gives what runs programs in a container."""
    return Accounts(run_in(kubectl, NAMESPACE, DEPLOYMENT, RELEASE), administrator(domain))


def _no_group(name: str) -> OperatorError:
    return OperatorError(f"no such group: {name}", "llmctl webui groups lists them", ExitCode.USAGE)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
