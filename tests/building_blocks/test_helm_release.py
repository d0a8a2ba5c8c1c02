"""Helm releases take their pins and values from `helm/`, and Terraform hands the values on unchanged."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cdktf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from constructs.helm_release import ChartReference, HelmRelease
from constructs.helm_values import values_text
from constructs.terraform_literal import terraform_literal
from stacks.platform.common.catalogue import HELM, charts, images, own_chart, values_files
from stacks.platform.common.releases import add_release

TERRAFORM = shutil.which("terraform")
needs_terraform = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH")

AWKWARD = [
    "${not_a_reference}",
    "%{ if not_a_directive }",
    "$${already.doubled} %%{ too }",
    'quotes " and back\\slashes \\n',
    "{{ .Values.template }} $1 % 100%",
    "a: |\n  b\n\tc\n",
]


def _release(scope: cdktf.TerraformStack, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"namespace": "ns", "computed_values": {"replicaCount": 2}} | changes
    name = arguments.pop("name", "cert-manager")
    add_release(scope, name, **arguments)
    release: dict[str, Any] = json.loads(cdktf.Testing.synth(scope))["resource"]["helm_release"][name]
    return release


@pytest.fixture
def scope() -> cdktf.TerraformStack:
    """Return an empty stack."""
    return cdktf.TerraformStack(cdktf.Testing.app(), "stack")


@pytest.fixture
def outputs_of(tmp_path: Path) -> Any:
    """Return a function that lets the real Terraform evaluate a stack and returns its outputs."""

    def evaluate(stack: cdktf.TerraformStack) -> dict[str, Any]:
        (tmp_path / "cdk.tf.json").write_text(cdktf.Testing.synth(stack))
        for command in (["init"], ["apply", "-auto-approve"]):
            subprocess.run([str(TERRAFORM), *command, "-no-color"], cwd=tmp_path, check=True, capture_output=True)
        state = json.loads((tmp_path / "terraform.tfstate").read_text())
        return {name: output["value"] for name, output in state["outputs"].items()}

    return evaluate


@pytest.mark.parametrize("name", sorted(charts()))
def test_release_is_the_pinned_chart(scope: cdktf.TerraformStack, name: str) -> None:
    """By the archive that has the pinned digest; without one, by the version that its repository has."""
    release, pin = _release(scope, name=name), charts()[name]
    found = tuple(release.get(key) for key in ("repository", "chart", "version"))
    assert found == ((None, f"./{pin.archive}", None) if pin.digest else (pin.repository, pin.name, pin.version))
    assert release["name"] == name


def test_failed_upgrade_is_rolled_back_and_everything_is_waited_for(scope: cdktf.TerraformStack) -> None:
    release = _release(scope)
    assert all(release[key] for key in ("atomic", "cleanup_on_fail", "wait", "wait_for_jobs"))
    assert 0 < release["max_history"] <= 10
    assert release["timeout"] > 300


def test_values_are_base_then_variants_then_computed(scope: cdktf.TerraformStack) -> None:
    folder = HELM / "cert-manager"
    base, variant, computed = _release(scope, variants=("ha",))["values"]
    assert base == (folder / "values.yaml").read_text()
    assert variant == (folder / "values.ha.yaml").read_text()
    assert json.loads(computed)


def test_own_chart_travels_with_the_stack(scope: cdktf.TerraformStack) -> None:
    release = _release(scope, name="platform-issuers")
    assert release["chart"].startswith("./assets/platform-issuers-chart/")
    assert "version" not in release
    assert "repository" not in release


def test_missing_variant_is_refused_by_its_file_name(scope: cdktf.TerraformStack) -> None:
    with pytest.raises(ValueError, match=r"helm/cert-manager/values\.none\.yaml does not exist"):
        _release(scope, variants=("none",))


def test_name_that_helm_refuses_is_refused(scope: cdktf.TerraformStack) -> None:
    with pytest.raises(ValueError, match="has 54 characters, Helm allows 53"):
        HelmRelease(
            scope,
            "release",
            name="x" * 54,
            namespace="ns",
            chart=ChartReference(name="chart"),
            values=[],
            computed_values={},
        )


@pytest.mark.parametrize("unsafe", ['say "x"', "back\\slash", "%{ if x }"])
def test_text_that_cdktf_would_write_wrongly_beside_a_token_is_refused(
    scope: cdktf.TerraformStack, unsafe: str
) -> None:
    token = cdktf.Token.as_string(cdktf.Fn.upper("x"))
    with pytest.raises(ValueError, match=r"cert-manager\.a\[1\]\.b: .* write it in the release's values file"):
        _release(scope, computed_values={"a": ["fine", {"b": f"{unsafe} {token}"}]})


@pytest.mark.programs
@needs_terraform
def test_terraform_hands_files_on_unchanged(scope: cdktf.TerraformStack, outputs_of: Any) -> None:
    texts = [*AWKWARD, *(file.read_text() for file in sorted(HELM.glob("*/values*.yaml")))]
    for index, text in enumerate(texts):
        cdktf.TerraformOutput(scope, f"text{index}", value=terraform_literal(text))
    values = outputs_of(scope)
    assert [values[f"text{index}"] for index in range(len(texts))] == texts


@pytest.mark.programs
@needs_terraform
def test_terraform_resolves_computed_values_to_what_was_passed(scope: cdktf.TerraformStack, outputs_of: Any) -> None:
    local = cdktf.TerraformLocal(
        scope, "handed-on", {"id": "from another stack", "versions": {"a": 1}, "quoted": 'a "quoted" \\ text'}
    )
    zones = cdktf.Token.as_list(cdktf.Fn.split(",", "1,2"))
    count = cdktf.Token.as_number(cdktf.Fn.length_of(zones))
    computed = {
        "text": "newline\nand ${dollar}",
        'awkward "key" \\ %{ if x }': AWKWARD,
        "flag": True,
        "nothing": None,
        "number": 3,
        "list": ["10.0.0.0/8"],
        "id": cdktf.Token.as_string(cdktf.Fn.lookup(local.expression, "id", "")),
        "url": f"https://{cdktf.Token.as_string(cdktf.Fn.lookup(local.expression, 'id', ''))}/path",
        "quoted": cdktf.Token.as_string(cdktf.Fn.lookup(local.expression, "quoted", "")),
        "versions": cdktf.Token.as_number_map(cdktf.Fn.lookup(local.expression, "versions", {})),
        "zones": zones,
        "nested": [{"count": count}],
    }
    cdktf.TerraformOutput(scope, "computed", value=values_text(computed))
    resolved = json.loads(outputs_of(scope)["computed"])
    assert resolved == computed | {
        "id": "from another stack",
        "url": "https://from another stack/path",
        "quoted": 'a "quoted" \\ text',
        "versions": {"a": 1},
        "zones": ["1", "2"],
        "nested": [{"count": 2}],
    }


PLAIN = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@pytest.mark.slow
def test_values_without_tokens_are_plain_json(values: object) -> None:
    assert json.loads(re.sub(r"([$%])\1\{", r"\1{", values_text(values))) == values


@given(st.text(alphabet="$%{}a\n"))
def test_literal_is_an_escape_that_terraform_undoes(text: str) -> None:
    literal = terraform_literal(text)
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", literal)
    assert re.sub(r"([$%])\1\{", r"\1{", literal) == text


def test_every_release_has_values_and_every_chart_a_pin() -> None:
    jobs = {"databases"}
    folders = {folder.name for folder in HELM.iterdir() if folder.is_dir()} - jobs
    assert folders == set(charts()) | {name for name in folders if own_chart(name)}
    for name in folders:
        assert values_files(name)


def test_no_version_floats() -> None:
    for image in images().values():
        assert image.tag not in {"", "latest", "main", "edge"}, image
    for chart in charts().values():
        assert chart.version.lstrip("v")[0].isdigit(), chart


def test_every_pin_can_be_found_by_a_dependency_bot() -> None:
    for file in ("charts.yaml", "images.yaml"):
        lines = (HELM / file).read_text().splitlines()
        pins = [line for line in lines if line.strip().startswith(("version:", "tag:"))]
        assert pins
        assert all("# renovate: datasource=" in line and " depName=" in line for line in pins)


def test_values_files_name_no_image() -> None:
    for file in HELM.glob("*/values*.yaml"):
        assert "tag" not in _keys(YAML(typ="safe").load(file.read_text())), f"{file}: images belong into images.yaml"


def _keys(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in _keys(value)}
    if isinstance(node, list):
        return {key for item in node for key in _keys(item)}
    return set()
