"""Read an environment file into settings, or say in one line per error what to change."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from .. import rules
from ..environment import Settings
from ..model_catalogue.entries import DECIDED_BY_A_NAME, completed, unknown_names
from ..private_access import with_private_defaults
from ..rules import Finding
from . import yaml_source
from .errors import ABSENT, Key, LocatedError, SettingsError, dotted, one_line, shown
from .explain import explain, names_a_secret
from .yaml_source import Source

ENVIRONMENTS = Path(__file__).parents[3] / "environments"
"""Where environment files lie, and the lock files beside them; looked up at each use."""
_NAME = re.compile(r"[a-z][a-z0-9]{1,9}")
HIDDEN = (("chat", "secrets"), ("network", "egress_proxy", "url"), ("trust", "company_roots"))
"""Where a secret may have been written by mistake: in place of a secret's name, before a host, beside a certificate."""


def available_environments(folder: Path | None = None) -> list[str]:
    """Return the names of the environments that have a file in `folder`, by default the repository's."""
    return sorted(path.stem for path in (folder or ENVIRONMENTS).glob("*.yaml"))


@dataclass(frozen=True)
class Loaded:
    """Sound settings, and the file that they were read from."""

    settings: Settings
    source: Source

    def locate(self, findings: Iterable[Finding]) -> list[LocatedError]:
        """Return `findings` with their place and value in the file."""
        return _in_order(_locate(findings, self.source, rules.sections(self.settings)))


def load_settings(env: str, folder: Path | None = None) -> Settings:
    """Return the settings of `<folder>/<env>.yaml`, by default of the repository's `environments/`.

    Raises SettingsError, naming every error, when the file is missing, is not YAML, or breaks a rule.
    """
    return load(env, folder).settings


def load(env: str, folder: Path | None = None) -> Loaded:
    """Return the settings of `<folder>/<env>.yaml` together with their source; raises as `load_settings` does."""
    folder = folder or ENVIRONMENTS
    label = f"{folder.name}/{env}.yaml"
    if not _NAME.fullmatch(env):
        shape = "is no environment's name: 2 to 10 lower-case letters and digits that begin with a letter"
        raise SettingsError([LocatedError(one_line(env) or '""', None, "", "", shape)])
    path = folder / f"{env}.yaml"
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise SettingsError([LocatedError(label, None, "", "", "is no ordinary file; write the environment into one")])
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        reason = "is a link to a file that does not exist" if path.is_symlink() else _missing_file(env, folder)
        raise SettingsError([LocatedError(label, None, "", "", reason)]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError([LocatedError(label, line, "", "", "is not UTF-8 text; save it as UTF-8")]) from None
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise SettingsError([LocatedError(label, None, "", "", reason)]) from None
    return _parse(text, label, env)


def parse_settings(text: str, file_label: str, env: str | None = None) -> Settings:
    """Return the settings written in `text`; `file_label` names it in errors.

    `env` is the name that the settings must carry, if any. Raises SettingsError naming every error.
    """
    return _parse(text, file_label, env).settings


@lru_cache(maxsize=8)
def _parse(text: str, file_label: str, env: str | None) -> Loaded:
    # Most of the time goes into YAML in pure Python; a command reads the same file several times.
    source = yaml_source.read(text, file_label)
    data = completed(with_private_defaults(source.data))
    unknown = {index: (name, message) for index, name, message in unknown_names(source.data)}
    errors = [_located(source, ("models", index, "name"), name, message) for index, (name, message) in unknown.items()]
    settings: Settings | None = None
    try:
        # JSON, because pydantic's strict mode takes lists and texts for tuples and enumerations only from there.
        settings = Settings.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False)
        for detail in found:
            key, value, message = explain(detail)
            if detail["type"] == "missing" and _told_by_name(key, unknown):
                continue
            errors.append(_located(source, key, shown(value), message))
        broken = {str(detail["loc"][0]) for detail in found if detail["loc"]}
        sections = _sound_sections(data, broken)
    else:
        sections = rules.sections(settings)
    named = source.data.get("name")
    if env is not None and isinstance(named, str) and named != env:
        errors.append(_located(source, ("name",), named, f"must be {env}, as the file is named; rename one of the two"))
    errors += _locate(_broken_rules(sections), source, sections)
    if errors or settings is None:
        raise SettingsError(_in_order(errors))
    return Loaded(settings, source)


def _told_by_name(key: Key, unknown: Mapping[int, object]) -> bool:
    """Whether a missing key is one that a name of the catalogue would stand for, and the name has been reported."""
    return len(key) == 3 and key[0] == "models" and key[1] in unknown and key[2] in DECIDED_BY_A_NAME


def _sound_sections(data: dict[str, object], broken: set[str]) -> dict[str, object]:
    sections: dict[str, object] = {}
    for name, field in Settings.model_fields.items():
        if name in broken:
            continue
        if name not in data:
            sections[name] = field.get_default()
            continue
        annotation: Any = field.annotation
        for constraint in field.metadata:
            annotation = Annotated[annotation, constraint]
        sections[name] = TypeAdapter(annotation).validate_json(json.dumps(data[name]), strict=True)
    return sections


def _broken_rules(sections: Mapping[str, object]) -> Iterator[Finding]:
    for rule in rules.ALL:
        yield from rules.apply(rule, sections)


def _locate(findings: Iterable[Finding], source: Source, sections: Mapping[str, object]) -> list[LocatedError]:
    return [
        _located(
            source,
            finding.key,
            _written_at(source.data, sections, finding.key) if finding.shows_value else "",
            finding.message,
        )
        for finding in findings
    ]


def _written_at(data: object, sections: object, key: Key) -> str:
    """Return the value that stands in the file at `key`, or the default that applies instead."""
    written, applied = data, sections
    for part in key:
        written = _child(written, part)
        applied = _child(applied, part)
    if written is not ABSENT:
        return shown(written)
    if applied is None or applied is ABSENT:
        return ""
    value = shown(list(applied) if isinstance(applied, tuple) else applied if _plain(applied) else str(applied))
    return f"{value} (default)" if value else ""


def _plain(value: object) -> bool:
    return isinstance(value, bool | int | float)


def _child(parent: object, part: str | int) -> object:
    match parent:
        case dict():
            return parent.get(part, ABSENT)
        case list() | tuple() if isinstance(part, int) and part < len(parent):
            return parent[part]
    return getattr(parent, str(part), ABSENT)


def _located(source: Source, key: Key, value: str, message: str) -> LocatedError:
    hidden = names_a_secret(key) or any(key[: len(place)] == place for place in HIDDEN)
    return LocatedError(source.file, source.line(key), dotted(key), "" if hidden else value, message)


def _in_order(errors: list[LocatedError]) -> list[LocatedError]:
    return sorted(dict.fromkeys(errors), key=lambda error: error.line or 0)


def _missing_file(env: str, folder: Path) -> str:
    known = available_environments(folder)
    near = get_close_matches(env, known, n=1)
    there = f"there are {', '.join(known)}" if known else "there is none yet"
    meant = f", did you mean {near[0]}?" if near else ""
    return f"does not exist; {there}{meant}; llmctl env new {env} writes it"
