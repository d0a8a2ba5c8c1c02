"""GitLab: what the ID tokens of a project's jobs say, and the variables of its environments."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.http import Answer, NoAnswerError, get, send_json

from .azure import AzureIdentities
from .identities import Purpose, environments_of
from .place import Credential
from .steps import Step

TOKEN = "GITLAB_TOKEN"  # noqa: S105 - the variable's name
COMPONENTS = ["project_path", "ref_protected"]
"""What the subject is made of: whether the branch is protected, and so who may push to it, decides about the identity.

GitLab's own choice names the branch; Entra compares a subject as a whole, so that no merge request's branch could plan.
`ref_protected` needs GitLab 18.7 (https://docs.gitlab.com/api/projects/#edit-a-project).
"""


@dataclass
class GitLab:
    """One project."""

    project: str
    """Path with its groups."""
    environment: str
    url: str = "https://gitlab.com"
    get: Callable[..., Answer] = get
    send: Callable[..., Answer] = send_json
    variables: Mapping[str, str] | None = None
    """Of this process; its own where left out."""

    def environments(self) -> dict[Purpose, str]:
        """Return the scope of each purpose's variables: the environment that its jobs name."""
        return environments_of(self.environment)

    def credentials(self) -> dict[Purpose, tuple[Credential, ...]]:
        """Return what the tokens of jobs on protected and on other branches say."""
        protected, open_ = (
            Credential(f"gitlab-{name}", self.url, f"project_path:{self.project}:ref_protected:{value}")
            for name, value in (("protected", "true"), ("other-branches", "false"))
        )
        return {purpose: (protected, open_) if purpose is Purpose.PLAN else (protected,) for purpose in Purpose}

    def steps(self, azure: AzureIdentities, tenant_id: str) -> Iterator[Step]:
        """Yield settings and variables that are missing or differ. Raises OperatorError."""
        project = self._ask("")
        if project.get("ci_id_token_sub_claim_components") != COMPONENTS:
            body = {"ci_id_token_sub_claim_components": COMPONENTS}
            yield Step(
                f"let the subject of {self.project}'s ID tokens be {', '.join(COMPONENTS)}",
                partial(self._write, "PUT", "", body),
            )
        values = self._values()
        for purpose, scope in self.environments().items():
            if purpose not in azure.purposes:
                continue
            known = azure.principals.get(purpose)
            desired: dict[str, Callable[[], str]] = {
                "ARM_CLIENT_ID": partial(_client_id, azure, purpose),
                "ARM_TENANT_ID": partial(str, tenant_id),
                "ARM_SUBSCRIPTION_ID": partial(str, azure.place.names.subscription_id),
            }
            for key, value in desired.items():
                if (key != "ARM_CLIENT_ID" or known) and values.get((key, scope)) == value():
                    continue
                act = partial(self._set, key, scope, value, there=(key, scope) in values)
                yield Step(f"set {key} of {self.project} for environment {scope}", act)

    def removal(self) -> Iterator[Step]:
        """Yield what removes the client ids. The subject's form stays, as others may rely on it.

        Raises OperatorError.
        """
        values = self._values()
        for scope in self.environments().values():
            if ("ARM_CLIENT_ID", scope) in values:
                path = f"/variables/ARM_CLIENT_ID?{_scoped(scope)}"
                yield Step(f"remove ARM_CLIENT_ID for environment {scope}", partial(self._write, "DELETE", path, None))

    def _set(self, key: str, scope: str, value: Callable[[], str], *, there: bool) -> None:
        if there:
            self._write("PUT", f"/variables/{key}?{_scoped(scope)}", {"value": value()})
        else:
            self._write("POST", "/variables", {"key": key, "value": value(), "environment_scope": scope})

    def _values(self) -> dict[tuple[str, str], str]:
        found = self._ask("/variables?per_page=100")
        return {(item["key"], item["environment_scope"]): item["value"] for item in found}

    def _ask(self, path: str) -> Any:
        return self._answer(lambda: self.get(self._path(path), headers=self._headers()))

    def _write(self, method: str, path: str, body: Any) -> None:
        self._answer(lambda: self.send(self._path(path), body, method=method, headers=self._headers()))

    def _path(self, path: str) -> str:
        return f"{self.url}/api/v4/projects/{quote(self.project, safe='')}{path}"

    def _headers(self) -> dict[str, str]:
        token = (os.environ if self.variables is None else self.variables).get(TOKEN)
        if not token:
            raise OperatorError(
                f"{TOKEN} is not set",
                f"give it a token of a maintainer of {self.project}, scope api",
                ExitCode.NOT_READY,
            )
        return {"PRIVATE-TOKEN": token}

    def _answer(self, request: Callable[[], Answer]) -> Any:
        try:
            found = request()
        except NoAnswerError as error:
            raise OperatorError(f"{self.url} does not answer: {error}", "check --url", ExitCode.NOT_READY) from None
        if found.status >= HTTPStatus.MULTIPLE_CHOICES:
            said = found.body.decode(errors="replace")[:200]
            raise OperatorError(
                f"{self.url} answers {found.status} for {self.project}: {said}",
                f"check the project's path; the token in {TOKEN} needs the role Maintainer and scope api",
            )
        return json.loads(found.body) if found.body.strip() else {}


def _scoped(scope: str) -> str:
    return f"filter[environment_scope]={quote(scope, safe='')}"


def _client_id(azure: AzureIdentities, purpose: Purpose) -> str:
    return azure.principals[purpose].client_id
