"""Entra as an application sees it: v2 endpoints by HTTPS, PKCE, federated assertions, app roles, groups and overage."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.web_servers import QuietHandler, certificate_for, served

from .entra_server import Entra as Signer
from .entra_server import new_key, s256

LOGIN, GRAPH = "login.microsoftonline.com", "graph.microsoft.com"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_GROUPS = 200
"""In a JSON web token; beyond it a token says where to ask (learn.microsoft.com/entra/identity-platform)."""


@dataclass
class Person:
    """Somebody with an account in the tenant."""

    name: str
    object_id: str
    roles: list[str] = field(default_factory=list)
    """App roles by assignment, straight or through a group."""
    groups: list[str] = field(default_factory=list)
    told: bool = True
    """Whether a token names the groups, as far as it has room."""

    @property
    def address(self) -> str:
        """Name to log in with."""
        return f"{self.name.lower()}@example.com"


@dataclass
class EntraProvider:
    """A tenant with one application, which is known by its federated credential alone."""

    tenant: str
    client: str
    assertion: str
    """What the pod's service account proves itself with."""
    signer: Signer
    assignment_required: bool = True
    person: Person | None = None
    """Who sits at the browser and is logged in already."""
    codes: dict[str, tuple[Person, dict[str, str]]] = field(default_factory=dict)
    renewals: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, tuple[Person, set[str]]] = field(default_factory=dict)
    """Access tokens of Microsoft Graph with the permissions in them."""
    graph_status: int = 200
    refusals: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """Address of the tenant."""
        return f"https://{LOGIN}/{self.tenant}"

    def configuration(self) -> dict[str, Any]:
        """Return the discovery document."""
        return {
            "issuer": f"{self.base}/v2.0",
            "authorization_endpoint": f"{self.base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{self.base}/oauth2/v2.0/token",
            "jwks_uri": f"{self.base}/discovery/v2.0/keys",
            "userinfo_endpoint": f"https://{GRAPH}/oidc/userinfo",
            "end_session_endpoint": f"{self.base}/oauth2/v2.0/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where the browser is sent: with a code, or with the reason for none."""
        assert asked["client_id"] == self.client, asked
        assert self.person is not None
        state = {"state": asked["state"]}
        if self.assignment_required and not self.person.roles:
            description = f"AADSTS50105: {self.person.address} is not assigned to a role for the application"
            refusal = {"error": "access_denied", "error_description": description}
            return f"{asked['redirect_uri']}?{urlencode(refusal | state)}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = (self.person, asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code} | state)}"

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer at the token endpoint."""
        if form.get("client_assertion_type") != ASSERTION or form.get("client_assertion") != self.assertion:
            return self._refuse("invalid_client", "AADSTS7000218: the request body must contain client_assertion")
        if "client_secret" in form:
            return self._refuse("invalid_client", "AADSTS7000215: invalid client secret")
        nonce: dict[str, Any] = {}
        scope = form.get("scope", "")
        if form["grant_type"] == "refresh_token":
            person = self.renewals[form["refresh_token"]]
        else:
            person, asked = self.codes.pop(form["code"])
            if s256(form.get("code_verifier", "")) != asked.get("code_challenge"):
                return self._refuse("invalid_grant", "AADSTS501481: the code_verifier does not match")
            if form["redirect_uri"] != asked["redirect_uri"]:
                return self._refuse("invalid_client", "AADSTS500112: the reply address does not match")
            nonce = {"nonce": asked["nonce"]} if "nonce" in asked else {}
            scope = asked["scope"]
        renewal, access = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self.renewals[renewal] = person
        self.tokens[access] = (person, set(scope.split()))
        return 200, {
            "token_type": "Bearer", "scope": scope, "expires_in": 3600,
            "access_token": access, "refresh_token": renewal,
            "id_token": self.signer.token(self.client, **self.claims(person), **nonce),
        }  # fmt: skip

    def check_member_groups(self, authorization: str, ids: list[str]) -> tuple[int, dict[str, Any]]:
        """Answer as Graph does, with the permission User.Read (graph/api/user-checkmembergroups)."""
        person, permissions = self.tokens.get(authorization.removeprefix("Bearer "), (None, set()))
        if person is None:
            return 401, {"error": {"code": "InvalidAuthenticationToken"}}
        if "User.Read" not in permissions:
            return 403, {"error": {"code": "Authorization_RequestDenied"}}
        if self.graph_status != 200 or not 1 <= len(ids) <= 20:
            return 400 if self.graph_status == 200 else self.graph_status, {"error": {"code": "Request_BadRequest"}}
        return 200, {"value": [one for one in ids if one in person.groups]}

    def claims(self, person: Person) -> dict[str, Any]:
        """Return what an id token tells of somebody."""
        told: dict[str, Any] = {
            "sub": f"pairwise-{person.object_id}",
            "oid": person.object_id,
            "tid": self.tenant,
            "ver": "2.0",
            "name": person.name,
            "preferred_username": person.address,
        }
        if person.roles:
            told["roles"] = person.roles
        if not person.told:
            return told
        if len(person.groups) > MOST_GROUPS:
            told["_claim_names"] = {"groups": "src1"}
            where = f"https://{GRAPH}/v1.0/users/{person.object_id}/getMemberObjects"
            told["_claim_sources"] = {"src1": {"endpoint": where}}
        elif person.groups:
            told["groups"] = person.groups
        return told

    def _refuse(self, error: str, description: str) -> tuple[int, dict[str, Any]]:
        self.refusals.append(description)
        return 401, {"error": error, "error_description": description}


@contextmanager
def running_entra(
    folder: Path, address: str, authority: tuple[Path, Path], *, tenant: str, client: str, assertion: str
) -> Iterator[EntraProvider]:
    """Serve the tenant at `address`, with a certificate of `authority`."""
    signer = Signer(f"https://{LOGIN}/{tenant}/v2.0", new_key(folder / "entra.pem"))
    entra = EntraProvider(tenant, client, assertion, signer)

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            entra.asked.append(path)
            if path.endswith("/.well-known/openid-configuration"):
                self.answer_json(200, entra.configuration())
            elif path.endswith("/keys"):
                self.answer_json(200, entra.signer.keys())
            elif path.endswith("/authorize"):
                where = entra.authorize({name: values[0] for name, values in query.items()})
                self.answer(302, b"{}", {"Location": where})
            elif path == "/oidc/userinfo" and entra.person:
                person = entra.person
                self.answer_json(200, {"sub": f"pairwise-{person.object_id}", "name": person.name})
            else:
                self.answer_json(404, {"error": path})

        def do_POST(self) -> None:
            body = self.body().decode()
            entra.asked.append(self.path)
            if self.path == "/v1.0/me/checkMemberGroups":
                ids = json.loads(body)["groupIds"]
                return self.answer_json(*entra.check_member_groups(self.headers["Authorization"], ids))
            form = parse_qs(body)
            return self.answer_json(*entra.exchange({name: values[0] for name, values in form.items()}))

    tls = certificate_for(folder, authority, LOGIN, GRAPH)
    with served(Handler, address, 443, tls=tls):
        yield entra


def new_person(name: str, **more: Any) -> Person:
    """Return somebody with an object id of this moment."""
    return Person(name, f"{int(time.time() * 1000):08x}-0000-4000-8000-{abs(hash(name)) % 10**12:012d}", **more)
