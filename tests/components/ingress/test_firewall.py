"""Ordinary prompts, code, logs and clients pass the firewall's rules as Azure's policy applies them; attacks do not.

The rules are OWASP's own, run by a real ModSecurity before an application that takes everything
(`tests/support/ingress/firewall_rules.py`).
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.ingress.firewall_rules import APACHE, MODULES, RULES, Firewall, Verdict, running_firewall
from tests.support.stacks.disposable import network_stack

CORPUS: dict[str, Any] = YAML(typ="safe").load(
    Path(__file__).parents[2] / "support" / "ingress" / "firewall_corpus.yaml"
)
BROWSER = CORPUS["clients"][-1]
HEADERS = {"Host": "api.llm.example.com", "Accept": "*/*", "User-Agent": BROWSER}

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(
        not (APACHE and RULES.is_dir() and (MODULES / "mod_security2.so").is_file()),
        reason="Debian's libapache2-mod-security2 and modsecurity-crs are not installed",
    ),
]

Request = dict[str, Any]


def _chat(prompt: str) -> Request:
    message = {"model": "llama3", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    return {
        "method": "POST",
        "target": "/v1/chat/completions",
        "headers": {"Content-Type": "application/json", "Authorization": "Bearer sk-x--y-1"},
        "body": json.dumps(message),
    }


def _request(listed: Request) -> Request:
    """Return a request of the corpus with what every client sends."""
    plain = listed | (_chat(listed["prompt"]) if "prompt" in listed else {})
    body = plain.get("body", "")
    length = {"Content-Length": str(len(body.encode()))} if body or plain["method"] != "GET" else {}
    return {
        "name": plain["name"],
        "method": plain["method"],
        "target": plain["target"],
        "headers": HEADERS | length | plain.get("headers", {}),
        "body": body,
    }


def _clients() -> Iterator[Request]:
    for agent in CORPUS["clients"]:
        asked = _chat("hello")
        yield {"name": agent, **asked, "headers": asked["headers"] | {"User-Agent": agent}}
    # Programs that say little about themselves.
    yield {"name": "no Accept", **_chat("hello")}


def _policy() -> dict[str, Any]:
    (policy,) = network_stack("prod")["resource"]["azurerm_web_application_firewall_policy"].values()
    # Those have a test of their own (test_firewall_routes.py), and would refuse what is sent to another host here.
    return {key: deepcopy(value) for key, value in policy.items() if key != "custom_rules"}


def _bare() -> dict[str, Any]:
    """Return the policy without what it exempts."""
    policy = _policy()
    policy["managed_rules"]["exclusion"] = []
    for rules in policy["managed_rules"]["managed_rule_set"]:
        rules.pop("rule_group_override", None)
    return policy


@pytest.fixture(scope="module", name="judged")
def _judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[list[Request]], dict[str, Verdict]]]:
    """Return what checks requests by the policy of `prod`."""
    with running_firewall(tmp_path_factory.mktemp("firewall"), _policy()) as firewall:
        yield lambda requests: _verdicts(firewall, requests)


def _verdicts(firewall: Firewall, requests: list[Request]) -> dict[str, Verdict]:
    found = {}
    for listed in requests:
        asked = _request(listed)
        name = asked.pop("name")
        found[name] = firewall.judge(**asked)
    return found


Judge = Callable[[list[Request]], dict[str, Verdict]]


def test_prompts_code_logs_and_pages_pass(judged: Judge) -> None:
    verdicts = judged(CORPUS["passed"])
    assert len(verdicts) == len(CORPUS["passed"])
    assert {name: verdict.rules for name, verdict in verdicts.items() if verdict.refused} == {}


def test_programs_pass_whatever_library_they_use(judged: Judge) -> None:
    verdicts = judged(list(_clients()))
    assert {name: verdict.rules for name, verdict in verdicts.items() if verdict.refused} == {}


def test_attacks_on_paths_and_headers_are_refused(judged: Judge) -> None:
    verdicts = judged(CORPUS["refused"])
    assert [name for name, verdict in verdicts.items() if not verdict.refused] == []


def test_without_the_exemptions_most_of_it_would_be_refused(tmp_path: Path) -> None:
    """The corpus is one that the bare rules refuse, so that the tests above say something."""
    with running_firewall(tmp_path, _bare()) as firewall:
        verdicts = _verdicts(firewall, [*CORPUS["passed"], *_clients()])
    assert {name for name, verdict in verdicts.items() if verdict.refused} >= {
        "HTML",
        "a raw HTTP request",
        "a stack trace of Java",
        "a page's address",
        "SQL",
        "a shell script",
        "PHP",
        "traces of OpenTelemetry",
        "a chat that is deleted",
        "python-requests/2.32.4",
    }
