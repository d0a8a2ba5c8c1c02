"""The clients of Opik's stores, inside their pods."""

from collections.abc import Mapping

_MINIO_ADDRESS = 'MC_CONFIG_DIR=/tmp/.mc MC_HOST_opik="http://$MINIO_ROOT_USER:$MINIO_ROOT_PASSWORD@127.0.0.1:9000"'

CLIENTS: Mapping[str, tuple[str, str]] = {
    "mysql-shell": ("mysql", 'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql --user="$MYSQL_USER" opik'),
    "clickhouse-shell": ("clickhouse", "exec clickhouse-client"),
    "redis-cli": ("redis", "exec redis-cli"),
    "minio-shell": ("minio", f'export {_MINIO_ADDRESS}; echo "mc ls opik lists the buckets"; exec sh'),
}
"""Command to the part that it enters and the shell line that starts the client there.

Logins come from the environment inside the pod, or from what the client reads by itself; none is in an argument.
"""

CONSOLE = """\
MinIO's console is off in Opik's chart (minio.config.browserEnabled). `llmctl opik minio-shell` opens MinIO's own
client `mc` in its pod, logged in: `mc ls opik`, `mc du opik`, `mc admin info opik`.
The login is in the Secret of the pod's environment (MINIO_ROOT_USER, MINIO_ROOT_PASSWORD); it is shown nowhere."""
"""What stands in for the console of the original installation."""
