"""Opik's data: disks, volumes and claims, and the order of installing and removing."""

import re

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.components.opik import release, secrets
from stacks.platform.components.opik.stores import CLAIMS, stores
from stacks.settings import load_settings
from stacks.settings.data import DataDisk
from tests.support.opik.settings import ENVIRONMENTS, HOST, Environment, opik_resources, settings_of
from tests.support.stacks.components import secret_templates, with_images
from tests.support.stacks.synthesis import synthesize


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_store_has_its_own_disk_volume_and_claim_that_name_each_other(
    environment: Environment, name: str
) -> None:
    volumes = opik_resources(environment, name, "persistent_volume")
    claims = opik_resources(environment, name, "persistent_volume_claim")
    assert len(volumes) == len(claims) == len(DataDisk)
    bound: dict[str, tuple[str, str]] = {}
    for resource, claim in claims.items():
        reference = re.fullmatch(
            r"\$\{kubernetes_persistent_volume_v1\.([\w-]+)\.metadata\[0\]\.name\}", claim["spec"]["volume_name"]
        )
        assert reference, resource
        volume = volumes[reference.group(1)]["spec"][0]
        assert volume["claim_ref"]["name"] == claim["metadata"]["name"]
        assert volume["claim_ref"]["namespace"] == claim["metadata"]["namespace"]
        assert volume["storage_class_name"] == claim["spec"]["storage_class_name"]
        assert volume["capacity"] == claim["spec"]["resources"]["requests"]
        assert volume["persistent_volume_reclaim_policy"] == "Retain"
        source = volume["persistent_volume_source"]["csi"]
        bound[claim["metadata"]["name"]] = (source["volume_handle"], volume["capacity"]["storage"])
    disks = load_settings(name).disks
    assert bound == {
        CLAIMS[disk]: (
            f"${{data.terraform_remote_state.disks-state.outputs.{disk.value}_disk_id}}",
            f"{disks.size_gib(disk)}Gi",
        )
        for disk in DataDisk
    }


def test_claim_of_clickhouse_is_the_one_that_the_operator_derives_from_the_release() -> None:
    clickhouse = release.opik(*with_images(settings_of()))["clickhouse"]
    template = clickhouse["templates"]["volumeClaimTemplate"]
    (own,) = clickhouse["extraVolumeClaimTemplates"]
    assert own["name"] == template
    assert f"{template}-chi-opik-clickhouse-cluster-0-0-0" == CLAIMS[DataDisk.CLICKHOUSE]


def test_four_stores_take_the_claim_that_exists() -> None:
    values = release.opik(*with_images(settings_of()))
    persistence = {
        DataDisk.MYSQL: values["mysql"]["primary"]["persistence"],
        DataDisk.REDIS: values["redis"]["persistence"],
        DataDisk.MINIO: values["minio"]["persistence"],
        DataDisk.ZOOKEEPER: values["zookeeper"]["persistence"],
    }
    assert {disk: found["existingClaim"] for disk, found in persistence.items()} == {
        disk: CLAIMS[disk] for disk in persistence
    }
    assert len(set(CLAIMS.values())) == len(DataDisk)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_deleting_the_installation_of_clickhouse_keeps_tables_and_claim(name: str) -> None:
    settings = load_settings(name)
    (template,) = release.opik(*with_images(settings))["clickhouse"]["extraVolumeClaimTemplates"]
    assert template["reclaimPolicy"] == "Retain"
    # The operator raises the claim to the template's size; any other than the volume's would be a quarrel.
    assert template["spec"]["resources"]["requests"]["storage"] == f"{settings.disks.clickhouse_gib}Gi"
    assert template["spec"]["storageClassName"] == "static-disk"


def test_disk_that_grows_grows_volume_claim_and_template() -> None:
    grown = settings_of("dev", disks={"clickhouse_gib": 256})
    (store,) = (store for store in stores(grown) if store.disk is DataDisk.CLICKHOUSE)
    (template,) = release.opik(*with_images(grown))["clickhouse"]["extraVolumeClaimTemplates"]
    assert store.capacity == template["spec"]["resources"]["requests"]["storage"] == "256Gi"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_class_of_the_volumes_makes_none_and_lets_them_grow(environment: Environment, name: str) -> None:
    (found,) = opik_resources(environment, name, "storage_class").values()
    assert found["storage_provisioner"] == "kubernetes.io/no-provisioner"
    assert found["allow_volume_expansion"] is True
    assert found["reclaim_policy"] == "Retain"


def test_restored_disk_becomes_a_volume_of_another_name() -> None:
    before = {store.disk: store.volume for store in stores(settings_of())}
    after = {store.disk: store.volume for store in stores(settings_of(disks={"generations": {DataDisk.MYSQL: 2}}))}
    assert {disk for disk in DataDisk if before[disk] != after[disk]} == {DataDisk.MYSQL}


def test_zonal_disks_keep_their_pods_in_the_zone_and_zone_redundant_ones_do_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    zonal = settings_of("dev", disks={"redundancy": "lrs", "lrs_zone": 2})
    assert {store.zone for store in stores(zonal)} == {"westeurope-2"}
    assert {store.zone for store in stores(settings_of("dev"))} == {None}
    volumes = synthesize(zonal, tmp_path_factory.mktemp("zonal")).resources(
        "platform", "kubernetes_persistent_volume_v1"
    )
    assert len([resource for resource in volumes if resource.startswith("opik-")]) == len(DataDisk)
    for resource, volume in volumes.items():
        if not resource.startswith("opik-"):
            continue
        (term,) = volume["spec"][0]["node_affinity"]["required"]["node_selector_term"]
        assert term["match_expressions"] == [
            {"key": "topology.disk.csi.azure.com/zone", "operator": "In", "values": ["westeurope-2"]}
        ]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_marks_of_an_operator_on_a_claim_are_no_difference(environment: Environment, name: str) -> None:
    for claim in opik_resources(environment, name, "persistent_volume_claim").values():
        assert claim["lifecycle"]["ignore_changes"] == ["metadata[0].labels", "metadata[0].annotations"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_operator_and_claims_outlive_the_installation(environment: Environment, name: str) -> None:
    releases = environment(name).resources("platform", "helm_release")
    waits_for = releases["opik"]["depends_on"]
    assert "helm_release.altinity-clickhouse-operator" in waits_for
    claims = {
        f"kubernetes_persistent_volume_claim_v1.{c}"
        for c in opik_resources(environment, name, "persistent_volume_claim")
    }
    assert claims <= set(waits_for)
    assert "altinity-clickhouse-operator" in releases
    fixed = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())
    assert fixed["altinity-clickhouse-operator"] == {"enabled": False}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_nothing_interrupts_or_turns_back_a_migration(environment: Environment, name: str) -> None:
    opik = environment(name).resources("platform", "helm_release")["opik"]
    assert opik["atomic"] is False
    assert opik["cleanup_on_fail"] is False
    assert opik["wait"] is True
    assert opik["wait_for_jobs"] is False
    assert opik["timeout"] >= 3600


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_nothing_of_opik_starts_before_every_secret_is_there(environment: Environment, name: str) -> None:
    (job,) = opik_resources(environment, name, "job").values()
    assert job["wait_for_completion"] is True
    assert "helm_release.platform-secrets" in job["depends_on"]
    pod = job["spec"]["template"]["spec"]
    mounted = {volume["secret"]["secret_name"]: volume["secret"]["items"] for volume in pod["volume"]}
    assert set(mounted) == set(secrets.KEYS)
    for items in mounted.values():
        assert [item["key"] for item in items] == [VERSIONS_KEY]
    releases = environment(name).resources("platform", "helm_release")
    for installed in ("opik", "altinity-clickhouse-operator", "oauth2-proxy", "login-sessions"):
        assert "kubernetes_job_v1.opik-secrets" in releases[installed]["depends_on"], installed


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_job_waits_for_the_versions_that_are_delivered(environment: Environment, name: str) -> None:
    job = opik_resources(environment, name, "job")["opik-secrets"]
    (container,) = job["spec"]["template"]["spec"]["container"]
    delivered = secret_templates(load_settings(name), database_host=HOST)["opik"]
    assert container["command"][4:] == [f"{secret}={delivered[secret][VERSIONS_KEY]}" for secret in sorted(delivered)]


def test_the_autoscaler_takes_no_node_from_under_a_migration() -> None:
    annotations_ = release.opik(*with_images(settings_of()))["podAnnotations"]
    assert annotations_["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
