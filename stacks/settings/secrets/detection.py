"""Whether a text holds a secret, by what it looks like: for values that people write where no secret may stand."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

SECRET_WORDS = re.compile(
    r"(^|[_\-.\s])(api_?keys?|keys?|pass(word|wd|phrase)?|pwd|secrets?|tokens?|credentials?|authorization|sig(nature)?|dsn)$",
    re.IGNORECASE,
)
"""Last words of names whose values are secrets."""

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_TOKENS = re.compile(
    r"""(?<![A-Za-z0-9])(
      sk-[A-Za-z0-9_-]{16,} | sk_(live|test)_\w{16,} | (ghp|gho|ghs|ghu|ghr)_\w{20,} | github_pat_\w{20,}
      | glpat-[\w-]{16,}
      | xox[abeprs]-[\w-]{10,} | hf_\w{20,} | AKIA[A-Z0-9]{16} | AIza[\w-]{30,} | ya29\.[\w-]{20,} | gsk_\w{20,}
      | (pplx|tvly)-[\w-]{16,} | tskey-[\w-]{8,} | gl(sa|c)_[\w=-]{16,} | [\w~.]{3}\dQ~[\w~.-]{31,34}
      | eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*
    )""",
    re.VERBOSE,
)
"""Forms in which services of the internet issue keys, and JSON web tokens."""
_SCHEME = re.compile(r"^\s*(bearer|basic)\s+[\w+/=.~-]{8,}\s*$", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://(?:(?![;,|][a-z][a-z0-9+.-]*://)[^\s\"'])+", re.IGNORECASE)
"""Of a list, such as Open WebUI's with semicolons, each."""
_OPTION = re.compile(r"(?:^|[;,&\s])([A-Za-z][\w.-]{0,60})=([^;,&\s]{4,})")
_HEADER = re.compile(r"^\s*([A-Za-z][\w-]{0,60})\s*:\s*(?=\S*\d)(\S{8,})\s*$", re.MULTILINE)
_DATA_URL = re.compile(r"data:[\w/+.;=-]*,\S*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[A-Za-z0-9+]{24,}={0,2}")
_PLACEHOLDER = re.compile(r"^(\$\{.*\}|<.*>|\*+|x{3,}|true|false|none|null|[\d.]+)$", re.IGNORECASE)


def names_a_secret(name: str) -> bool:
    """Tell whether the last word of a name says that its value is a secret: `api_key`, `AccountKey`, `x-token`."""
    return SECRET_WORDS.search(_CAMEL.sub("_", name.strip())) is not None


def secret_in(value: str) -> str | None:
    """Return what secret the text holds, in words that complete "holds …"; None when it looks harmless."""
    return next(_found(value), None)


def _found(value: str) -> Iterator[str]:
    value = _DATA_URL.sub(" ", value)
    if _PRIVATE_KEY.search(value):
        yield "a private key"
    if _TOKENS.search(value) or _SCHEME.match(value):
        yield "an access token or key"
    for url in _URL.findall(value):
        yield from _in_url(url)
    yield from _in_json(value)
    if not value.lstrip().startswith(("{", "[")):
        yield from _in_pairs(_URL.sub(" ", value))
    if any(map(_drawn, _WORD.findall(_URL.sub(" ", value)))):
        yield "a text that looks like a key"


def _in_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if parts.password:
        yield "a URL with a password"
    pairs = [*parse_qsl(parts.query), *parse_qsl(parts.fragment)]
    if any((names_a_secret(name) and _is_value(text)) or any(map(_drawn, _WORD.findall(text))) for name, text in pairs):
        yield "a URL with a key"
    if any(map(_drawn, _WORD.findall(parts.path))):
        # Addresses of web hooks: whoever knows one may post there.
        yield "a URL with a key in its path"


def _in_json(value: str) -> Iterator[str]:
    if value.lstrip()[:1] not in {"{", "["}:
        return
    try:
        data = json.loads(value)
    except ValueError:
        if any(names_a_secret(name) for name in re.findall(r"[\"'](\w+)[\"']\s*:\s*[\"'][^\"']", value)):
            yield "a text with a key in it"
        return
    yield from _in_data(data)


def _in_data(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        for name, inner in data.items():
            if isinstance(inner, str) and names_a_secret(name) and _is_value(inner):
                yield f"JSON with a secret at {name}"
            yield from _in_data(inner)
    elif isinstance(data, list):
        for inner in data:
            yield from _in_data(inner)
    elif isinstance(data, str) and not data.lstrip().startswith(("{", "[")):
        yield from _found(data)


def _in_pairs(value: str) -> Iterator[str]:
    """Connection strings and headers: `AccountKey=…`, `x-api-key: …`; prose may well say "key: value"."""
    pairs = [*_OPTION.findall(value), *_HEADER.findall(value)]
    if any(names_a_secret(name) and _is_value(text) for name, text in pairs):
        yield "a secret after its name"


def _is_value(text: str) -> bool:
    return bool(text) and not _PLACEHOLDER.match(text)


def _drawn(word: str) -> bool:
    """Whether nobody would write a word so: hexadecimal digits, or small and large letters among digits."""
    if re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", word) and re.search(r"\d", word) and re.search(r"[A-Fa-f]", word):
        return True
    kinds = [len(re.findall(kind, word)) for kind in ("[a-z]", "[A-Z]", r"\d")]
    changes = sum(_kind(left) != _kind(right) for left, right in pairwise(word))
    # Of letters and digits at random, six in ten differ in kind from the one before; in CamelCase, four.
    return min(kinds) > 1 and changes > 0.45 * len(word)


def _kind(character: str) -> int:
    return 0 if character.islower() else 1 if character.isupper() else 2
