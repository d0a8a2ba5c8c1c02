"""Whether this machine reaches what a deployment fetches: images, charts, sources, Terraform's providers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from stacks.platform.common.catalogue import charts
from stacks.platform.components.enabled import enabled_components

from ..findings import Finding, NotCheckedError, Outcome
from ..surroundings import Surroundings

TERRAFORM = "https://registry.terraform.io/.well-known/terraform.json"
_HUB = ("docker.io", "registry-1.docker.io")
_AT_ONCE = 8


def addresses(asked: Surroundings) -> dict[str, tuple[str, Outcome]]:
    """Return each address with what is fetched from there, and how bad it is not to reach it."""
    components = enabled_components(asked.settings)
    found: dict[str, tuple[str, Outcome]] = {TERRAFORM: ("Terraform's providers", Outcome.WARNING)}
    if "platform" not in asked.stacks:
        return found
    images, repositories = components.images().values(), defaultdict(list)
    builds = asked.settings.images.opik == "build"
    for image in images:
        if builds and image.build:
            repositories[image.build.git.removesuffix(".git") + "/info/refs?service=git-upload-pack"].append("source")
        else:
            host = image.repository.split("/")[0]
            # Azure fetches images by itself where the Azure CLI starts it; another importer does so from here.
            repositories[f"https://{_HUB[1] if host == _HUB[0] else host}/v2/"].append("images")
    for chart in [pin for name, pin in charts().items() if name in components.charts()]:
        if chart.repository.startswith("oci://"):
            address = f"https://{chart.repository.removeprefix('oci://').split('/')[0]}/v2/"
        else:
            address = chart.repository.rstrip("/") + "/index.yaml"
        repositories[address].append("charts")
    for address, kinds in repositories.items():
        what = " and ".join(sorted(set(kinds)))
        found[address] = (what, Outcome.WARNING if what == "images" else Outcome.FAILED)
    return found


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield what cannot be reached."""

    def reached(address: str) -> str:
        try:
            status = asked.web.ask(address, method="GET" if "/info/refs" in address else "HEAD").status_code
        except NotCheckedError as error:
            return str(error)
        # A registry asks for a login (401), some refuse HEAD (405); both were reached.
        return f"answers with status {status}" if status >= 500 or status == 407 else ""

    wanted = addresses(asked)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = dict(zip(wanted, pool.map(reached, wanted), strict=True))
    for outcome in (Outcome.FAILED, Outcome.WARNING):
        missed = [address for address, why in answers.items() if why and wanted[address][1] is outcome]
        if missed:
            hosts = dict.fromkeys(urlsplit(address).netloc for address in missed)
            yield Finding(
                f"this machine does not reach {', '.join(hosts)}: {answers[missed[0]]}",
                f"the deployment fetches {_joined(wanted[address][0] for address in missed)} there",
                f"curl --head '{missed[0]}'; open it in firewall or proxy (HTTPS_PROXY)",
                outcome,
            )


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
