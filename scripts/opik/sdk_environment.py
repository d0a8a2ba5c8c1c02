"""What programs need to send traces to Opik."""

import shlex
from collections.abc import Iterator, Mapping

WORKSPACE = "default"
"""The only workspace of the open-source edition."""


def sdk_variables(base: str) -> dict[str, str]:
    """Return the variables of Opik's SDK and of OpenTelemetry exporters for the Opik at `base`, without a key.

    https://www.comet.com/docs/opik/tracing/sdk_configuration,
    https://opentelemetry.io/docs/specs/otel/protocol/exporter/
    """
    return {
        "OPIK_URL_OVERRIDE": f"{base}/api/",
        "OPIK_WORKSPACE": WORKSPACE,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{base}/api/v1/private/otel",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Comet-Workspace={WORKSPACE}",
    }


def exports(variables: Mapping[str, str], token_command: str | None) -> Iterator[str]:
    """Yield the lines of a POSIX shell that set `variables`, and a key by running `token_command` if there is one.

    The SDK sends the key as it is in `Authorization`; values of OTLP headers are percent-encoded.
    """
    for name, value in variables.items():
        yield f"export {name}={shlex.quote(value)}"
    if token_command is None:
        return
    headers = f"{variables['OTEL_EXPORTER_OTLP_HEADERS']},Authorization=Bearer%20$OPIK_API_KEY"
    yield f'OPIK_API_KEY="$({token_command})" \\'
    # Both are expanded before either is set, so the key is still the bare token.
    yield f'&& export OPIK_API_KEY="Bearer $OPIK_API_KEY" OTEL_EXPORTER_OTLP_HEADERS="{headers}" \\'
    yield "|| { unset OPIK_API_KEY; false; }"
