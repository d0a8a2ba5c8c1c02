"""One registry: manifests, blobs, tags."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from urllib.parse import quote, urljoin

import httpx

from scripts.images.errors import NotFoundError, RegistryError, UnauthorizedError

from .authentication import Authentication, ScopedAuth
from .credentials import Login, find_login
from .manifests import ACCEPT, Descriptor, Manifest
from .references import DIGEST, api_host, is_loopback
from .transport import Transport, reaching

_PAGE = 500


class Registry:
    """Client of the registry `name`; safe for threads. Every method raises RegistryError."""

    def __init__(self, name: str, login: Login | None = None, *, pause: Callable[[float], object] = time.sleep) -> None:
        self.name = name
        self.login = login
        host = api_host(name)
        self._base = f"{'http' if is_loopback(name) else 'https'}://{host}"
        self._transport = Transport(self._base, pause)
        self._authentication = Authentication(name, host, login)

    @classmethod
    def connect(cls, name: str) -> "Registry":
        """Return a client with the login that this machine has for the registry, if any."""
        return cls(name, find_login(name))

    def digest(self, repository: str, selector: str) -> str | None:
        """Return the digest behind a tag or digest, or None when the registry does not hold it.

        Where the registry names no digest it comes from the manifest itself, which may be gone by then.
        """
        answer = self._request("HEAD", repository, f"manifests/{selector}", headers={"Accept": ACCEPT})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        self._expect(answer, f"{repository}:{selector}", HTTPStatus.OK)
        found: str | None = answer.headers.get("Docker-Content-Digest")
        if found and DIGEST.fullmatch(found):
            return found
        try:
            return self.manifest(repository, selector).digest
        except NotFoundError:
            return None

    def manifest(self, repository: str, selector: str) -> Manifest:
        """Return a manifest. Raises NotFoundError, or RegistryError when it is not what its digest says."""
        answer = self._request("GET", repository, f"manifests/{selector}", headers={"Accept": ACCEPT})
        self._expect(answer, f"{repository}:{selector}", HTTPStatus.OK)
        media_type = (answer.headers.get("Content-Type") or "").partition(";")[0]
        manifest = Manifest(media_type, answer.content)
        if DIGEST.fullmatch(selector) and manifest.digest != selector:
            raise RegistryError(f"registry {self.name} answers {repository}@{selector} with another content")
        return manifest

    def put_manifest(self, repository: str, selector: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest."""
        headers = {"Content-Type": manifest.media_type}
        answer = self._request(
            "PUT", repository, f"manifests/{selector}", headers=headers, content=manifest.body, push=True
        )
        self._expect(answer, f"{repository}:{selector}", HTTPStatus.CREATED)

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Delete a manifest and every tag that names it."""
        answer = self._request("DELETE", repository, f"manifests/{digest}", push=True, action="delete")
        if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
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
            if answer.status_code == HTTPStatus.NOT_FOUND:
                return
            self._expect(answer, repository, HTTPStatus.OK)
            page = json.loads(answer.content).get("tags") or []
            yield from page
            if "Link" not in answer.headers or not page or page[-1] == last:
                return
            last = page[-1]

    def has_blob(self, repository: str, digest: str) -> bool:
        """Tell whether the repository holds a blob."""
        answer = self._request("HEAD", repository, f"blobs/{digest}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return False
        self._expect(answer, f"{repository}@{digest}", HTTPStatus.OK)
        return True

    @contextmanager
    def blob(self, repository: str, digest: str) -> Iterator[Iterator[bytes]]:
        """Give over the pieces of a blob."""
        answer = self._request("GET", repository, f"blobs/{digest}", stream=True)
        with closing(answer):
            self._expect(answer, f"{repository}@{digest}", HTTPStatus.OK)
            yield _pieces(answer)

    def put_blob(self, repository: str, blob: Descriptor, content: Iterable[bytes]) -> None:
        """Store a blob, given in pieces; the registry checks its digest."""
        started = self._request("POST", repository, "blobs/uploads/", push=True)
        self._expect(started, repository, HTTPStatus.ACCEPTED)
        location = urljoin(f"{self._base}/", started.headers.get("Location", ""))
        url = f"{location}{'&' if '?' in location else '?'}digest={quote(blob.digest)}"
        headers = {"Content-Length": str(blob.size_bytes), "Content-Type": "application/octet-stream"}
        auth = ScopedAuth(self._authentication, _scope(repository, push=True))
        answer = self._transport.send("PUT", url, auth, headers=headers, content=iter(content))
        self._expect(answer, f"{repository}@{blob.digest}", HTTPStatus.CREATED)

    def _request(
        self,
        method: str,
        repository: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        push: bool = False,
        stream: bool = False,
        action: str = "",
    ) -> httpx.Response:
        auth = ScopedAuth(self._authentication, _scope(repository, push=push, action=action))
        url = f"/v2/{repository}/{path}"
        return self._transport.send(method, url, auth, headers=headers, content=content, stream=stream)

    def _expect(self, answer: httpx.Response, what: str, *statuses: HTTPStatus) -> None:
        if answer.status_code in statuses:
            return
        if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            login = "the login" if answer.status_code == HTTPStatus.UNAUTHORIZED else f"this login for {what}"
            raise UnauthorizedError(self.name, login if self.login else f"{what} without a login")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"registry {self.name} does not hold {what}")
        raise RegistryError(
            f"registry {self.name} answers {what} with status {answer.status_code}{_detail(answer.read())}"
        )


def _pieces(answer: httpx.Response) -> Iterator[bytes]:
    with reaching(answer.url):
        yield from answer.iter_raw()


def _scope(repository: str, *, push: bool, action: str = "") -> str:
    return f"repository:{repository}:{action or ('pull,push' if push else 'pull')}"


def _detail(body: bytes) -> str:
    """Return the registry's own words, where it has some."""
    try:
        errors = json.loads(body)["errors"]
        return f": {errors[0]['code']} {errors[0].get('message', '')}".rstrip()
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
