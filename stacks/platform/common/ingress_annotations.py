"""Annotations of an application's Ingress, for either ingress mode: TLS, redirect, sizes, times, streams."""

from dataclasses import dataclass

from stacks.settings.network import IngressMode, IngressSettings

from .ingress_mode import cluster_issuer

RENEW_BEFORE_PERCENT = 34
"""Share of a certificate's life that is left when it is renewed. A share, because Let's Encrypt shortens lives: 90 days
today, 45 in 2028. It asks for renewal at two thirds of the life (https://letsencrypt.org/docs/integration-guide/)."""

HSTS = "max-age=31536000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an application needs of the ingress."""

    service: str
    """Name of the Service that requests go to."""
    health_path: str
    """Path that answers 200 without a login."""
    body_mib: int = 500
    """Largest request."""
    timeout_seconds: int = 600
    """Longest silence between two parts of an answer."""
    sticky: bool = False
    """Keep a browser with the pod that answered it first, by a cookie that ends with the browser."""


EDIT_IN_PLACE = "acme.cert-manager.io/http01-edit-in-place"
"""Annotation that has cert-manager put the path of its challenge into this Ingress, instead of one of its own."""

STICKY_COOKIE = "platform-replica"


def annotations(ingress: IngressSettings, exposure: Exposure, *, wildcard: bool = False) -> dict[str, str]:
    """Annotations for the environment's ingress mode, and those by which cert-manager makes the certificate.

    With `wildcard` the controller has one certificate for all hosts, and no challenge ever appears.
    """
    nginx = ingress.mode is IngressMode.NGINX
    if wildcard:
        return _nginx(exposure)
    return _certificate(ingress) | (_edited_nginx(exposure) if nginx else _application_gateway(exposure))


def own_hsts(ingress: IngressSettings) -> str | None:
    """Header `Strict-Transport-Security` that pages have to send themselves; None where the ingress sends it.

    NGINX does for every host. The Application Gateway could only by rewrite rules, beside which ACME's challenges end
    in 404 (https://github.com/cert-manager/cert-manager/issues/6990).
    """
    return None if ingress.mode is IngressMode.NGINX else HSTS


def _certificate(ingress: IngressSettings) -> dict[str, str]:
    return {
        "cert-manager.io/cluster-issuer": cluster_issuer(ingress),
        "cert-manager.io/renew-before-percentage": f"{RENEW_BEFORE_PERCENT}",
        # A host that redirects to HTTPS must have a certificate before the first one is issued.
        "cert-manager.io/issue-temporary-certificate": "true",
    }


def _edited_nginx(exposure: Exposure) -> dict[str, str]:
    # NGINX takes a host from one Ingress only, so the challenge's path has to appear in this one.
    return {EDIT_IN_PLACE: "true"} | _nginx(exposure)


def _nginx(exposure: Exposure) -> dict[str, str]:
    """Return annotations of F5 NGINX, whose ConfigMap redirects to HTTPS and sends HSTS for every host."""
    return {
        "nginx.org/client-max-body-size": f"{exposure.body_mib}m",
        "nginx.org/proxy-connect-timeout": "10s",
        "nginx.org/proxy-read-timeout": f"{exposure.timeout_seconds}s",
        "nginx.org/proxy-send-timeout": f"{exposure.timeout_seconds}s",
        "nginx.org/proxy-buffering": "False",
        "nginx.org/proxy-buffer-size": "16k",
        "nginx.org/websocket-services": exposure.service,
        **(_sticky(exposure) if exposure.sticky else {}),
    }


def _sticky(exposure: Exposure) -> dict[str, str]:
    cookie = f"serviceName={exposure.service} {STICKY_COOKIE} path=/ httponly secure"
    return {"nginx.org/sticky-cookie-services": cookie}


def _application_gateway(exposure: Exposure) -> dict[str, str]:
    """Return annotations of AGIC; sizes and buffering are settings of the whole gateway (stack `network`)."""
    prefix = "appgw.ingress.kubernetes.io"
    return {
        f"{prefix}/ssl-redirect": "true",
        f"{prefix}/backend-protocol": "http",
        f"{prefix}/request-timeout": f"{exposure.timeout_seconds}",
        f"{prefix}/connection-draining": "true",
        f"{prefix}/connection-draining-timeout": "60",
        f"{prefix}/health-probe-path": exposure.health_path,
        f"{prefix}/health-probe-status-codes": "200",
        f"{prefix}/health-probe-interval": "10",
        f"{prefix}/health-probe-timeout": "5",
        f"{prefix}/health-probe-unhealthy-threshold": "3",
        **({f"{prefix}/cookie-based-affinity": "true"} if exposure.sticky else {}),
    }
