"""A chart repository on loopback: an `index.yaml` and archives."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ruamel.yaml import YAML

from tests.support.web_servers import QuietHandler, served

from .oci_registry import digest_of


def packaged(name: str, version: str, text: str = "a: b\n") -> bytes:
    """Return a chart with one ConfigMap that holds `text`."""
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n",
        "templates/map.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n  {text}",
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    return stream.getvalue()


class ChartRepository:
    """Serves `files`, by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.url = ""

    def add(self, name: str, version: str, archive: bytes, digest: str | None = None) -> str:
        """Offer a chart, with the digest that the index says, and return its own."""
        path = f"{name}-{version}.tgz"
        self.files[f"/charts/{path}"] = archive
        entry = {"name": name, "version": version, "urls": [path], "digest": (digest or digest_of(archive))[7:]}
        index: Any = {"apiVersion": "v1", "entries": {name: [entry]}}
        text = io.StringIO()
        YAML().dump(index, text)
        self.files["/charts/index.yaml"] = text.getvalue().encode()
        return digest_of(archive)

    @contextmanager
    def serving(self) -> Iterator["ChartRepository"]:
        repository = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                repository.requests.append(self.path)
                content = repository.files.get(self.path)
                self.answer(404 if content is None else 200, content or b"")

        with served(Handler) as address:
            self.url = f"http://{address}/charts"
            yield self
