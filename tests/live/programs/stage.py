"""The platform of dev as processes of this machine, in a network in which its names resolve."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.databases import PORT
from stacks.platform.components.databases import jobs as databases
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.llm_gateway import address as gateway
from stacks.platform.components.serving.engines import INTERCEPTOR, INTERCEPTOR_PORT, PROXY, SCALING, SERVING
from stacks.settings import Settings
from stacks.settings.azure_catalog.sizes import postgresql_user_connections
from tests.support.kubernetes import rendered
from tests.support.kubernetes.rendered import Release, Secrets
from tests.support.llm_gateway import pods as gateway_pods
from tests.support.opik.trace_receiver import TraceReceiver, receiving_traces
from tests.support.programs.pod_network import Names
from tests.support.programs.postgresql import Postgresql, prepare, prepare_environment, running_postgresql
from tests.support.programs.processes import Program
from tests.support.serving import proxy_pods as front_pods
from tests.support.serving.model_server import ModelServer, serving_models

DATABASE_HOST = "psql-llm-dev.postgres.database.azure.com"
ADMINISTRATOR = "platform"
OPIK_PORT = 5173
ADDRESSES = {
    DATABASE_HOST: "127.0.1.1",
    "chat-redis": "127.0.1.2",
    gateway.LIMITS: "127.0.1.3",
    f"{gateway.SERVICE}.{gateway.NAMESPACE}.svc.cluster.local": "127.0.1.4",
    gateway.SERVICE: "127.0.1.4",
    f"{PROXY}.{SERVING}.svc.cluster.local": "127.0.1.5",
    f"{INTERCEPTOR}.{SCALING}.svc.cluster.local": "127.0.1.6",
    "opik-frontend.opik.svc.cluster.local": "127.0.1.7",
}
GATEWAY_URL = f"http://{gateway.SERVICE}.{gateway.NAMESPACE}.svc.cluster.local:{gateway.PORT}"


@dataclass
class Stage:
    """Everything that runs, and the secrets that it runs with."""

    settings: Settings
    folder: Path
    names: Names
    secrets: Secrets
    database: Postgresql
    engines: ModelServer
    opik: TraceReceiver
    front: Program
    limits: Program
    metrics: Program
    gateway: Program
    gateway_release: Release
    migrations: int

    def secret(self, namespace: str, name: str, key: str) -> str:
        """Return a delivered text."""
        return self.secrets[namespace, name][key]


@contextmanager
def running_stage(settings: Settings, folder: Path, names: Names) -> Iterator[Stage]:
    """Start what is behind the chat: databases, Redis, engines, traces, gateway, in the order of a deployment."""
    names.addresses |= ADDRESSES
    secrets = rendered.delivered(settings, rendered.vault(), database_host=DATABASE_HOST)
    connections = postgresql_user_connections(settings.database.sku)
    assert connections
    with ExitStack() as stack:
        place = folder / "postgresql"
        place.mkdir()
        database = stack.enter_context(
            running_postgresql(
                place,
                ADDRESSES[DATABASE_HOST],
                PORT,
                names=[DATABASE_HOST],
                administrator=ADMINISTRATOR,
                connections=connections,
            )
        )
        held = rendered.owners_passwords(settings, rendered.vault())
        variables = prepare_environment(host=DATABASE_HOST, administrator=ADMINISTRATOR)
        script = HELM / "databases" / databases.SCRIPT_NAME
        for _ in range(2):
            done = prepare(
                script, held, place, variables, *databases.arguments(enabled_components(settings).databases())
            )
            assert done.returncode == 0, done.stderr
        found = gateway_pods.rendered_release(settings, folder, DATABASE_HOST)
        roots = place / "server.crt"
        migrations = gateway_pods.migrate(gateway_pods.database_address(found, secrets, roots))
        engines = stack.enter_context(
            serving_models(ADDRESSES[f"{INTERCEPTOR}.{SCALING}.svc.cluster.local"], INTERCEPTOR_PORT)
        )
        opik = stack.enter_context(receiving_traces(ADDRESSES["opik-frontend.opik.svc.cluster.local"], OPIK_PORT))
        ip = ADDRESSES[gateway.SERVICE]
        front = front_pods.serving_front(settings, folder, ADDRESSES[f"{PROXY}.{SERVING}.svc.cluster.local"])
        limits = gateway_pods.limits(settings, folder, secrets, ADDRESSES[gateway.LIMITS])
        metrics, proxy = gateway_pods.pod(found, folder, secrets, ip=ip, name="gateway-1", database_roots=roots)
        for program in (front, limits, metrics, proxy):
            stack.callback(program.stop)
            program.start(wait=program is limits)
        for program in (front, metrics, proxy):
            program.wait_until_ready()
        done = gateway_pods.register(settings, folder, secrets, f"http://{gateway.SERVICE}:{gateway.PORT}")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Stage(
            settings, folder, names, secrets, database, engines, opik, front, limits, metrics, proxy, found, migrations
        )
