"""What the host of the start page answers: login, page, health, and what clients need before they can log in."""

from stacks.common.routes import READ, Allowed, HostRoutes, Who
from stacks.platform.common.entra_login import LOGIN

CA_FILE = "/ca.crt"
INSTALLERS = ("/install-client.sh", "/install-client.ps1")
ASSETS = ("/pico.css", "/start.css", "/start.js")
HEALTH = "/health/"
"""Below it, the health of each host by its label."""

ROUTES = HostRoutes(
    allowed=(
        LOGIN,
        Allowed(
            name="trust",
            who=Who.ANYONE,
            methods=READ,
            paths=(CA_FILE, *INSTALLERS),
            why="the internal CA's root and what installs it, which a client needs before it can log in",
        ),
        Allowed(name="page", who=Who.PERSON, methods=READ, paths=("/", *ASSETS), why="the page and its files"),
        Allowed(
            name="health",
            who=Who.PERSON,
            methods=READ,
            paths=(f"{HEALTH}{{}}",),
            why="whether each part answers, and nothing else of its answer",
        ),
        Allowed(
            name="state", who=Who.ANYONE, methods=READ, paths=("/ping",), why="that oauth2-proxy runs, and no more"
        ),
    ),
)
