"""The start page, which shows people what runs and how to begin."""

from .types import Model


class StartPageSettings(Model):
    """The start page at start.<domain>: services and their health, models, examples, the internal CA."""

    enabled: bool | None = None
    """Whether the platform has a start page, behind the same login as the chat. Left out, it has one with
    `exposure: private`, whose record and certificate stand for every name already; a public platform needs one more
    DNS record for it."""
