"""Azure, GitHub, GitLab and Azure DevOps in memory, as `llmctl pipeline` asks them."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from scripts.core.http import Answer
from scripts.pipeline.github import GithubError
from scripts.pipeline.identities import ASSIGNED_ROLES

SUBSCRIPTION = "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90"
TENANT = "22222222-2222-2222-2222-222222222222"
GRAPH = "graph-object"
APP_ROLES = {
    name: f"role-of-{name}"
    for name in (
        "Application.Read.All",
        "Application.ReadWrite.OwnedBy",
        "AppRoleAssignment.ReadWrite.All",
        "DelegatedPermissionGrant.Read.All",
        "GroupMember.Read.All",
    )
}


def options(words: tuple[str, ...]) -> dict[str, str]:
    """Return the options of a command line; a flag without a value is empty."""
    found: dict[str, str] = {}
    for number, word in enumerate(words):
        if word.startswith("--"):
            following = words[number + 1] if number + 1 < len(words) else "--"
            found[word] = "" if following.startswith("--") else following
    return found


@dataclass
class FakeAzure:
    """A subscription, its directory, and Azure DevOps behind the same login."""

    groups: set[str] = field(default_factory=set)
    identities: dict[str, dict[str, Any]] = field(default_factory=dict)
    credentials: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """Identity to name to issuer and subject."""
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    built_in: set[str] = field(default_factory=lambda: {*ASSIGNED_ROLES, "Owner", "User Access Administrator"})
    assignments: list[dict[str, str]] = field(default_factory=list)
    permissions: dict[str, set[str]] = field(default_factory=dict)
    registries: list[str] = field(default_factory=list)
    connections: list[dict[str, Any]] = field(default_factory=list)
    lines: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def writes(self) -> list[tuple[str, ...]]:
        """Everything asked that changes something."""
        return [
            words
            for words in self.lines
            if {"create", "update", "delete"} & set(words[:4]) or {"POST", "DELETE", "PATCH"} & set(words)
        ]

    def roles(self, identity: str) -> set[tuple[str, str]]:
        """Return roles and scopes of an identity."""
        principal = self.identities[identity]["principalId"]
        return {
            (item["roleDefinitionName"], item["scope"]) for item in self.assignments if item["principalId"] == principal
        }

    def granted(self, identity: str) -> set[str]:
        """Return the permissions of an identity in the directory."""
        names = {value: name for name, value in APP_ROLES.items()}
        return {names[role] for role in self.permissions.get(self.identities[identity]["principalId"], set())}

    def ask_list(self, *words: str) -> list[Any]:  # noqa: PLR0911 - one question each
        self.lines.append(words)
        given = options(words)
        match words[:2]:
            case ("group", "list"):
                return [{"name": name} for name in self.groups]
            case ("identity", "list"):
                return list(self.identities.values())
            case ("identity", "federated-credential"):
                found = self.credentials.get(given["--identity-name"], {})
                return [{"name": name, "issuer": of[0], "subject": of[1]} for name, of in found.items()]
            case ("role", "definition"):
                if "--name" not in given:
                    return [{"roleName": name, "name": f"id-of-{name}"} for name in self.built_in]
                definition = self.definitions.get(given["--name"])
                if definition is None:
                    return []
                rights = {"actions": definition["Actions"], "dataActions": definition["DataActions"]}
                name = definition["Name"]
                return [{"roleName": name, "name": f"id-of-{name}", "permissions": [rights]}]
            case ("role", "assignment"):
                return self.assignments
            case ("resource", "list"):
                return [{"name": name} for name in self.registries]
        raise AssertionError(words)

    def ask(self, *words: str) -> dict[str, Any]:
        self.lines.append(words)
        given = options(words)
        match words[:3]:
            case ("ad", "app", "federated-credential"):
                return {"items": []}
            case ("group", "create", _):
                self.groups.add(given["--name"])
            case ("identity", "create", _):
                assert given["--resource-group"] in self.groups
                name = given["--name"]
                self.identities[name] = {
                    "name": name,
                    "resourceGroup": given["--resource-group"],
                    "clientId": f"client-of-{name}",
                    "principalId": f"object-of-{name}",
                }
                return self.identities[name]
            case ("identity", "federated-credential", "create"):
                assert given["--audiences"] == "api://AzureADTokenExchange"
                assert given["--identity-name"] in self.identities
                found = self.credentials.setdefault(given["--identity-name"], {})
                found[given["--name"]] = (given["--issuer"], given["--subject"])
            case ("role", "definition", _):
                definition = json.loads(given["--role-definition"])
                assert (words[2] == "update") == (definition["Name"] in self.definitions)
                self.definitions[definition["Name"]] = definition
            case ("role", "assignment", "create"):
                own = given["--role"] in self.definitions or "pipeline" not in given["--role"]
                assert own, "the role is not there yet"
                self.assignments.append(
                    {
                        "id": f"assignment-{len(self.lines)}",
                        "principalId": given["--assignee-object-id"],
                        "roleDefinitionName": given["--role"],
                        "scope": given["--scope"],
                        **({"condition": given["--condition"]} if "--condition" in given else {}),
                    }
                )
            case ("rest", "--method", method):
                return self._rest(method, given)
            case _:
                raise AssertionError(words)
        return {}

    def tell(self, *words: str) -> str:
        self.lines.append(words)
        given = options(words)
        match words[:3]:
            case ("role", "assignment", "delete"):
                self.assignments = [item for item in self.assignments if item["id"] != given["--ids"]]
            case ("role", "definition", "delete"):
                del self.definitions[given["--name"]]
            case ("identity", "delete", _):
                del self.identities[given["--name"]]
                self.credentials.pop(given["--name"], None)
            case ("identity", "federated-credential", "delete"):
                del self.credentials[given["--identity-name"]][given["--name"]]
            case ("group", "delete", _):
                self.groups.remove(given["--name"])
            case ("rest", "--method", "DELETE"):
                gone = urlsplit(given["--url"]).path.rsplit("/", 1)[1]
                self.connections = [item for item in self.connections if item["id"] != gone]
            case _:
                raise AssertionError(words)
        return ""

    def _rest(self, method: str, given: dict[str, str]) -> dict[str, Any]:
        url = urlsplit(given["--url"])
        if url.hostname == "graph.microsoft.com":
            return self._graph(method, url.path, given)
        assert given["--resource"] == "499b84ac-1321-427f-aa17-267ca6975798"
        if method == "GET" and "/_apis/projects/" in url.path:
            return {"id": "project-id", "name": unquote(url.path.rsplit("/", 1)[1])}
        if method == "GET":
            asked = parse_qs(url.query)["endpointNames"][0].split(",")
            return {"value": [item for item in self.connections if item["name"] in asked]}
        made = json.loads(given["--body"])
        number = f"00000000-0000-0000-0000-{len(self.connections) + 1:012}"
        made["id"] = number
        made["authorization"]["parameters"] |= {
            "workloadIdentityFederationIssuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "workloadIdentityFederationSubject": f"/eid1/c/pub/t/t/a/a/sc/org/{number}",
        }
        self.connections.append(made)
        return dict(made)

    def _graph(self, method: str, path: str, given: dict[str, str]) -> dict[str, Any]:
        if "appId='00000003-0000-0000-c000-000000000000'" in path:
            return {"id": GRAPH, "appRoles": [{"value": name, "id": role} for name, role in APP_ROLES.items()]}
        principal = path.split("/")[3]
        if method == "GET":
            held = self.permissions.get(principal, set())
            return {"value": [{"appRoleId": role, "resourceId": GRAPH} for role in held]}
        body = json.loads(given["--body"])
        assert (body["principalId"], body["resourceId"]) == (principal, GRAPH)
        self.permissions.setdefault(principal, set()).add(body["appRoleId"])
        return {}


@dataclass
class FakeGithub:
    """One repository."""

    subject: dict[str, Any] = field(default_factory=lambda: {"use_default": True})
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    branches: dict[str, list[str]] = field(default_factory=dict)
    writes: list[tuple[str, str]] = field(default_factory=list)

    def ask(self, path: str, *, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        if method != "GET":
            self.writes.append((method, path))
        path = path.partition("?")[0]
        if path.startswith("users/"):
            return {"id": 1000 + len(path)}
        assert path.startswith("repos/o/r")
        parts = path.split("/")[3:]
        match parts:
            case []:
                return {"default_branch": "main"}
            case ["actions", "oidc", "customization", "sub"]:
                return self.subject
            case ["environments", name]:
                return self._environment(name, method, body)
            case ["environments", name, "deployment-branch-policies"]:
                assert body
                self.branches.setdefault(name, []).append(body["name"])
            case ["environments", name, "variables", *key]:
                return self._variables(name, key, method, body)
            case _:
                raise AssertionError(path)
        return {}

    def _environment(self, name: str, method: str, body: dict[str, Any] | None) -> dict[str, Any]:
        if method == "PUT":
            assert body is not None
            people = body.get("reviewers")
            rules = [{"type": "required_reviewers", "reviewers": people}] if people else []
            self.environments[name] = {"name": name, "protection_rules": rules} | body
        if name not in self.environments:
            error = GithubError("gh: Not Found (HTTP 404)")
            error.missing = True
            raise error
        return self.environments[name]

    def _variables(self, name: str, key: list[str], method: str, body: dict[str, Any] | None) -> dict[str, Any]:
        values = self.variables.setdefault(name, {})
        if method == "GET":
            return {"variables": [{"name": one, "value": value} for one, value in values.items()]}
        if method == "DELETE":
            del values[key[0]]
            return {}
        assert body
        assert (method == "PATCH") == (body["name"] in values)
        values[body["name"]] = body["value"]
        return {}


@dataclass
class FakeGitlab:
    """One project."""

    project: dict[str, Any] = field(
        default_factory=lambda: {"ci_id_token_sub_claim_components": ["project_path", "ref_type", "ref"]}
    )
    variables: dict[tuple[str, str], str] = field(default_factory=dict)
    writes: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def get(self, url: str, *, headers: dict[str, str]) -> Answer:
        self.tokens.add(headers["PRIVATE-TOKEN"])
        path = self._path(url)
        if not path:
            return self._answer(self.project)
        assert path == "/variables"
        listed = [
            {"key": key, "environment_scope": scope, "value": value} for (key, scope), value in self.variables.items()
        ]
        return self._answer(listed)

    def send(self, url: str, content: Any, *, method: str, headers: dict[str, str]) -> Answer:
        self.tokens.add(headers["PRIVATE-TOKEN"])
        path = self._path(url)
        self.writes.append((method, path))
        if not path:
            self.project |= content
        elif method == "POST":
            self.variables[content["key"], content["environment_scope"]] = content["value"]
        else:
            match = re.search(r"filter\[environment_scope\]=([^&]+)", url)
            assert match
            where = (path.rsplit("/", 1)[1], unquote(match[1]))
            if method == "DELETE":
                del self.variables[where]
            else:
                self.variables[where] = content["value"]
        return self._answer({})

    @staticmethod
    def _path(url: str) -> str:
        prefix = "https://git.example.com/api/v4/projects/g%2Fp"
        assert url.startswith(prefix)
        return url.removeprefix(prefix).partition("?")[0]

    @staticmethod
    def _answer(content: Any) -> Answer:
        return Answer(200, "", json.dumps(content).encode(), {})
