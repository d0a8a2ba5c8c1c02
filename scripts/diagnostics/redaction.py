"""Takes out of a text what must not leave the company: secrets, and whom and where it tells about.

Three ways, each of which is enough by itself: values that are known to be secret, forms that issuers give their
credentials, and names of keys that hold one. Addresses of people, ids of tenants and subscriptions and public IP
addresses become names such as `person-1`, the same one wherever they stand, so that a reader can still follow them.
"""

import ipaddress
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from scripts.review.masking import MASK, Masks

SHORTEST = 8
"""Characters of a known secret; anything shorter is found in texts that have nothing to do with it."""

_KEY = r"""[\w.-]*(?:password|passwd|passphrase|pwd|secret|token|credential|authorization|cookie|connection[_-]?string
    |client[_-]?assertion|\bsig
    |(?:api|access|account|private|salt|master|encryption|signing|routing|service|shared|subscription)[_-]?key)"""
_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',;&}\]]+)"""
_KEYS_AND_VALUES = (
    # A header goes on to the end of its line.
    re.compile(
        r"(?P<key>\b(?:(?:proxy-)?authorization|(?:set-)?cookie)\s*[:=]\s*)(?P<value>[^\s\"'{\[][^\n\"']*)", re.I
    ),
    re.compile(rf"""(?P<key>["']?{_KEY}["']?\s*(?:[:=]|=>)\s*){_VALUE}""", re.IGNORECASE | re.VERBOSE),
    # A variable of a pod, whose name stands before.
    re.compile(
        rf"""(?P<key>["']?\bname["']?\s*:\s*["']?{_KEY}["']?\s*,?\s*["']?\bvalue["']?\s*:\s*){_VALUE}""",
        re.IGNORECASE | re.VERBOSE,
    ),
)
_NO_SECRET = re.compile(
    r"""["']?(?:true|false|null|none|\d{1,6}|\(sensitive\)|)["']?$|[{\[]|["']?\$\{?\(?\w+""", re.IGNORECASE
)
"""Values that hold none: switches, numbers, references to variables, the beginning of an object."""
_FORMS = (
    re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"),  # LiteLLM and OpenAI
    re.compile(r"\bhf_[A-Za-z0-9]{16,}"),  # Hugging Face
    re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
    re.compile(r"\bgl(?:pat|dt|rt)-[\w-]{16,}"),
    re.compile(r"\btskey-[\w-]{8,}"),  # Tailscale
    re.compile(r"\bxox[abeoprs]-[\w-]{10,}"),  # Slack
    re.compile(r"\bhttps://hooks\.[\w./-]+|\bhttps://[\w.-]+/webhook\w*/[\w@./-]+"),
    re.compile(r"\b[\w-]{8,}\.atlasv1\.[\w-]{20,}"),  # HCP Terraform
    re.compile(r"(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"),  # Entra client secrets
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])"),  # keys of Azure's storage
    re.compile(r"\b[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,}"),  # keys of Azure's AI services
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bAIza[\w-]{35}"),  # Google
    re.compile(r"\bgl(?:sa|c)_[\w=-]{16,}"),  # Grafana
)
_MAIL = re.compile(r"\b[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b")
_ID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_IP = re.compile(
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]\d)|(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])",
    re.IGNORECASE,
)


@dataclass
class Redaction:
    """Redacts the texts of one bundle; several threads may use it."""

    secrets: Iterable[str] = ()
    """Values that are known to be secret."""
    names: Iterable[str] = ()
    """Words that tell who the company is, such as its domain; each becomes `name-1` and so on."""
    _known: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        lines = {line.strip() for secret in self.secrets for line in (secret, *secret.splitlines())}
        self._masks = Masks(frozenset(line for line in lines if len(line) >= SHORTEST))
        words = sorted({name for name in self.names if name}, key=len, reverse=True)
        for word in words:
            self._named("name", word.lower())
        self._words = re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None

    def text(self, text: str) -> str:
        """Return `text` without secrets, and with other names for people, ids and public addresses."""
        text = self._masks.text(text)
        for form in _FORMS:
            text = form.sub(MASK, text)
        for pattern in _KEYS_AND_VALUES:
            text = pattern.sub(_masked_value, text)
        text = _MAIL.sub(self._by("person"), text)
        if self._words:
            text = self._words.sub(self._by("name"), text)
        text = _ID.sub(self._by("id"), text)
        return _IP.sub(lambda match: self._named("ip", match[0]) if _is_public(match[0]) else match[0], text)

    def _by(self, kind: str) -> Callable[["re.Match[str]"], str]:
        return lambda match: self._named(kind, match[0].lower())

    def _named(self, kind: str, what: str) -> str:
        with self._lock:
            if what not in self._known:
                self._counts[kind] = self._counts.get(kind, 0) + 1
                self._known[what] = f"{kind}-{self._counts[kind]}"
            return self._known[what]


def _masked_value(match: "re.Match[str]") -> str:
    return match[0] if _NO_SECRET.match(match["value"]) else f"{match['key']}{MASK}"


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False
