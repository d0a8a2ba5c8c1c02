"""The chat of dev before the rest of the platform: Entra, two pods, their Redis, and the ingress."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.applications.chat.accounts import Accounts
from scripts.cluster.pod_program import START, ByCommand
from stacks.platform.common.catalogue import HELM
from stacks.platform.components.chat import names, release
from stacks.platform.components.chat.login import administrator
from stacks.platform.components.llm_gateway import address as gateway
from stacks.platform.components.llm_gateway import release as gateway_release
from tests.live.programs.stage import ADDRESSES, Stage
from tests.support.chat.browser import Browser
from tests.support.chat.pods import ChatPods, chart_values
from tests.support.ingress.controller import front_door
from tests.support.kubernetes import rendered
from tests.support.llm_gateway import pods as gateway_pods
from tests.support.login import entra_provider
from tests.support.login.entra_provider import EntraProvider, running_entra
from tests.support.programs.processes import Program
from tests.support.stacks.components import with_images
from tests.support.web_servers import authority, certificate_for

ENTRA_IP, DOOR_IP = "127.0.1.8", "127.0.1.9"
POD_IPS = ("127.0.1.10", "127.0.1.11")
TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "66666666-7777-4888-9999-000000000000"
GROUP = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner = 'open_webui'"
ASSERTION = "token-of-the-service-account-of-the-chat"


@dataclass
class ChatStage:
    """What runs before and beside the chat's pods, and the pods."""

    stage: Stage
    entra: EntraProvider
    pods: list[Program]
    redis: Program
    sidecar: Program
    door: Program
    parts: ChatPods
    migrations: list[str]
    """What the migrations of both pods said, which ran at once."""
    tables: list[str]
    """What they made, before Open WebUI started."""

    @property
    def host(self) -> str:
        """Name in the browser."""
        return names.HOST.name(self.stage.settings.domain)

    def address(self, pod: int) -> str:
        """Where a pod listens, as the ingress names it."""
        return f"{self.pods[pod].address}:{self.pods[pod].port}"

    def accounts(self, pod: int = 0) -> Accounts:
        """Return what asks a pod of the chat as its local administrator."""
        program = self.pods[pod]
        run = ByCommand([program.command[0], "-c", START], program.name, {**os.environ, **program.environment})
        return Accounts(run, administrator(self.stage.settings.domain), f"http://{self.address(pod)}")

    def browser(self) -> Browser:
        """Return a browser that knows nothing yet."""
        return Browser(self.host, self.parts.trusted)

    def logged_in(self, person: entra_provider.Person) -> Browser:
        """Return the browser of somebody who has logged in."""
        self.entra.person = person
        browser = self.browser()
        browser.log_in()
        assert browser.token, f"{person.name} has no session:\n{self.pods[0].log[-3000:]}"
        return browser


@contextmanager
def running_chat(stage: Stage, folder: Path) -> Iterator[ChatStage]:
    """Start the chat in the order of a deployment: Redis, migrations of both pods at once, pods, ingress."""
    settings = stage.settings
    chat_host, api_host = names.HOST.name(settings.domain), gateway.HOST.name(settings.domain)
    stage.names.addresses |= {entra_provider.LOGIN: ENTRA_IP, entra_provider.GRAPH: ENTRA_IP}
    stage.names.addresses |= {chat_host: DOOR_IP, api_host: DOOR_IP}
    trust = authority(folder, "trust")
    values = chart_values(settings, client=CLIENT, group=GROUP, tenant=TENANT)
    roots = stage.database.folder / "server.crt"
    parts = ChatPods(settings, folder, stage.secrets, values, trust[0], roots, DOOR_IP)
    certificate_for(folder, trust, chat_host, api_host)
    certificate = (folder / f"{chat_host}.pem", folder / f"{chat_host}.key")
    found = rendered.render(
        "valkey", names.REDIS, names.NAMESPACE, folder, *redis_values(), release.redis(*with_images(settings))
    )
    redis = gateway_pods.valkey(found, names.REDIS, folder, stage.secrets, ADDRESSES[names.REDIS])
    door = front_door(
        settings,
        folder,
        DOOR_IP,
        {
            chat_host: (release.exposure(settings.chat, settings.serving), [f"{ip}:{names.PORT}" for ip in POD_IPS]),
            api_host: (gateway_release.exposure(settings.serving), [f"{ADDRESSES[gateway.SERVICE]}:{gateway.PORT}"]),
        },
        certificate,
    )
    pods = [parts.open_webui(f"chat-{number}", ip) for number, ip in enumerate(POD_IPS, 1)]
    sidecar = parts.sidecar(ASSERTION)
    with ExitStack() as stack:
        entra = stack.enter_context(
            running_entra(folder, ENTRA_IP, trust, tenant=TENANT, client=CLIENT, assertion=ASSERTION)
        )
        for program in (redis, sidecar, door):
            stack.enter_context(program.running())
        migrations = migrate_at_once(parts)
        tables = stage.database.superuser(TABLES, "open_webui").splitlines()
        for pod in pods:
            stack.callback(pod.stop)
            pod.start(wait=False)
        for pod in pods:
            pod.wait_until_ready()
        yield ChatStage(stage, entra, pods, redis, sidecar, door, parts, migrations, tables)


def migrate_at_once(parts: ChatPods) -> list[str]:
    """Run the migrations of both pods side by side; return what they said."""
    started = [parts.migration(f"chat-{number}") for number in (1, 2)]

    def said(process: "subprocess.Popen[str]") -> str:
        text = process.communicate(timeout=900)[0]
        assert process.returncode == 0, text[-6000:]
        return text

    with ThreadPoolExecutor() as pool:
        return list(pool.map(said, started))


def redis_values() -> list[Path]:
    """Return the chart's file for the chat's Redis."""
    return [HELM / "valkey" / "values.chat.yaml"]
