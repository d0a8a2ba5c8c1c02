"""A registry in this process that speaks the OCI distribution protocol over HTTP, and can be made to misbehave."""

import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.web_servers import QuietHandler, served

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
PAGE = 3
"""Tags in one answer, few, so that paging is met."""


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class OciRegistry:
    """Blobs and manifests in memory. `requests` lists every request as `METHOD path`."""

    def __init__(self, login: tuple[str, str] | None = None, *, bearer: bool = False, redirect: bool = False) -> None:
        self.login, self.bearer, self.redirect = login, bearer, redirect
        self.blobs: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.manifests: dict[str, dict[str, tuple[str, bytes]]] = defaultdict(dict)
        self.tags: dict[str, dict[str, str]] = defaultdict(dict)
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.fault: Callable[[str], int | None] = lambda _request: None
        """Answers a request with this status instead; -1 breaks the connection off."""
        self.name = ""

    def add(self, repository: str, tag: str, *layers: bytes, created: str = "2026-01-01T00:00:00Z") -> str:
        """Store an image and return its digest."""
        config = json.dumps({"os": "linux", "architecture": "amd64", "created": created}).encode()
        entries = [self._store(repository, "application/vnd.oci.image.layer.v1.tar", layer) for layer in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._store(repository, "application/vnd.oci.image.config.v1+json", config),
            "layers": entries,
        }
        return self.put(repository, tag, MANIFEST, json.dumps(manifest).encode())

    def add_chart(self, repository: str, tag: str, archive: bytes) -> str:
        """Store a packaged chart, as `helm push` does, and return its digest."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._store(repository, "application/vnd.cncf.helm.config.v1+json", b"{}"),
            "layers": [self._store(repository, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)],
        }
        return self.put(repository, tag, MANIFEST, json.dumps(manifest).encode())

    def add_index(self, repository: str, tag: str, children: dict[str, str]) -> str:
        """Store an index of platform to digest and return its digest."""
        entries = [
            {
                "digest": digest,
                "size": len(self.manifests[repository][digest][1]),
                "mediaType": MANIFEST,
                "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
            }
            for platform, digest in children.items()
        ]
        return self.put(repository, tag, INDEX, json.dumps({"schemaVersion": 2, "manifests": entries}).encode())

    def put(self, repository: str, selector: str, media_type: str, body: bytes) -> str:
        digest = digest_of(body)
        self.manifests[repository][digest] = (media_type, body)
        if not selector.startswith("sha256:"):
            self.tags[repository][selector] = digest
        return digest

    def _store(self, repository: str, media_type: str, content: bytes) -> dict[str, Any]:
        digest = digest_of(content)
        self.blobs[repository][digest] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def uploads(self) -> list[str]:
        return [request for request in self.requests if request.startswith("PUT") and "/blobs/" in request]

    @contextmanager
    def serving(self) -> Iterator["OciRegistry"]:
        with served(type("Handler", (_Handler,), {"store": self})) as self.name:
            yield self


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    store: OciRegistry

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def _allowed(self) -> bool:
        store = self.store
        if store.login is None:
            return True
        basic = "Basic " + base64.b64encode(":".join(store.login).encode()).decode()
        sent = self.headers.get("Authorization", "")
        url = f"http://{store.name}"
        if self.path.startswith("/token"):
            scope = parse_qs(urlsplit(self.path).query).get("scope", [""])[0]
            token = json.dumps({"token": f"granted {scope}"}).encode()
            self._answer(200, token) if sent == basic else self._answer(401)
            return False
        if self.path.startswith("/storage") or (
            sent.startswith("Bearer granted repository:") if store.bearer else sent == basic
        ):
            return True
        repository = self.path.removeprefix("/v2/").partition("/manifests/")[0].partition("/blobs/")[0]
        repository = repository.partition("/tags/")[0]
        actions = "pull" if self.command in {"GET", "HEAD"} else "pull,push"
        challenge = f'Bearer realm="{url}/token",service="test",scope="repository:{repository}:{actions}"'
        self._answer(401, WWW_Authenticate=challenge if store.bearer else 'Basic realm="test"')
        return False

    def _serve(self) -> None:
        store, body = self.store, self.body()
        store.requests.append(f"{self.command} {self.path}")
        store.headers.append(dict(self.headers))
        status = store.fault(store.requests[-1])
        if status == -1:
            self.close_connection = True
            return
        if status is not None:
            self._answer(status)
            return
        if not self._allowed():
            return
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        match = re.fullmatch(r"/(?:v2|storage)/(.+?)/(manifests|blobs|tags)/(.+?)/?", path)
        if match is None:
            self._answer(404)
            return
        repository, kind, rest = match.groups()
        getattr(self, f"_{kind}")(repository, rest, query, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _manifests(self, repository: str, selector: str, _query: dict[str, list[str]], body: bytes) -> None:
        store = self.store
        if self.command == "PUT":
            digest = store.put(repository, selector, self.headers["Content-Type"], body)
            self._answer(201, Docker_Content_Digest=digest)
            return
        digest = store.tags[repository].get(selector, selector)
        if digest not in store.manifests[repository]:
            self._answer(404)
        elif self.command == "DELETE":
            del store.manifests[repository][digest]
            store.tags[repository] = {tag: other for tag, other in store.tags[repository].items() if other != digest}
            self._answer(202)
        else:
            media_type, content = store.manifests[repository][digest]
            self._answer(200, content, Content_Type=media_type, Docker_Content_Digest=digest)

    def _blobs(self, repository: str, rest: str, query: dict[str, list[str]], body: bytes) -> None:
        store = self.store
        if self.command == "POST":
            self._answer(202, Location=f"/v2/{repository}/blobs/uploads/one?state=abc")
        elif self.command == "PUT":
            digest = query["digest"][0]
            if digest_of(body) != digest:
                self._answer(400, json.dumps({"errors": [{"code": "DIGEST_INVALID", "message": "no match"}]}).encode())
                return
            store.blobs[repository][digest] = body
            self._answer(201)
        elif rest not in store.blobs[repository]:
            self._answer(404)
        elif store.redirect and self.command == "GET" and not self.path.startswith("/storage"):
            self._answer(
                307, Location=f"http://localhost:{store.name.partition(':')[2]}/storage/{repository}/blobs/{rest}"
            )
        else:
            self._answer(200, store.blobs[repository][rest])

    def _tags(self, repository: str, _rest: str, query: dict[str, list[str]], _body: bytes) -> None:
        tags = sorted(self.store.tags[repository])
        if not tags:
            self._answer(404)
            return
        after = [tag for tag in tags if tag > query.get("last", [""])[0]]
        page = json.dumps({"name": repository, "tags": after[:PAGE]}).encode()
        self._answer(200, page, **({"Link": '</next>; rel="next"'} if len(after) > PAGE else {}))
