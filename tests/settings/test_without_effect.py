"""A key that changes nothing is named, with what switches it off."""

import pytest

from stacks.settings import parse_settings
from stacks.settings.file.errors import dotted
from stacks.settings.file.without_effect import IDLE, _written, without_effect

MINIMAL = """\
name: dev
azure:
  subscription_id: 4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90
  region: westeurope
domain: llm.acme.io
ingress:
  acme_email: platform@acme.io
"""
T4 = "\ncluster:\n  gpu_pools:\n    t4: {vm_size: Standard_NC4as_T4_v3}\n"
OLLAMA = f"{T4}models:\n  - {{name: phi, engine: ollama, id: phi3.5, pool: t4, quantization: q4, weights_gib: 2.1}}\n"


def _notes(text: str) -> dict[str, str]:
    return {dotted(note.key): note.message for note in without_effect(parse_settings(MINIMAL + text, "file"))}


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("\nchat: {enabled: false, replicas: 2}", "chat.replicas", "chat.enabled is false"),
        ("\ngateway: {enabled: false, trace_chats: true}", "gateway.trace_chats", "gateway.enabled is false"),
        ("\nopik: {enabled: false, retention_days: 60}", "opik.retention_days", "opik.enabled is false"),
        (
            "\nmonitoring: {enabled: false, alerts: {receiver: webhook}}",
            "monitoring.alerts",
            "monitoring.enabled is false",
        ),
        ("\nserving: {hold_minutes: 5}", "serving.hold_minutes", "no model is listed"),
        (f"{OLLAMA}serving: {{startup_minutes: 60}}", "serving.startup_minutes", "no model is served by vllm"),
        ("\nnetwork: {nat_idle_timeout_minutes: 10}", "network.nat_idle_timeout_minutes", "is load-balancer"),
        ("\nnetwork: {gateway_subnet: 10.40.18.0/24}", "network.gateway_subnet", "ingress.mode is nginx"),
        ("\ndatabase: {standby_zone: 3}", "database.standby_zone", "is not zone-redundant"),
    ],
)
def test_a_key_without_effect_is_named_with_the_reason(text: str, key: str, why: str) -> None:
    notes = _notes(text)
    assert list(notes) == [key]
    assert why in notes[key]


def test_a_switch_that_is_off_is_no_note_itself() -> None:
    assert _notes("\nopik: {enabled: false}") == {}


def test_the_firewalls_mode_is_named_where_there_is_no_firewall() -> None:
    text = MINIMAL.replace(
        "ingress:",
        "ingress:\n  mode: application-gateway\n  application_gateway: {sku: Standard_v2, waf_mode: Detection}",
    )
    assert [dotted(note.key) for note in without_effect(parse_settings(text, "file"))] == [
        "ingress.application_gateway.waf_mode"
    ]


def test_every_key_of_the_table_exists() -> None:
    text = MINIMAL + "".join(
        f"\n{section}: {{}}" for section in ("chat", "gateway", "opik", "monitoring", "serving", "network", "database")
    )
    settings = parse_settings(text, "file")
    for key in (key for idle in IDLE for key in idle.keys):
        section: object = settings
        for part in key.removesuffix(".").split("."):
            fields = getattr(type(section), "model_fields", None)
            if fields is None:
                break  # an optional block that this file leaves out
            assert part in fields, key
            section = getattr(section, part)
        assert list(_written(settings, key)) == []
