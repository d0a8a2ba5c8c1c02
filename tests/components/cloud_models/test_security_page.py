"""What the security page says of models outside the network is what settings, traffic rules and chart do."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.security.page import PAGE
from stacks.platform.common.traffic import Direction, TrafficRule
from stacks.platform.components.cloud_models import address
from stacks.platform.components.cloud_models.release import cloud_egress
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.llm_gateway import address as gateway
from stacks.settings import Settings, load_settings, parse_settings
from stacks.settings.file.errors import SettingsError
from tests.support.kubernetes import rendered
from tests.support.llm_gateway.cloud_settings import FILE, cloud_settings
from tests.support.stacks.components import images_of, namespaces

ENVIRONMENTS = FILE.parent
HELM = pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not on PATH")
TENANT = "11111111-2222-3333-4444-555555555555"


def _says(sentence: str) -> bool:
    return " ".join(sentence.split()) in " ".join(PAGE.read_text("utf-8").split())


def _out(settings: Settings, of: str) -> Iterator[TrafficRule]:
    """Yield the rules of a namespace that let something out of the cluster's networks."""
    for rules in namespaces(settings):
        if rules.name == of:
            yield from (
                rule
                for rule in rules.traffic
                if rule.direction is Direction.EGRESS and any(peer.cidr == "0.0.0.0/0" for peer in rule.peers)
            )


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, Any]:
    values = cloud_egress(cloud_settings().cloud_models, images_of(cloud_settings()), tenant_id=TENANT)
    release = rendered.render(address.SERVICE, address.SERVICE, address.NAMESPACE, tmp_path, values)
    template: dict[str, Any] = release.get("Deployment", address.SERVICE)["spec"]["template"]["spec"]
    return template | {"config": release.file(address.SERVICE, "nginx.conf")}


def test_off_by_default() -> None:
    assert _says(
        "Off by default: without `cloud_models` there is no namespace `cloud`, and no prompt can leave by the LLM"
    )
    assert Settings.model_fields["cloud_models"].get_default(call_default_factory=True) == ()
    assert load_settings("dev").gateway.cloud_places == ()
    for name in ("dev", "prod"):
        settings = load_settings(name)
        assert address.NAMESPACE not in {rules.name for rules in namespaces(settings)}
        assert "cloud_models" not in enabled_components(settings)
        assert not list(_out(settings, gateway.NAMESPACE))


@pytest.mark.programs
@HELM
def test_where_prompts_go(pod: dict[str, Any]) -> None:
    assert _says("to the host of the model, and the service account's proof to `login.microsoftonline.com`")
    hosts = set(re.findall(r"proxy_set_header Host ([^;\s]+);", pod["config"]))
    assert hosts == {"acme-sweden.openai.azure.com", "models.acme.io", "login.microsoftonline.com"}


def test_what_the_network_enforces() -> None:
    assert _says(
        "the LLM gateway reaches no address outside the cluster; the pods of `cloud-egress` alone do, on the models'"
        " ports"
    )
    assert not list(_out(cloud_settings(), gateway.NAMESPACE))
    (rule,) = _out(cloud_settings(), address.NAMESPACE)
    assert rule.pods == address.PODS
    assert {port.number for port in rule.ports} == {443}


@pytest.mark.programs
@HELM
def test_what_the_pods_of_the_way_out_are(pod: dict[str, Any]) -> None:
    assert _says("which hold no secret and no Kubernetes token and run on a read-only root")
    assert pod["automountServiceAccountToken"] is False
    assert "secret" not in {kind for volume in pod["volumes"] for kind in volume}
    for container in pod["containers"]:
        assert not container.get("envFrom")
        assert not any("valueFrom" in variable for variable in container.get("env", ()))
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert _says("the host, its certificate, the paths, and the headers")
    assert "proxy_ssl_verify on;" in pod["config"]
    assert "proxy_pass_request_headers off;" in pod["config"]


@pytest.mark.parametrize(
    ("sentence", "file"),
    [
        (
            "compared with what it allows (`gateway.cloud_places`), and not read from Azure",
            "place_that_is_not_allowed",
        ),
        ("Behind `network.egress_proxy` there are no cloud models", "behind_a_proxy"),
    ],
)
def test_what_the_settings_refuse(sentence: str, file: str) -> None:
    assert _says(sentence)
    with pytest.raises(SettingsError, match="cloud_models"):
        parse_settings((ENVIRONMENTS / f"error.cloud_models.{file}.yaml").read_text("utf-8"), file)
