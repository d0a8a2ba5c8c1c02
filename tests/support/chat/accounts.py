"""Open WebUI's interface for people and groups, in memory, for the program that calls it in a pod."""

from collections.abc import Iterator, Mapping
from typing import Any


class ChatAccounts:
    """Answers the calls of `accounts_in_pod.py`; `revoked` are the ids whose sessions were ended."""

    def __init__(self) -> None:
        self.users: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.revoked: list[str] = []
        self.calls: list[tuple[str, str]] = []

    def add(self, email: str, role: str = "user", *, last: int = 1_700_000_000, name: str = "Somebody") -> None:
        """Let somebody have logged in."""
        known = {"email": email, "id": f"id-of-{email}", "name": name, "role": role, "group_ids": []}
        self.users.append({**known, "last_active_at": last, "created_at": 1_600_000_000})

    def __call__(self, program: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Stand in the place of a PodProgram."""
        assert "Calls Open WebUI's own interface" in program
        for call in parameters["calls"]:
            self.calls.append((call["method"], call["path"]))
            yield {"status": 200, "body": self.answer(call["path"], call.get("body") or {})}

    def answer(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: PLR0911
        words = path.strip("/").split("/")[2:]
        match words:
            case ["users"]:
                return self.users
            case ["users", who, "update"]:
                return self._user(who).update(body)
            case ["users", who, "sessions", "revoke"]:
                return self.revoked.append(who)
            case ["groups"]:
                return [{**group, "member_count": self._members(group["id"])} for group in self.groups]
            case ["groups", "create"]:
                self.groups.append({"id": f"id-of-{body['name']}", **body})
                return self.groups[-1]
            case ["groups", "id", group, "users", "add" | "remove" as what]:
                for who in body["user_ids"]:
                    ids = set(self._user(who)["group_ids"])
                    self._user(who)["group_ids"] = [*(ids | {group} if what == "add" else ids - {group})]
                return None
            case ["groups", "id", gone, "delete"]:
                self.groups = [group for group in self.groups if group["id"] != gone]
                return True
        raise AssertionError(path)

    def _user(self, number: str) -> dict[str, Any]:
        return next(user for user in self.users if user["id"] == number)

    def _members(self, group: str) -> int:
        return sum(group in user["group_ids"] for user in self.users)
