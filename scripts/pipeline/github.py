"""GitHub Actions: the environments whose jobs log in, their variables, and what their tokens say."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

from .azure import AzureIdentities
from .identities import Purpose, environments_of
from .place import Credential
from .steps import Step

ISSUER = "https://token.actions.githubusercontent.com"
_TIMEOUT_S = 60
_DEFAULT_KEYS = (["repo", "context"], ["repository", "context"])


class GithubError(OperatorError):
    """GitHub refused; the message ends with gh's own words."""

    missing = False
    """Whether the thing asked for is not there."""


def gh(path: str, *, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
    """Return what GitHub's API answers, asked through the user's own `gh`. Raises GithubError."""
    command = ["gh", "api", path, "--method", method, *(["--input", "-"] if body is not None else [])]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            input=json.dumps(body) if body is not None else "",
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise GithubError(
            "`gh` is not installed", "install GitHub's CLI, then `gh auth login`", ExitCode.NOT_READY
        ) from None
    except subprocess.TimeoutExpired:
        raise GithubError(f"gh gave no answer in {_TIMEOUT_S} s", "check the network", ExitCode.NOT_READY) from None
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "no message")
        error = GithubError(f"gh api {path} failed: {said}", "`gh auth status` shows the login and its scopes")
        error.missing = "HTTP 404" in done.stderr
        raise error
    return json.loads(done.stdout) if done.stdout.strip() else {}


@dataclass
class GitHub:
    """One repository."""

    repository: str
    """`OWNER/NAME`."""
    environment: str
    reviewers: Sequence[str] = ()
    """Logins of people who have to approve plans of pull requests, and deployments."""
    ask: Callable[..., Any] = gh
    unreviewed: list[str] = field(default_factory=list)
    """Environments that ask nobody."""

    def environments(self) -> dict[Purpose, str]:
        """Return the name of each purpose's GitHub environment."""
        return environments_of(self.environment)

    def credentials(self) -> dict[Purpose, tuple[Credential, ...]]:
        """Return what the tokens of each environment's jobs say. Raises OperatorError.

        Repositories created, renamed or moved after 15 July 2026 put ids into the subject, and any may be opted in:
        only GitHub knows (https://docs.github.com/actions/reference/security/oidc#immutable-subject-claims).
        """
        prefix = self._prefix()
        return {
            purpose: (Credential(f"github-{name}", ISSUER, f"{prefix}:environment:{name}"),)
            for purpose, name in self.environments().items()
        }

    def _prefix(self) -> str:
        found = self.ask(f"repos/{self.repository}/actions/oidc/customization/sub")
        keys = found.get("include_claim_keys")
        if not found.get("use_default", True) and keys and keys not in _DEFAULT_KEYS:
            raise OperatorError(
                f"{self.repository} puts {', '.join(keys)} into the subject of its tokens, so that nobody can tell it"
                " beforehand",
                f"gh api --method PUT repos/{self.repository}/actions/oidc/customization/sub --field use_default=true",
                ExitCode.REFUSED,
            )
        return str(found.get("sub_claim_prefix") or f"repo:{self.repository}")

    def steps(self, azure: AzureIdentities, tenant_id: str) -> Iterator[Step]:
        """Yield the environments, rules and variables that are missing or differ. Raises OperatorError."""
        branch = str(self.ask(f"repos/{self.repository}")["default_branch"])
        self.unreviewed.clear()
        for purpose, name in self.environments().items():
            found = self._environment(name)
            if purpose not in azure.purposes:
                continue
            # Nobody approves what runs by itself.
            reviewed = purpose not in (Purpose.IMAGES, Purpose.BACKUP, Purpose.OFF_HOURS)
            if found is None:
                asked = f", which asks {', '.join(self.reviewers)}" if reviewed and self.reviewers else ""
                limited = "" if purpose is Purpose.PLAN else f" for {branch} only"
                act = partial(self._create, name, branch if limited else None, reviewed=reviewed)
                yield Step(f"create environment {name} in {self.repository}{limited}{asked}", act)
            if reviewed and not (_asks(found) or (found is None and self.reviewers)):
                self.unreviewed.append(name)
            yield from self._variables(name, purpose, azure, tenant_id, there=found is not None)

    def removal(self) -> Iterator[Step]:
        """Yield what takes the login away from the environments, which stay with their rules. Raises OperatorError."""
        for name in self.environments().values():
            if self._environment(name) is not None and "AZURE_CLIENT_ID" in self._values(name):
                path = f"repos/{self.repository}/environments/{name}/variables/AZURE_CLIENT_ID"
                yield Step(f"remove AZURE_CLIENT_ID of environment {name}", partial(self.ask, path, method="DELETE"))

    def _environment(self, name: str) -> dict[str, Any] | None:
        try:
            return dict(self.ask(f"repos/{self.repository}/environments/{name}"))
        except GithubError as error:
            if error.missing:
                return None
            raise

    def _create(self, name: str, branch: str | None, *, reviewed: bool) -> None:
        people = [{"type": "User", "id": self.ask(f"users/{login}")["id"]} for login in self.reviewers]
        policy = {"protected_branches": False, "custom_branch_policies": True} if branch else None
        path = f"repos/{self.repository}/environments/{name}"
        body = {"deployment_branch_policy": policy} | ({"reviewers": people} if reviewed and people else {})
        self.ask(path, method="PUT", body=body)
        if branch:
            self.ask(f"{path}/deployment-branch-policies", method="POST", body={"name": branch})

    def _values(self, name: str) -> dict[str, str]:
        found = self.ask(f"repos/{self.repository}/environments/{name}/variables?per_page=30")
        return {item["name"]: item["value"] for item in found["variables"]}

    def _variables(
        self, name: str, purpose: Purpose, azure: AzureIdentities, tenant_id: str, *, there: bool
    ) -> Iterator[Step]:
        values = self._values(name) if there else {}
        known = azure.principals.get(purpose)
        desired: dict[str, Callable[[], str]] = {
            "AZURE_CLIENT_ID": lambda: azure.principals[purpose].client_id,
            "AZURE_TENANT_ID": lambda: tenant_id,
            "AZURE_SUBSCRIPTION_ID": lambda: azure.place.names.subscription_id,
        }
        for key, value in desired.items():
            same = (key != "AZURE_CLIENT_ID" or known) and values.get(key) == value()
            if not same:
                act = partial(self._set, name, key, value, there=key in values)
                yield Step(f"set {key} of environment {name}", act)

    def _set(self, name: str, key: str, value: Callable[[], str], *, there: bool) -> None:
        path = f"repos/{self.repository}/environments/{name}/variables"
        body = {"name": key, "value": value()}
        self.ask(f"{path}/{key}" if there else path, method="PATCH" if there else "POST", body=body)


def _asks(found: Mapping[str, Any] | None) -> bool:
    rules = (found or {}).get("protection_rules") or []
    return any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in rules)
