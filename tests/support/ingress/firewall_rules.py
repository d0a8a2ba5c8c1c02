"""The firewall policy of Azure's Application Gateway, run by a real ModSecurity on this machine.

Azure runs OWASP's Core Rule Set 3.2 with anomaly scoring: a request is refused from 5 points on
(https://learn.microsoft.com/azure/web-application-firewall/ag/application-gateway-crs-rulegroups-rules). Debian's
packages `libapache2-mod-security2` and `modsecurity-crs` bring engine and rules; the rules are 3.3 there, the nearest
that a package has, and `CRS_RULES` may name a folder with others. Rules of paranoia level 2, of which Azure lists
several, are on.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, port_of, served

from .firewall_custom import custom_rules
from .nginx import free_port

RULES = Path(os.environ.get("CRS_RULES", "/usr/share/modsecurity-crs/rules"))
APACHE = shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MODULES = Path("/usr/lib/apache2/modules")
TARGETS = {"RequestArgNames": "ARGS", "RequestArgKeys": "ARGS_NAMES", "RequestCookieNames": "REQUEST_COOKIES"}
"""Variables of ModSecurity by what Azure calls them: a name stands for the values that bear it."""

_SETUP = r"""
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 2097152
SecRequestBodyNoFilesLimit 2097152
SecPcreMatchLimit 500000
SecPcreMatchLimitRecursion 500000
SecTmpDir {folder}
SecDataDir {folder}
SecAuditEngine Off
SecRule REQUEST_HEADERS:Content-Type "^application/(?:[a-z0-9.-]+\+)?json" \
  "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecDefaultAction "phase:1,log,pass"
SecDefaultAction "phase:2,log,pass"
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level=2,setvar:tx.executing_paranoia_level=2"
SecAction "id:900110,phase:1,nolog,pass,t:none,setvar:tx.inbound_anomaly_score_threshold=5"
SecAction "id:900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version=330"
"""
_APACHE = """
ServerRoot {folder}
PidFile {folder}/pid
Mutex file:{folder} default
Listen 127.0.0.1:{port}
ServerName firewall
ErrorLog {folder}/errors
LogLevel warn
{modules}
AllowEncodedSlashes NoDecode
ProxyPass / http://127.0.0.1:{behind}/ nocanon
"""
_MODULES = ("mpm_event", "authz_core", "unique_id", "proxy", "proxy_http", "security2")
_LEFT_OUT = re.compile(r"^(REQUEST-(900|903|910|912|934)|RESPONSE-)")
"""Exceptions for other applications, what is known of callers, a group that Azure does not have, and answers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a request."""

    refused: bool
    rules: tuple[str, ...]
    """Number, text and place of every rule that it matched."""


def directives(policy: Mapping[str, Any]) -> str:
    """Return what stands for the managed rules of a synthesized `azurerm_web_application_firewall_policy`."""
    files = [file for file in sorted(RULES.glob("*.conf")) if not _LEFT_OUT.match(file.name)]
    rules = policy["managed_rules"]
    (owasp,) = (found for found in rules["managed_rule_set"] if found["type"] == "OWASP")
    removed = [
        f"SecRuleRemoveById {rule['id']}"
        for group in owasp.get("rule_group_override", ())
        for rule in group["rule"]
        if not rule["enabled"]
    ]
    includes = [f"Include {file}" for file in files]
    exclusions = _exclusions(rules.get("exclusion", ()))
    return "\n".join([*custom_rules(policy), *includes, *removed, *exclusions, ""])


def _exclusions(exclusions: list[Mapping[str, Any]]) -> Iterator[str]:
    for exclusion in exclusions:
        assert (exclusion["selector"], exclusion["selector_match_operator"]) == ("*", "EqualsAny")
        for group in exclusion["excluded_rule_set"]["rule_group"]:
            (number,) = re.findall(r"^REQUEST-(\d{3})-", group["rule_group_name"])
            target = TARGETS[exclusion["match_variable"]]
            yield f'SecRuleUpdateTargetById {number}000-{number}999 "!{target}"'


class _Behind(QuietHandler):
    """An application that takes everything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._take
        raise AttributeError(name)

    def _take(self) -> None:
        self.body()
        self.answer(200)


class Firewall:
    """A running firewall."""

    def __init__(self, port: int, errors: Path) -> None:
        """Take the port that it listens on, and its log."""
        self.port = port
        self._errors = errors

    def judge(self, *, method: str, target: str, headers: Mapping[str, str], body: str) -> Verdict:
        """Send one request."""
        before = self._errors.stat().st_size
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body.encode() or None)
        status = connection.getresponse().status
        connection.close()
        with self._errors.open(errors="replace") as log:
            log.seek(before)
            found = re.findall(r'\[id "(\d+)"\].*?\[msg "([^"]*)"\](?: \[data "([^"]*)"\])?', log.read())
        return Verdict(status != 200, tuple(" ".join(part for part in match if part) for match in found))


@contextmanager
def running_firewall(folder: Path, policy: Mapping[str, Any]) -> Iterator[Firewall]:
    """Run the policy's rules before an application that takes everything."""
    port, errors = free_port(), folder / "errors"
    modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _MODULES)
    with served(_Behind) as behind:
        apache = _APACHE.format(folder=folder, port=port, behind=port_of(behind), modules=modules)
        config = folder / "apache.conf"
        config.write_text(apache + _SETUP.format(folder=folder) + directives(policy))
        process = subprocess.Popen([str(APACHE), "-f", str(config), "-DFOREGROUND"], stderr=subprocess.PIPE, text=True)
        try:
            _wait(process, port, errors)
            yield Firewall(port, errors)
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[str], port: int, errors: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            assert process.poll() is None, (process.stderr.read() if process.stderr else "") + errors.read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return
