"""One registry: manifests, blobs, tags."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import IO
from urllib.parse import quote, urljoin

from scripts.images.errors import NotFoundError, RegistryError, UnauthorizedError

from .authentication import Authentication
from .credentials import Login, find_login
from .manifests import ACCEPT, Descriptor, Manifest
from .references import DIGEST, api_host, is_loopback
from .transport import Answer, Origin, Readable, Transport

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PAGE = 500


class Registry:
    """Client of the registry `name`; safe for threads. Every method raises RegistryError."""

    def __init__(self, name: str, login: Login | None = None, transport: Transport | None = None) -> None:
        self.name = name
        self.login = login
        self._base = f"{'http' if is_loopback(name) else 'https'}://{api_host(name)}"
        self._transport = transport or Transport()
        self._authentication = Authentication(name, login, self._transport)

    @classmethod
    def connect(cls, name: str) -> "Registry":
        """Return a client with the login that this machine has for the registry, if any."""
        return cls(name, find_login(name))

    def digest(self, repository: str, selector: str) -> str | None:
        """Return the digest behind a tag or digest, or None when the registry does not hold it."""
        answer = self._request("HEAD", repository, f"manifests/{selector}", headers={"Accept": ACCEPT})
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        self._expect(answer, f"{repository}:{selector}", HTTPStatus.OK)
        found = answer.headers.get("Docker-Content-Digest")
        return found if found and DIGEST.fullmatch(found) else self.manifest(repository, selector).digest

    def manifest(self, repository: str, selector: str) -> Manifest:
        """Return a manifest. Raises NotFoundError, or RegistryError when it is not what its digest says."""
        answer = self._request("GET", repository, f"manifests/{selector}", headers={"Accept": ACCEPT})
        self._expect(answer, f"{repository}:{selector}", HTTPStatus.OK)
        media_type = (answer.headers.get("Content-Type") or "").partition(";")[0]
        manifest = Manifest(media_type, answer.body)
        if DIGEST.fullmatch(selector) and manifest.digest != selector:
            raise RegistryError(f"registry {self.name} answers {repository}@{selector} with another content")
        return manifest

    def put_manifest(self, repository: str, selector: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest."""
        headers = {"Content-Type": manifest.media_type}
        answer = self._request(
            "PUT", repository, f"manifests/{selector}", headers=headers, body=manifest.body, push=True
        )
        self._expect(answer, f"{repository}:{selector}", HTTPStatus.CREATED)

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Delete a manifest and every tag that names it."""
        answer = self._request("DELETE", repository, f"manifests/{digest}", push=True, action="delete")
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            raise RegistryError(f"registry {self.name} is set up to refuse deletions")
        self._expect(answer, f"{repository}@{digest}", HTTPStatus.ACCEPTED, HTTPStatus.OK, HTTPStatus.NOT_FOUND)

    def tags(self, repository: str) -> list[str]:
        """Return every tag of a repository; none when it does not exist."""
        return list(self._tags(repository))

    def _tags(self, repository: str) -> Iterator[str]:
        last = ""
        while True:
            query = f"?n={_PAGE}" + (f"&last={quote(last)}" if last else "")
            answer = self._request("GET", repository, f"tags/list{query}")
            if answer.status == HTTPStatus.NOT_FOUND:
                return
            self._expect(answer, repository, HTTPStatus.OK)
            page = json.loads(answer.body).get("tags") or []
            yield from page
            if "Link" not in answer.headers or not page or page[-1] == last:
                return
            last = page[-1]

    def has_blob(self, repository: str, digest: str) -> bool:
        """Tell whether the repository holds a blob."""
        answer = self._request("HEAD", repository, f"blobs/{digest}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        self._expect(answer, f"{repository}@{digest}", HTTPStatus.OK)
        return True

    def blob(self, repository: str, digest: str) -> IO[bytes]:
        """Return a blob as a stream, which the caller closes."""
        answer = self._request("GET", repository, f"blobs/{digest}", stream=True)
        self._expect(answer, f"{repository}@{digest}", HTTPStatus.OK)
        assert answer.stream is not None
        return answer.stream

    def put_blob(self, repository: str, blob: Descriptor, content: Readable) -> None:
        """Store a blob in one piece; the registry checks its digest."""
        started = self._request("POST", repository, "blobs/uploads/", push=True)
        self._expect(started, repository, HTTPStatus.ACCEPTED)
        location = urljoin(f"{self._base}/", started.headers.get("Location", ""))
        url = f"{location}{'&' if '?' in location else '?'}digest={quote(blob.digest)}"
        headers = {"Content-Length": str(blob.size_bytes), "Content-Type": "application/octet-stream"}
        if Origin.of(url) == Origin.of(self._base):
            headers |= self._authentication.header(_scope(repository, push=True))
        answer = self._transport.send("PUT", url, headers, body=content)
        self._expect(answer, f"{repository}@{blob.digest}", HTTPStatus.CREATED)

    def _request(
        self,
        method: str,
        repository: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        push: bool = False,
        stream: bool = False,
        action: str = "",
    ) -> Answer:
        url = f"{self._base}/v2/{repository}/{path}"
        scope = _scope(repository, push=push, action=action)
        sent = {"Content-Length": "0"} if method == "POST" and body is None else {}
        sent |= headers or {}
        authorization = self._authentication.header(scope)
        answer = self._transport.send(method, url, sent | authorization, body=body, stream=stream)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            challenge = answer.headers.get("WWW-Authenticate", "")
            granted = self._authentication.answer(challenge, scope, authorization.get("Authorization"))
            answer = self._transport.send(method, url, sent | granted, body=body, stream=stream)
        while answer.status in _REDIRECTS and method in {"GET", "HEAD"}:
            # To a blob store, whose URL carries its own signature; the registry's login is not for it.
            url = urljoin(url, answer.headers.get("Location", ""))
            answer = self._transport.send(method, url, sent, stream=stream)
        return answer

    def _expect(self, answer: Answer, what: str, *statuses: HTTPStatus) -> None:
        if answer.status in statuses:
            return
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            login = "the login" if answer.status == HTTPStatus.UNAUTHORIZED else f"this login for {what}"
            raise UnauthorizedError(self.name, login if self.login else f"{what} without a login")
        if answer.status == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"registry {self.name} does not hold {what}")
        raise RegistryError(f"registry {self.name} answers {what} with status {answer.status}{_detail(answer.body)}")


def _scope(repository: str, *, push: bool, action: str = "") -> str:
    return f"repository:{repository}:{action or ('pull,push' if push else 'pull')}"


def _detail(body: bytes) -> str:
    """Return the registry's own words, where it has some."""
    try:
        errors = json.loads(body)["errors"]
        return f": {errors[0]['code']} {errors[0].get('message', '')}".rstrip()
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
