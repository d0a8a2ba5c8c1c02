"""A chart that is pinned by digest is deployed from a verified archive, and another one under its version is not."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cdktf
import pytest

import main
from scripts.core.errors import ExitCode, OperatorError
from scripts.images.charts.archives import bring, verified
from scripts.images.charts.package import Package
from scripts.images.charts.publisher import fetch
from scripts.images.errors import ChartError
from stacks.platform.common import catalogue, releases
from stacks.platform.common.catalogue import Chart
from tests.support.images.chart_repository import ChartRepository, packaged
from tests.support.images.oci_registry import OciRegistry, digest_of

ARCHIVE = packaged("nice", "1.2.3")
HELM = shutil.which("helm")


@pytest.fixture
def repository() -> Iterator[ChartRepository]:
    with ChartRepository().serving() as serving:
        yield serving


@pytest.fixture
def registry() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as serving:
        yield serving


@pytest.fixture(params=["index", "oci"])
def offer(
    request: pytest.FixtureRequest, repository: ChartRepository, registry: OciRegistry
) -> Callable[[bytes], Chart]:
    """Return a function that puts an archive under the same version, and returns the chart pinned to it."""

    def put(archive: bytes) -> Chart:
        if request.param == "index":
            digest, place = repository.add("nice", "1.2.3", archive), repository.url
        else:
            digest = registry.add_chart("org/charts/nice", "1.2.3", archive)
            place = f"oci://{registry.name}/org/charts"
        return Chart(repository=place, name="nice", version="1.2.3", digest=digest)

    return put


def stack(folder: Path, *charts: str) -> Path:
    folder.mkdir(exist_ok=True)
    found = {f"release-{number}": {"chart": chart} for number, chart in enumerate(charts)}
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": {"helm_release": found}}))
    return folder


def test_the_archive_that_is_pinned_lies_where_its_release_looks_for_it(
    tmp_path: Path, offer: Callable[[bytes], Chart]
) -> None:
    chart = offer(ARCHIVE)
    folder = stack(tmp_path / "platform", f"./{chart.archive}", "./assets/own-chart/1")
    (folder / "charts").mkdir()
    (folder / "charts" / "nice-1.2.2-000000000000.tgz").write_bytes(b"of the last version")
    bring(folder, {"nice": chart}, pytest.fail, store=tmp_path / "store")
    assert (folder / chart.archive).read_bytes() == ARCHIVE
    assert [file.name for file in (folder / "charts").iterdir()] == [Path(chart.archive).name]


def test_a_chart_that_was_replaced_under_its_version_is_refused_with_both_digests(
    tmp_path: Path, offer: Callable[[bytes], Chart]
) -> None:
    pinned = offer(ARCHIVE)
    now = offer(packaged("nice", "1.2.3", "a: replaced\n"))
    folder = stack(tmp_path / "platform", f"./{pinned.archive}")
    with pytest.raises(ChartError, match=rf"nice 1.2.3 is {now.digest} now, .* pins {pinned.digest}$") as caught:
        bring(folder, {"nice": pinned}, pytest.fail, store=tmp_path / "store")
    assert caught.value.code == ExitCode.REFUSED
    assert not (folder / pinned.archive).exists()


def test_what_was_verified_once_needs_no_repository_and_damage_is_fetched_anew(
    tmp_path: Path, offer: Callable[[bytes], Chart]
) -> None:
    chart, store = offer(ARCHIVE), tmp_path / "store"
    verified(chart, store)

    def unasked(_chart: Chart) -> Package:
        raise AssertionError("the repository was asked")

    assert verified(chart, store, unasked).archive == ARCHIVE
    (kept,) = store.rglob("chart.tgz")
    kept.write_bytes(packaged("nice", "1.2.3", "a: damaged\n"))
    assert verified(chart, store, fetch).archive == ARCHIVE


def test_without_its_repository_a_stack_is_written_and_its_release_has_no_chart(tmp_path: Path) -> None:
    chart = Chart(repository="http://127.0.0.1:9", name="nice", version="1.2.3", digest=digest_of(ARCHIVE))
    folder, told = stack(tmp_path / "platform", f"./{chart.archive}"), list[str]()
    bring(folder, {"nice": chart}, told.append, store=tmp_path / "store")
    assert not (folder / chart.archive).exists()
    assert len(told) == 1
    assert "nice 1.2.3 cannot be fetched" in told[0]


def test_where_nothing_may_be_fetched_nobody_is_asked_and_what_is_not_kept_is_told_once(
    tmp_path: Path, offer: Callable[[bytes], Chart]
) -> None:
    kept, store, told = offer(ARCHIVE), tmp_path / "store", list[str]()
    verified(kept, store)
    lost = [replace(kept, name=name, digest=digest_of(name.encode())) for name in ("first", "second")]
    folder = stack(tmp_path / "platform", *(f"./{chart.archive}" for chart in (kept, *lost)))

    def unasked(_chart: Chart) -> Package:
        raise AssertionError("the repository was asked")

    pins = {chart.name: chart for chart in (kept, *lost)}
    bring(folder, pins, told.append, store=store, fetch=unasked, allowed=False)
    assert [file.name for file in (folder / "charts").iterdir()] == [Path(kept.archive).name]
    (said,) = told
    assert said == (
        "charts missing, so their releases cannot be planned:"
        " first 1.2.3 (LLMCTL_FETCH_CHARTS=never forbids to fetch it);"
        " second 1.2.3 (LLMCTL_FETCH_CHARTS=never forbids to fetch it)"
    )


def test_a_synthesis_with_every_archive_at_hand_loads_no_client_of_registries(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom scripts.images.charts.archives import bring\nfrom pathlib import Path\n"
        "bring(Path(sys.argv[1]), {}, print)\nprint('httpx' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(stack(tmp_path / "platform"))], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


def test_an_archive_that_no_pin_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"no pinned chart belongs to \./charts/other-1\.tgz"):
        bring(stack(tmp_path / "platform", "./charts/other-1.tgz"), {}, pytest.fail)


def test_an_index_that_names_another_digest_than_the_archive_has_is_refused(repository: ChartRepository) -> None:
    repository.add("nice", "1.2.3", ARCHIVE, digest=digest_of(b"another"))
    with pytest.raises(ChartError, match=rf"index.yaml names {digest_of(b'another')}, but .* is {digest_of(ARCHIVE)}"):
        fetch(Chart(repository=repository.url, name="nice", version="1.2.3"))


@pytest.mark.parametrize("content", [b"no yaml: [", b"entries: {}", b"entries: {nice: [{version: 1.0.0, urls: [a]}]}"])
def test_a_version_that_an_index_does_not_name_is_said(repository: ChartRepository, content: bytes) -> None:
    repository.files["/charts/index.yaml"] = content
    with pytest.raises(ChartError, match=r"nice 1\.2\.3 does not exist"):
        fetch(Chart(repository=repository.url, name="nice", version="1.2.3"))


@pytest.mark.parametrize(("version", "from_archive"), [(None, True), ("1.2.3", True), ("1.2.4", False)])
def test_a_release_takes_the_archive_of_its_pin_and_a_version_without_one_its_repository(
    monkeypatch: pytest.MonkeyPatch, version: str | None, from_archive: bool
) -> None:
    pin = Chart(repository="https://charts.example", name="nice", version="1.2.3", digest=digest_of(ARCHIVE))
    monkeypatch.setattr(releases, "charts", lambda: {"cert-manager": pin})
    scope = cdktf.TerraformStack(cdktf.Testing.app(), "platform")
    releases.add_release(scope, "cert-manager", namespace="a", computed_values={}, version=version)
    (release,) = json.loads(cdktf.Testing.synth(scope))["resource"]["helm_release"].values()
    if from_archive:
        assert release["chart"] == f"./charts/nice-1.2.3-{digest_of(ARCHIVE)[7:19]}.tgz"
        assert not {"repository", "version"} & set(release)
    else:
        assert (release["chart"], release["repository"], release["version"]) == ("nice", pin.repository, "1.2.4")


def test_the_release_of_an_archive_is_known() -> None:
    pin = Chart(repository="https://charts.example", name="nice", version="1.2.3", digest=digest_of(ARCHIVE))
    pins = {"first": replace(pin, name="other", digest=None), "second": pin}
    assert catalogue.pinned_release(f"./{pin.archive}", pins) == "second"
    assert catalogue.pinned_release("other", pins) == "first"
    assert catalogue.pinned_release("./assets/own-chart/1", pins) is None


@pytest.mark.parametrize("replaced", [False, True])
def test_the_application_itself_brings_the_archive_so_that_plain_cdktf_has_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: ChartRepository, replaced: bool
) -> None:
    digest = repository.add("external-secrets", "2.9.0", packaged("external-secrets", "2.9.0"))
    pin = Chart(repository=repository.url, name="external-secrets", version="2.9.0", digest=digest)
    if replaced:
        repository.add("external-secrets", "2.9.0", packaged("external-secrets", "2.9.0", "a: replaced\n"))
    pins = {**catalogue.charts(), "external-secrets": pin}
    for module in (main, releases):
        monkeypatch.setattr(module, "charts", lambda: pins)
    monkeypatch.setattr(bring, "__kwdefaults__", {"store": tmp_path / "store", "fetch": fetch})
    monkeypatch.delenv("LLMCTL_FETCH_CHARTS")
    monkeypatch.setenv("CDKTF_OUTDIR", str(tmp_path / "dev"))
    monkeypatch.setenv("PLATFORM_ENV", "dev")
    folder = tmp_path / "dev" / "stacks" / "platform"
    if replaced:
        with pytest.raises(SystemExit, match=rf"external-secrets 2.9.0 is sha256:\w+ now, .* pins {digest}"):
            main.main()
        assert not (folder / "charts").exists()
        return
    main.main()
    configured = json.loads((folder / "cdk.tf.json").read_text())["resource"]["helm_release"]["external-secrets"]
    assert digest_of((folder / configured["chart"]).read_bytes()) == digest


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not installed")
def test_the_real_helm_takes_what_was_verified(tmp_path: Path, offer: Callable[[bytes], Chart]) -> None:
    chart = offer(ARCHIVE)
    folder = stack(tmp_path / "platform", f"./{chart.archive}")
    bring(folder, {"nice": chart}, pytest.fail, store=tmp_path / "store")
    command = [str(HELM), "template", "release", f"./{chart.archive}"]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert "kind: ConfigMap" in shown.stdout
    assert "a: b" in shown.stdout


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not installed")
def test_a_chart_of_the_real_helm_has_the_digest_that_its_index_names(
    tmp_path: Path, repository: ChartRepository
) -> None:
    (tmp_path / "nice-1.2.3.tgz").write_bytes(ARCHIVE)
    subprocess.run([str(HELM), "repo", "index", "."], cwd=tmp_path, check=True, capture_output=True)
    for file in ("index.yaml", "nice-1.2.3.tgz"):
        repository.files[f"/charts/{file}"] = (tmp_path / file).read_bytes()
    assert fetch(Chart(repository=repository.url, name="nice", version="1.2.3")).digest == digest_of(ARCHIVE)
