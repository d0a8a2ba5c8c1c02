"""`env check` and `deploy` warn where an Application Gateway lets every route through."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scripts.core.environment_check import verdict_of
from scripts.core.workspace import ROOT
from scripts.deployment.ready_file import refuse_unready

ALONE = "the hosts answer every path of the applications, administration included"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sku": "WAF_v2"}, ""),
        ({"sku": "WAF_v2", "waf_mode": "Prevention"}, ""),
        ({"sku": "WAF_v2", "waf_mode": "Detection"}, "ingress.application_gateway.waf_mode: Detection only logs"),
        ({"sku": "Standard_v2"}, "ingress.application_gateway.sku: Standard_v2 has no web application firewall"),
    ],
)
def test_a_gateway_without_a_firewall_that_refuses_is_noted(given: dict[str, str], said: str, tmp_path: Path) -> None:
    yaml = YAML(typ="safe", pure=True)
    file = yaml.load((ROOT / "environments" / "prod.yaml").read_text("utf-8"))
    file["ingress"]["application_gateway"] = given
    folder = tmp_path / "environments"
    folder.mkdir()
    with (folder / "prod.yaml").open("w", encoding="utf-8") as written:
        yaml.dump(file, written)
    verdict = verdict_of("prod", tmp_path, None)
    assert verdict.settings, verdict.errors
    found = [note for note in verdict.notes if ALONE in note]
    assert [note for note in found if not note.startswith(said)] == []
    assert len(found) == bool(said)


def test_deploy_warns_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "environments" / "prod.yaml").read_text("utf-8")
    text = re.sub(r"00000000-0000-0000-0000-000000000000", "11111111-2222-3333-4444-555555555555", text)
    text = text.replace("example.com", "contoso.com").replace("waf_mode: Prevention", "waf_mode: Detection")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "prod.yaml").write_text(text, "utf-8")
    refuse_unready("prod", tmp_path)
    assert "Warning: ingress.application_gateway.waf_mode: Detection" in capsys.readouterr().err
