"""What runs of Opik: its stores, what writes to them, what shows them."""

from collections.abc import Iterator

from stacks.platform.common.parts import Part
from stacks.settings import Settings

from .login import SESSIONS
from .names import GUARDRAILS, LOGIN_ACCOUNT, NAMESPACE, OPERATOR
from .settling import WORKLOADS

STORES = ("zookeeper", "clickhouse", "mysql", "redis", "minio")
"""In the order in which they start."""


def opik_parts(settings: Settings) -> Iterator[Part]:
    """Yield the parts; the operator last, since it would undo the stop of ClickHouse."""
    for store in STORES:
        yield Part(name=store, namespace=NAMESPACE, workload=WORKLOADS[store], container=store, store=True)
    names = {
        **({"python-backend": "opik-python-backend"} if settings.opik.python_evaluators else {}),
        "backend": "opik-backend",
        "frontend": "opik-frontend",
    }
    for name, deployment in names.items():
        yield Part(
            name=name,
            namespace=NAMESPACE,
            workload=f"deployment/{deployment}",
            container=deployment,
            main=name == "backend",
            replicas_setting="opik.replicas, opik.max_replicas" if name == "backend" else "",
        )
    if settings.opik.guardrails_pool:
        yield Part(name="guardrails", namespace=NAMESPACE, workload=f"deployment/{GUARDRAILS}", container="guardrails")
    yield Part(name="login-sessions", namespace=NAMESPACE, workload=f"deployment/{SESSIONS}", container="valkey")
    login = LOGIN_ACCOUNT.name
    yield Part(
        name="login",
        namespace=NAMESPACE,
        workload=f"deployment/{login}",
        container=login,
        replicas_setting="opik.login_replicas",
    )
    yield Part(name="operator", namespace=NAMESPACE, workload=f"deployment/{OPERATOR}", container=OPERATOR)
