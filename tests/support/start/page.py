"""The start page's web server, run on this machine: the real nginx with the rendered configuration and files."""

from collections.abc import Mapping
from pathlib import Path

from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.start.names import NAMESPACE, PAGE, PAGE_PORT
from stacks.platform.components.start.page import files
from stacks.platform.components.start.release import start_page
from stacks.settings import Settings, load_settings, parse_settings
from stacks.settings.start_page import StartPageSettings
from tests.support.kubernetes import rendered
from tests.support.programs.processes import Program
from tests.support.serving.proxy_pods import nginx
from tests.support.stacks.components import images_of

PRIVATE_FILE = Path(__file__).parents[2] / "environments" / "valid.private_with_tailscale.yaml"


def public() -> Settings:
    """Return dev with a start page."""
    settings = load_settings("dev")
    chat = settings.chat.model_copy(update={"personal_keys": True})
    return settings.model_copy(update={"start_page": StartPageSettings(enabled=True), "chat": chat})


def private() -> Settings:
    """Return a private environment with an internal CA and the models of dev."""
    settings = parse_settings(PRIVATE_FILE.read_text("utf-8"), PRIVATE_FILE.name)
    return settings.model_copy(update={"models": load_settings("dev").models})


def page_server(
    settings: Settings,
    folder: Path,
    port: int,
    *,
    health: Mapping[str, int],
    authority: str = "",
    ip: str = "127.0.0.1",
) -> Program:
    """Return nginx at `port`; `health` are ports that stand for the services, by label.

    Only addresses and folders differ from what is deployed.
    """
    components = enabled_components(settings)
    served = files(components)
    found = rendered.render(PAGE, PAGE, NAMESPACE, folder, start_page(components, images_of(settings), served))
    place = folder / PAGE
    for name in ("site", "authority"):
        (place / name).mkdir(parents=True)
    for name, text in served.items():
        (place / "site" / name).write_text(text)
    if authority:
        (place / "authority" / "ca.crt").write_text(authority)
    text = found.file(PAGE, "nginx.conf")
    moved = {
        "/tmp/": f"{place}/",
        f"listen {PAGE_PORT};": f"listen {ip}:{port};",
        "root /site;": f"root {place}/site;",
        "root /authority;": f"root {place}/authority;",
        "kube-dns.kube-system.svc.cluster.local": "127.0.0.1",
        "/dev/stdout": f"{place}/access.log",
        "/dev/stderr": f"{place}/error.log",
        "daemon off;": "",
    } | {asked.url.split("/")[2]: f"127.0.0.1:{health.get(asked.host.label, 1)}" for asked in components.health()}
    for old, new in moved.items():
        text = text.replace(old, new)
    return nginx(PAGE, place, text, ip, port)
