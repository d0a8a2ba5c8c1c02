"""Host names of an environment, which are all derived from its domain, and where logins return to."""

from dataclasses import dataclass

from .routes import HostRoutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host name that the ingress answers for."""

    label: str
    """First part of the name; the environment's domain is the rest."""
    title: str
    """What people find there, in a word."""
    namespace: str
    """Where its Ingress is, and its certificate."""
    ingress: str
    """Name of its Ingress."""
    routes: HostRoutes
    """Which requests it answers; all others are refused before the application."""
    guarded_path: str
    """Path that a GET without a login or a token is answered 401 at, so that a check sees both host and lock."""
    path: str = ""
    """Path that people or programs begin at, and what else they have to know of it."""
    callback_path: str | None = None
    """Path to which Entra returns a login; None where nobody logs in."""
    login_path: str = "/"
    """Path that leads a browser without a login straight to Entra, where there is a `callback_path`."""

    def name(self, domain: str) -> str:
        """Return the whole host name below `domain`."""
        return f"{self.label}.{domain}"

    def url(self, domain: str) -> str:
        """Return the address to begin at, without a slash at its end."""
        return f"https://{self.name(domain)}{self.path}"

    def redirect_uri(self, domain: str) -> str:
        """Return the address to which Entra returns a login. Raises ValueError for a host without one."""
        if self.callback_path is None:
            raise ValueError(f"nobody logs in at {self.name(domain)}")
        return f"https://{self.name(domain)}{self.callback_path}"
