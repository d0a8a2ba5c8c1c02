"""Whether the ingress answers as it should: DNS names, certificate, redirects, login, programs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from scripts.cluster.kubectl import Kubectl
from scripts.core import http as web
from scripts.core.checks import Check
from scripts.core.http import Answer, NoAnswerError
from stacks.common.hosts import Host
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings
from stacks.settings.private_access import CertificateSource

LOGIN_HOST = "login.microsoftonline.com"
TEMPORARY_ISSUER = "cert-manager.local"
"""Issuer of what cert-manager serves until a certificate is issued (its pkg/util/pki/temporarycertificate.go)."""


@dataclass(frozen=True)
class Ingress:
    """How the environment's hosts are reached; other ports than 443 and 80 only where there is no real ingress."""

    https_port: int = 443
    http_port: int = 80
    trusted: bool = True
    """Whether its certificates come from an authority that everybody trusts."""
    login_host: str = LOGIN_HOST

    def url(self, host: str, path: str, *, secure: bool = True) -> str:
        """Return a URL on one of the hosts."""
        port, usual = (self.https_port, 443) if secure else (self.http_port, 80)
        return f"{'https' if secure else 'http'}://{host}{'' if port == usual else f':{port}'}{path}"

    def get(self, host: str, path: str) -> Answer:
        """Return the answer of a host over HTTPS, its certificate checked. Raises NoAnswerError."""
        context = None
        if not self.trusted:
            context = web.trusting(web.served_certificate(host, self.https_port))
            if web.issuer_of(host, self.https_port, context) == TEMPORARY_ISSUER:
                raise NoAnswerError("certificate: the temporary one of cert-manager, the real one is not issued yet")
        return web.get(self.url(host, path), context=context)


PRIVATE_NAMES = "this machine's resolver does not know the private zone (docs/how-to/private-access.md)"


def hosts_of(settings: Settings) -> list[str]:
    """Return the host names of what the environment runs."""
    return enabled_components(settings).host_names()


def dns_checks(hosts: Iterable[str], address: str, target: str, resolver: web.Resolver = web.resolve) -> list[Check]:
    """Return whether every host name leads to the ingress's address, and the record it needs where not.

    Without a `target` the zone is private and has its record: then it is this machine that does not ask it.
    """
    return [Check(f"DNS {host}", _dns_problem(resolver(host), address, host, target)) for host in hosts]


def _dns_problem(found: set[str], address: str, host: str, target: str) -> str:
    if found == {address}:
        return ""
    record = f"it needs the record `{host}. CNAME {target}.`" if target else PRIVATE_NAMES
    if not found:
        return f"has no address; {record}"
    return f"leads to {', '.join(sorted(found))} instead of {address}; {record}"


def host_checks(ingress: Ingress, host: Host, domain: str) -> list[Check]:
    """Return whether a host is served as it should: by HTTPS alone, with a login, and with 401 for programs."""
    name = host.name(domain)
    checks = [
        Check(f"certificate of {name}", _problem(lambda: ingress.get(name, host.guarded_path), lambda _answer: "")),
        Check(
            f"http://{name} leads to https",
            _problem(
                lambda: web.get(ingress.url(name, "/", secure=False)), lambda answer: _leads_to_https(answer, name)
            ),
        ),
    ]
    if host.callback_path is not None:
        callback = host.redirect_uri(domain)
        checks.append(
            Check(
                f"login at {name}",
                _problem(
                    lambda: ingress.get(name, host.login_path),
                    lambda answer: _leads_to_login(answer, ingress.login_host, callback),
                ),
            )
        )
    asked = _problem(lambda: ingress.get(name, host.guarded_path), _refuses_programs)
    return [*checks, Check(f"API at {name} without a token", asked)]


def _problem(ask: Callable[[], Answer], problem_of: Callable[[Answer], str]) -> str:
    try:
        return problem_of(ask())
    except NoAnswerError as error:
        return str(error)


def _leads_to_https(answer: Answer, host: str) -> str:
    target = urlsplit(answer.location)
    if answer.status in (301, 302, 307, 308) and target.scheme == "https" and target.hostname == host:
        return ""
    return f"answers {_answered(answer)} instead of a redirect to https://{host}"


def _leads_to_login(answer: Answer, login_host: str, callback: str) -> str:
    target = urlsplit(answer.location)
    if answer.status not in (302, 303, 307) or target.hostname != login_host:
        return f"answers {_answered(answer)} instead of a redirect to {login_host}"
    returns_to = parse_qs(target.query).get("redirect_uri", [""])[0]
    return "" if returns_to == callback else f"would return from the login to {returns_to or 'nowhere'}, not {callback}"


def _refuses_programs(answer: Answer) -> str:
    return "" if answer.status == 401 else f"answers {_answered(answer)} instead of 401"


def _answered(answer: Answer) -> str:
    return f"{answer.status}{f' to {answer.location}' if answer.location else ''}"


def ingress_of(settings: Settings) -> Ingress:
    """Return how the environment's ingress is asked.

    Nothing trusts Let's Encrypt's staging certificates, and only machines of its users trust a company's own CA.
    """
    if settings.is_private and settings.private_access.certificates is not CertificateSource.LETS_ENCRYPT_DNS:
        return Ingress(trusted=False)
    return Ingress(trusted=settings.ingress.acme_issuer == "production")


def outside_checks(ingress: Ingress, hosts: Iterable[Host], domain: str) -> list[Check]:
    """Return how the hosts of an environment answer from outside."""
    return [check for host in hosts for check in host_checks(ingress, host, domain)]


def challenge_reasons(kubectl: Kubectl, hosts: list[str]) -> list[str]:
    """Return what cert-manager says about ACME challenges for `hosts` that have not succeeded. Raises OperatorError."""
    found = []
    for item in kubectl.items("challenges.acme.cert-manager.io", "--all-namespaces"):
        host, status = item.get("spec", {}).get("dnsName", ""), item.get("status", {})
        if host in hosts and status.get("state") != "valid":
            found.append(
                f"Let's Encrypt for {host}: {status.get('state') or 'waits'}: {status.get('reason', '')}".rstrip(": ")
            )
    return found
