"""Fetches a chart from its publisher's repository, OCI or with an `index.yaml`, as Helm does."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import httpx
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scripts.core.errors import ExitCode
from scripts.core.http import cause_of
from scripts.images.errors import ChartError, UnreachableChartError
from scripts.images.registry.client import Registry
from stacks.platform.common.catalogue import Chart

from .package import DamagedPackageError, Package, layer

_OCI = "oci://"
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds. Behind a firewall that drops packets, a synthesis goes on after the second one."""


def fetch(chart: Chart, connect: Callable[[str], Registry] = Registry.connect) -> Package:
    """Return the chart as its repository has it now, whatever its pin says.

    Raises ChartError, or RegistryError for an OCI repository that does not answer as one.
    """
    try:
        return _from_registry(chart, connect) if chart.repository.startswith(_OCI) else _from_index(chart)
    except DamagedPackageError as error:
        raise ChartError(f"{chart}: {error}", "ask its publisher; nothing was taken") from None


def _from_registry(chart: Chart, connect: Callable[[str], Registry]) -> Package:
    host, _, path = chart.repository.removeprefix(_OCI).rstrip("/").partition("/")
    registry, repository = connect(host), f"{path}/{chart.name}".lstrip("/")
    # A tag has no plus sign; Helm writes an underscore (https://helm.sh/docs/topics/registries/).
    manifest = registry.manifest(repository, chart.version.replace("+", "_")).body
    with registry.blob(repository, layer(manifest)) as pieces:
        return Package(b"".join(pieces), manifest)


def _from_index(chart: Chart) -> Package:
    base = f"{chart.repository.rstrip('/')}/"
    try:
        content: Any = YAML(typ="safe").load(_download(chart, urljoin(base, "index.yaml")))
        entry = next(entry for entry in content["entries"][chart.name] if entry["version"] == chart.version)
        url = urljoin(base, entry["urls"][0])
    except (YAMLError, KeyError, TypeError, IndexError, StopIteration):
        raise ChartError(f"{chart} does not exist", "correct repository, name or version in helm/charts.yaml") from None
    package = Package(_download(chart, url))
    # Helm itself does not compare the two.
    named = f"sha256:{str(entry.get('digest') or package.digest).removeprefix('sha256:')}"
    if named != package.digest:
        raise DamagedPackageError(f"index.yaml names {named}, but {url} is {package.digest}")
    return package


def _download(chart: Chart, url: str) -> bytes:
    try:
        answer = httpx.get(url, follow_redirects=True, timeout=_TIMEOUT, headers={"User-Agent": "llmctl"})
        answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise UnreachableChartError(f"{chart}: {url} answers {error.response.status_code}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreachableChartError(
            f"{chart} cannot be fetched: {cause_of(error)}", "check the network", ExitCode.NOT_READY
        ) from None
    return answer.content
