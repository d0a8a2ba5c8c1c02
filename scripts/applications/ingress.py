"""Whether the front door answers as it should: names, certificate, redirects, login, programs."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from scripts.core import http as web
from scripts.core.console import err
from scripts.core.http import Answer, NoAnswerError

if TYPE_CHECKING:
    from stacks.settings import Settings

LOGIN_HOST = "login.microsoftonline.com"
TEMPORARY_ISSUER = "cert-manager.local"
"""Issuer of what cert-manager serves until a certificate is issued (its pkg/util/pki/temporarycertificate.go)."""
POLL_S = 10.0


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    problem: str
    """What is wrong, empty when nothing is."""


@dataclass(frozen=True)
class Door:
    """How the environment's hosts are reached; another port than the real ones only where there is no front door."""

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


def hosts_of(settings: "Settings") -> list[str]:
    """Return the host names of what the environment runs."""
    from stacks.common.hosts import Hosts  # noqa: PLC0415

    hosts = Hosts(settings.domain)
    wanted = {
        hosts.chat: settings.chat.enabled,
        hosts.opik: settings.opik.enabled,
        hosts.api: settings.gateway.enabled,
        hosts.grafana: settings.monitoring.enabled,
    }
    return [host for host, enabled in wanted.items() if enabled]


def dns_checks(hosts: Iterable[str], address: str, target: str, resolver: web.Resolver = web.resolve) -> list[Check]:
    """Return whether every host name leads to the front door's address, and the record it needs where not."""
    return [Check(f"DNS {host}", _dns_problem(resolver(host), address, host, target)) for host in hosts]


def _dns_problem(found: set[str], address: str, host: str, target: str) -> str:
    if found == {address}:
        return ""
    record = f"it needs the record `{host}. CNAME {target}.`"
    if not found:
        return f"has no address; {record}"
    return f"leads to {', '.join(sorted(found))} instead of {address}; {record}"


def opik_checks(door: Door, host: str, callback: str) -> list[Check]:
    """Return whether Opik is served at `host` as it should: by HTTPS alone, with a login, and with 401 for programs."""
    return [
        Check(f"certificate of {host}", _problem(lambda: door.get(host, "/ping"), lambda _answer: "")),
        Check(
            f"http://{host} leads to https",
            _problem(lambda: web.get(door.url(host, "/", secure=False)), lambda answer: _leads_to_https(answer, host)),
        ),
        Check(
            f"login at {host}",
            _problem(lambda: door.get(host, "/"), lambda answer: _leads_to_login(answer, door.login_host, callback)),
        ),
        Check(
            f"API at {host} without a token",
            _problem(lambda: door.get(host, "/api/is-alive/ping"), _refuses_programs),
        ),
    ]


def _problem(ask: Callable[[], Answer], judge: Callable[[Answer], str]) -> str:
    try:
        return judge(ask())
    except NoAnswerError as error:
        return str(error)


def _leads_to_https(answer: Answer, host: str) -> str:
    target = urlsplit(answer.location)
    if answer.status in (301, 302, 307, 308) and target.scheme == "https" and target.hostname == host:
        return ""
    return f"answers {_told(answer)} instead of a redirect to https://{host}"


def _leads_to_login(answer: Answer, login_host: str, callback: str) -> str:
    target = urlsplit(answer.location)
    if answer.status not in (302, 303, 307) or target.hostname != login_host:
        return f"answers {_told(answer)} instead of a redirect to {login_host}"
    returns_to = parse_qs(target.query).get("redirect_uri", [""])[0]
    return "" if returns_to == callback else f"would return from the login to {returns_to or 'nowhere'}, not {callback}"


def _refuses_programs(answer: Answer) -> str:
    return "" if answer.status == 401 else f"answers {_told(answer)} instead of 401"


def _told(answer: Answer) -> str:
    return f"{answer.status}{f' to {answer.location}' if answer.location else ''}"


def print_checks(checks: list[Check]) -> None:
    """Show each check with its outcome."""
    for check in checks:
        mark = "[red]✗[/]" if check.problem else "[green]✓[/]"
        err.print(mark, end=" ")
        err.print(f"{check.name}{f': {check.problem}' if check.problem else ''}", markup=False, soft_wrap=True)


def wait_until_sound(
    look: Callable[[], list[Check]],
    tell: Callable[[str], object],
    *,
    patience_s: float,
    poll_s: float = POLL_S,
) -> list[Check]:
    """Look until nothing is wrong or the patience is used up, and return what was seen last.

    What is wrong is told whenever it changes.
    """
    deadline = time.monotonic() + patience_s
    told = ""
    while True:
        checks = look()
        problems = [f"{check.name}: {check.problem}" for check in checks if check.problem]
        if not problems or time.monotonic() >= deadline:
            return checks
        if problems[0] != told:
            told = problems[0]
            tell(f"waiting: {told}")
        time.sleep(min(poll_s, max(0.0, deadline - time.monotonic())))
