"""Opik's rules and what the stacks make of them: volumes, passwords, sizes, login, front door, order of removal."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.kubernetes.accounts import OAUTH2_PROXY, login_accounts
from stacks.kubernetes.catalogue import HELM, values_files
from stacks.kubernetes.deliveries import deliveries, formats
from stacks.kubernetes.flows import Direction, Flow, Peer
from stacks.kubernetes.gateway import address
from stacks.kubernetes.ingress import RENEW_BEFORE_PERCENT, annotations
from stacks.kubernetes.namespaces import namespaces
from stacks.kubernetes.opik import login, release, secrets, traffic
from stacks.kubernetes.opik.stores import CLAIMS, stores
from stacks.settings import Settings, load_settings
from stacks.settings.data import DataDisk
from stacks.settings.rules.opik import guardrails_have_a_pool_and_an_image
from stacks.settings.workloads import OpikProfile
from tests.synthesis import Synthesized, synthesize
from tests.test_opik_login import WITHOUT_LOGIN

Environment = Callable[[str], Synthesized]
ENVIRONMENTS = ("dev", "prod")

PROXY = {"client_id": "client", "group_id": "group", "tenant_id": "tenant"}
HOST = "pg.example.com"


def _settings(environment: str = "dev", **changes: Any) -> Settings:
    """Return the settings of an environment with some sections changed: `section={field: value}`."""
    settings = load_settings(environment)
    for section, fields in changes.items():
        settings = settings.model_copy(update={section: getattr(settings, section).model_copy(update=fields)})
    return settings


def _options(settings: Settings) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for option in login.options(settings, **PROXY):
        name, _, value = option.removeprefix("--").partition("=")
        given.setdefault(name, []).append(value)
    return given


def _platform(environment: Environment, name: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return Opik's resources of a kind."""
    found = environment(name).resources("platform", f"kubernetes_{kind}_v1")
    return {address: body for address, body in found.items() if address.startswith(("opik-", "static-disk-"))}


def _flows(settings: Settings) -> list[Flow]:
    return [flow for rules in namespaces(settings) if rules.name == "opik" for flow in rules.flows]


# Volumes


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_store_has_its_own_disk_volume_and_claim_that_name_each_other(
    environment: Environment, name: str
) -> None:
    volumes = _platform(environment, name, "persistent_volume")
    claims = _platform(environment, name, "persistent_volume_claim")
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
    clickhouse = release.opik(_settings())["clickhouse"]
    template = clickhouse["templates"]["volumeClaimTemplate"]
    (own,) = clickhouse["extraVolumeClaimTemplates"]
    assert own["name"] == template
    assert f"{template}-chi-opik-clickhouse-cluster-0-0-0" == CLAIMS[DataDisk.CLICKHOUSE]


def test_four_stores_take_the_claim_that_exists() -> None:
    values = release.opik(_settings())
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
    (template,) = release.opik(settings)["clickhouse"]["extraVolumeClaimTemplates"]
    assert template["reclaimPolicy"] == "Retain"
    # The operator raises the claim to the template's size; any other than the volume's would be a quarrel.
    assert template["spec"]["resources"]["requests"]["storage"] == f"{settings.disks.clickhouse_gib}Gi"
    assert template["spec"]["storageClassName"] == "static-disk"


def test_disk_that_grows_grows_volume_claim_and_template() -> None:
    grown = _settings("dev", disks={"clickhouse_gib": 256})
    (store,) = (store for store in stores(grown) if store.disk is DataDisk.CLICKHOUSE)
    (template,) = release.opik(grown)["clickhouse"]["extraVolumeClaimTemplates"]
    assert store.capacity == template["spec"]["resources"]["requests"]["storage"] == "256Gi"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_class_of_the_volumes_makes_none_and_lets_them_grow(environment: Environment, name: str) -> None:
    (found,) = _platform(environment, name, "storage_class").values()
    assert found["storage_provisioner"] == "kubernetes.io/no-provisioner"
    assert found["allow_volume_expansion"] is True
    assert found["reclaim_policy"] == "Retain"


def test_restored_disk_becomes_a_volume_of_another_name() -> None:
    before = {store.disk: store.volume for store in stores(_settings())}
    after = {store.disk: store.volume for store in stores(_settings(disks={"generations": {DataDisk.MYSQL: 2}}))}
    assert {disk for disk in DataDisk if before[disk] != after[disk]} == {DataDisk.MYSQL}


def test_zonal_disks_keep_their_pods_in_the_zone_and_zone_redundant_ones_do_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    zonal = _settings("dev", disks={"redundancy": "lrs", "lrs_zone": 2})
    assert {store.zone for store in stores(zonal)} == {"westeurope-2"}
    assert {store.zone for store in stores(_settings("dev"))} == {None}
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
    for claim in _platform(environment, name, "persistent_volume_claim").values():
        assert claim["lifecycle"]["ignore_changes"] == ["metadata[0].labels", "metadata[0].annotations"]


# Order of installing and removing


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_operator_and_claims_outlive_the_installation(environment: Environment, name: str) -> None:
    releases = environment(name).resources("platform", "helm_release")
    waits_for = releases["opik"]["depends_on"]
    assert "helm_release.altinity-clickhouse-operator" in waits_for
    claims = {
        f"kubernetes_persistent_volume_claim_v1.{c}" for c in _platform(environment, name, "persistent_volume_claim")
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
    (job,) = _platform(environment, name, "job").values()
    assert job["wait_for_completion"] is True
    assert "helm_release.platform-secrets" in job["depends_on"]
    pod = job["spec"]["template"]["spec"]
    mounted = {volume["secret"]["secret_name"]: volume["secret"]["items"] for volume in pod["volume"]}
    assert set(mounted) == set(secrets.DELIVERED)
    for items in mounted.values():
        assert [item["key"] for item in items] == [secrets.VERSIONS_KEY]
    releases = environment(name).resources("platform", "helm_release")
    for installed in ("opik", "altinity-clickhouse-operator", "oauth2-proxy", "login-sessions"):
        assert "kubernetes_job_v1.opik-secrets" in releases[installed]["depends_on"], installed


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_job_waits_for_the_versions_that_are_delivered(environment: Environment, name: str) -> None:
    job = _platform(environment, name, "job")["opik-secrets"]
    (container,) = job["spec"]["template"]["spec"]["container"]
    delivered = formats(load_settings(name), database_host=HOST)["opik"]
    assert container["command"][4:] == [
        f"{secret}={delivered[secret][secrets.VERSIONS_KEY]}" for secret in sorted(delivered)
    ]


def test_the_autoscaler_takes_no_node_from_under_a_migration() -> None:
    annotations_ = release.opik(_settings())["podAnnotations"]
    assert annotations_["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


# Passwords


def test_every_key_that_has_a_public_default_is_delivered() -> None:
    received = deliveries(_settings())["opik"]
    assert {
        "STATE_DB_PASS",
        "ANALYTICS_DB_PASS",
        "ANALYTICS_DB_MIGRATIONS_PASS",
        "REDIS_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "OPIK_ENCRYPTION_KEY",
    } == set(received[secrets.BACKEND])
    assert {"mysql-root-password", "mysql-password", "redis-password", "minio-user", "minio-password"} < set(
        received[secrets.STORES]
    )
    assert set(received[secrets.OPERATOR]) == {"password"}
    assert formats(_settings(), database_host=HOST)["opik"][secrets.OPERATOR]["username"] == secrets.OPERATOR_ACCOUNT


def test_code_of_evaluators_gets_redis_and_nothing_else() -> None:
    assert set(deliveries(_settings())["opik"][secrets.EVALUATOR]) == {"REDIS_URL"}
    sources = release.opik(_settings())["component"]["python-backend"]["envFrom"]
    assert [source["secretRef"]["name"] for source in sources if "secretRef" in source] == [secrets.EVALUATOR]


def test_a_password_means_the_same_to_the_store_and_to_its_clients() -> None:
    received = deliveries(_settings())["opik"]
    stores_, backend = received[secrets.STORES], received[secrets.BACKEND]
    assert backend["STATE_DB_PASS"] == stores_["mysql-password"]
    assert backend["ANALYTICS_DB_PASS"] == backend["ANALYTICS_DB_MIGRATIONS_PASS"] == stores_["clickhouse-password"]
    assert backend["REDIS_URL"] == received[secrets.EVALUATOR]["REDIS_URL"] == stores_["redis-password"]
    assert backend["AWS_ACCESS_KEY_ID"] == stores_["minio-user"]
    assert backend["AWS_SECRET_ACCESS_KEY"] == stores_["minio-password"]


def test_plain_keys_of_passwords_leave_the_config_maps() -> None:
    component = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())["component"]
    plain = {"STATE_DB_PASS", "ANALYTICS_DB_PASS", "ANALYTICS_DB_MIGRATIONS_PASS", "REDIS_URL"}
    assert {key for key, value in component["backend"]["env"].items() if value is None} == plain
    assert component["python-backend"]["env"]["REDIS_URL"] is None


@pytest.mark.parametrize(
    "secret", sorted({name.value for keys in secrets.DELIVERED.values() for name in keys.values()})
)
def test_raised_version_restarts_whoever_uses_the_password(secret: str) -> None:
    raised = _settings(secrets={"versions": {secret: 2}})
    before, after = release.opik(_settings()), release.opik(raised)
    assert before["podAnnotations"] != after["podAnnotations"]
    for path in (("mysql", "primary"), ("redis",), ("minio",)):
        old, new = before, after
        for key in path:
            old, new = old[key], new[key]
        assert old["podAnnotations"] != new["podAnnotations"], path
    assert before["clickhouse"]["configuration"] != after["clickhouse"]["configuration"]
    of_login = secret in {name.value for name in secrets.DELIVERED[secrets.LOGIN].values()}
    proxies = [login.oauth2_proxy(settings, **PROXY)["podAnnotations"] for settings in (_settings(), raised)]
    assert (proxies[0] != proxies[1]) == of_login
    of_operator = secret in {name.value for name in secrets.DELIVERED[secrets.OPERATOR].values()}
    operators = [release.operator(settings)["podAnnotations"] for settings in (_settings(), raised)]
    assert (operators[0] != operators[1]) == of_operator


def test_other_sizes_restart_the_pods_that_hash_their_configuration() -> None:
    small, standard = (release.configuration_hash(_settings(opik={"profile": profile})) for profile in OpikProfile)
    assert small != standard


# Sizes and scale


def test_first_installation_has_one_backend_and_no_autoscaler() -> None:
    backend = release.opik(_settings())["component"]["backend"]
    assert backend["replicaCount"] == 1
    assert backend["autoscaling"]["enabled"] is False


def test_replicas_and_autoscaler_follow_the_settings() -> None:
    backend = release.opik(_settings(opik={"replicas": 2, "max_replicas": 5}))["component"]["backend"]
    assert backend["replicaCount"] == 2
    assert backend["autoscaling"] == {"enabled": True, "minReplicas": 2, "maxReplicas": 5}
    assert backend["podDisruptionBudget"]["enabled"] is True


@pytest.mark.parametrize("profile", OpikProfile)
def test_redis_refuses_instead_of_evicting_and_fits_its_memory(profile: OpikProfile) -> None:
    variants = release.variants(_settings(opik={"profile": profile}))
    redis = YAML(typ="safe").load(values_files("opik", variants)[-1].read_text())["redis"]
    content = redis["config"]["content"]
    assert "maxmemory-policy noeviction" in content
    assert "dir /data" in content
    most = re.search(r"maxmemory (\d+)mb", content)
    assert most
    limit = redis["resources"]["limits"]["memory"]
    # A snapshot copies pages while it is written, so half of the limit stays free.
    assert int(most.group(1)) * 2 <= int(limit[:-2]) * (1024 if limit.endswith("Gi") else 1)


@pytest.mark.parametrize("profile", OpikProfile)
def test_zookeepers_heap_fits_its_memory(profile: OpikProfile) -> None:
    variants = release.variants(_settings(opik={"profile": profile}))
    zookeeper = YAML(typ="safe").load(values_files("opik", variants)[-1].read_text())["zookeeper"]
    variables = {variable["name"]: variable["value"] for variable in zookeeper["extraEnvVars"]}
    # The list replaces the chart's, which has the folder of the data.
    assert variables["ZOO_DATA_DIR"] == "/bitnami/zookeeper/data"
    most = re.search(r"-Xmx(\d+)([mg])", variables["JVMFLAGS"])
    assert most
    heap = int(most.group(1)) * (1024 if most.group(2) == "g" else 1)
    limit = zookeeper["resources"]["limits"]["memory"]
    assert heap * 4 <= int(limit[:-2]) * (1024 if limit.endswith("Gi") else 1) * 3


def test_evaluators_run_in_processes_without_privilege() -> None:
    evaluator = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())["component"]["python-backend"]
    assert evaluator["env"]["PYTHON_CODE_EXECUTOR_STRATEGY"] == "process"
    assert evaluator["securityContext"]["privileged"] is False
    assert evaluator["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_reports_demonstration_and_old_migration_are_off() -> None:
    fixed = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())
    assert fixed["chartMigration"]["enabled"] is False
    assert fixed["demoDataJob"]["enabled"] is False
    assert fixed["component"]["backend"]["env"]["OPIK_USAGE_REPORT_ENABLED"] == "false"


# Guardrails


def test_guardrails_run_only_on_a_pool_that_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    named = _settings("dev", opik={"guardrails_pool": "t4"})
    stacks = synthesize(named, tmp_path_factory.mktemp("guardrails"))
    assert "opik-guardrails" in stacks.resources("platform", "helm_release")
    assert release.guardrails(named)["nodeSelector"] == {"kubernetes.azure.com/agentpool": "t4"}
    assert login.GUARDRAILS in _options(named)["upstream"]
    assert login.GUARDRAILS not in _options(_settings())["upstream"]
    assert "login-to-guardrails-in" in {flow.name for flow in _flows(named)}
    assert "login-to-guardrails-in" not in {flow.name for flow in _flows(_settings())}


def test_guardrails_need_a_pool_of_the_file_and_a_built_image() -> None:
    unknown = _settings("dev", opik={"guardrails_pool": "a100"})
    assert [finding.message for finding in guardrails_have_a_pool_and_an_image(unknown)] == [
        "names a pool that cluster.gpu_pools does not have; the pools are t4"
    ]
    imported = _settings("dev", opik={"guardrails_pool": "t4"}, images={"opik": "import"})
    (finding,) = guardrails_have_a_pool_and_an_image(imported)
    assert "images.opik: build" in finding.message
    assert not list(guardrails_have_a_pool_and_an_image(_settings("dev", opik={"guardrails_pool": "t4"})))


# Login


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_login_proves_itself_without_a_secret_as_the_account_that_entra_trusts(name: str) -> None:
    settings = load_settings(name)
    options = _options(settings)
    assert options["provider"] == ["entra-id"]
    assert options["entra-id-federated-token-auth"] == ["true"]
    assert not [option for option in options if "client-secret" in option]
    fixed = YAML(typ="safe").load((HELM / "oauth2-proxy" / "values.yaml").read_text())
    assert fixed["config"]["requiredSecretKeys"] == ["cookie-secret"]
    assert fixed["podLabels"]["azure.workload.identity/use"] == "true"
    assert (fixed["serviceAccount"]["name"], login.RELEASE) == (OAUTH2_PROXY.name, OAUTH2_PROXY.name)
    assert OAUTH2_PROXY in login_accounts(settings).values()
    wired = login.oauth2_proxy(settings, **PROXY)
    assert wired["serviceAccount"]["annotations"]["azure.workload.identity/client-id"] == "client"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_the_access_group_passes(name: str) -> None:
    options = _options(load_settings(name))
    assert options["allowed-group"] == ["group"]
    assert options["entra-id-allowed-tenant"] == ["tenant"]
    assert not [option for option in options if option.startswith("skip-auth")]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_programs_pass_with_a_token_and_are_never_sent_to_a_login_page(name: str) -> None:
    options = _options(load_settings(name))
    assert options["skip-jwt-bearer-tokens"] == ["true"]
    assert options["bearer-token-login-fallback"] == ["false"]
    (api, *_) = options["api-route"]
    assert re.match(api, "/api/v1/private/otel/v1/traces")
    assert not re.match(api, "/default/home")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_login_returns_to_the_address_that_the_application_allows(environment: Environment, name: str) -> None:
    applications = environment(name).resources("identity", "azuread_application")
    (application,) = applications.values()
    assert _options(load_settings(name))["redirect-url"][0] in application["web"]["redirect_uris"]


def test_headers_of_the_front_door_count_and_nobody_elses() -> None:
    nginx, gateway = _settings("dev"), _settings("prod")
    assert _options(nginx)["trusted-proxy-ip"] == [str(nginx.network.pod_cidr)]
    assert _options(gateway)["trusted-proxy-ip"] == [str(gateway.network.gateway_subnet)]


def test_both_ingress_modes_have_the_same_login() -> None:
    nginx = _settings("dev")
    gateway = nginx.model_copy(update={"ingress": load_settings("prod").ingress})
    differing = {name for name, values in _options(nginx).items() if _options(gateway)[name] != values}
    assert differing == {"trusted-proxy-ip"}


def test_sessions_are_out_of_reach_of_evaluation_code() -> None:
    fixed = YAML(typ="safe").load((HELM / "oauth2-proxy" / "values.yaml").read_text())
    assert fixed["sessionStorage"]["type"] == "redis"
    assert fixed["sessionStorage"]["redis"]["standalone"]["connectionUrl"] == f"redis://{login.SESSIONS}:6379"
    callers = [
        dict(peer.pods)
        for flow in _flows(_settings())
        if flow.direction is Direction.INGRESS and flow.pods == traffic.SESSIONS
        for peer in flow.peers
    ]
    assert callers == [traffic.LOGIN]


# Front door and traffic


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_the_login_is_reached_from_outside(environment: Environment, name: str) -> None:
    (ingress,) = _platform(environment, name, "ingress").values()
    (rule,) = ingress["spec"]["rule"]
    (path,) = rule["http"]["path"]
    assert (path["path"], path["path_type"]) == ("/", "Prefix")
    assert path["backend"]["service"] == {"name": "oauth2-proxy", "port": {"number": 80}}
    (tls,) = ingress["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]] == [f"opik.{load_settings(name).domain}"]
    callers = {
        flow.name: (tuple(peer.namespace for peer in flow.peers), flow.pods, [port.number for port in flow.ports])
        for flow in _flows(load_settings(name))
        if flow.direction is Direction.INGRESS and any(peer.namespace != "opik" for peer in flow.peers)
    }
    del callers["allow-challenge"]
    (_, pods, ports) = callers.pop("front-door-to-login")
    assert (pods, ports) == (traffic.LOGIN, [4180])
    # What else comes from without the namespace comes from within the cluster.
    assert {namespace for namespaces_, _, _ in callers.values() for namespace in namespaces_} <= {
        "gateway",
        "monitoring",
    }


def test_nginx_takes_500_mb_streams_answers_and_lets_challenges_through() -> None:
    given = annotations(_settings("dev"), login.EXPOSURE)
    assert given["nginx.org/client-max-body-size"] == "500m"
    assert given["nginx.org/proxy-buffering"] == "False"
    assert given["nginx.org/proxy-read-timeout"] == "600s"
    assert given["nginx.org/websocket-services"] == "oauth2-proxy"
    assert given["acme.cert-manager.io/http01-edit-in-place"] == "true"
    assert not [key for key in given if key.startswith(("nginx.ingress.kubernetes.io", "appgw."))]


def test_gateway_redirects_waits_long_and_probes_without_login() -> None:
    given = annotations(_settings("prod"), login.EXPOSURE)
    prefix = "appgw.ingress.kubernetes.io"
    assert given[f"{prefix}/ssl-redirect"] == "true"
    assert given[f"{prefix}/request-timeout"] == "600"
    assert given[f"{prefix}/health-probe-path"] == "/ping"
    assert not [key for key in given if key.startswith("nginx")]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_certificate_is_renewed_by_a_share_of_its_life(name: str) -> None:
    given = annotations(load_settings(name), login.EXPOSURE)
    assert given["cert-manager.io/cluster-issuer"] == f"letsencrypt-{load_settings(name).ingress.acme_issuer}"
    assert given["cert-manager.io/renew-before-percentage"] == str(RENEW_BEFORE_PERCENT)
    # Much above a third, certificates would be renewed all the time as their lives get shorter.
    assert 20 <= RENEW_BEFORE_PERCENT <= 40
    assert "cert-manager.io/renew-before" not in given


def test_hsts_is_sent_once_in_either_mode() -> None:
    nginx = YAML(typ="safe").load((HELM / "nginx-ingress" / "values.yaml").read_text())["controller"]["config"][
        "entries"
    ]
    assert nginx["hsts"] == "True"
    header = "Strict-Transport-Security"
    assert header not in release.opik(_settings("dev"))["component"]["frontend"].get("extraServerHeaders", {})
    assert header in release.opik(_settings("prod"))["component"]["frontend"]["extraServerHeaders"]


def test_nginx_redirects_everything_but_challenges() -> None:
    entries = YAML(typ="safe").load((HELM / "nginx-ingress" / "values.yaml").read_text())["controller"]["config"][
        "entries"
    ]
    assert entries["ssl-redirect"] == "False"
    assert "return 301 https://$host$request_uri" in entries["server-snippets"]
    rules = re.findall(r'"~(\S+)" (\d);', entries["http-snippets"])

    def redirected(request: str) -> bool:
        return next((flag == "1" for pattern, flag in rules if re.search(pattern, request)), False)

    assert redirected("http:/")
    assert redirected("http:/api/v1/private/traces?x=/.well-known/acme-challenge/")
    assert not redirected("http:/.well-known/acme-challenge/token")
    assert not redirected("https:/")


def test_every_flow_inside_the_namespace_is_opened_at_both_ends() -> None:
    ends: dict[str, set[Direction]] = {}
    for flow in _flows(_settings("dev", opik={"guardrails_pool": "t4"})):
        if all(peer.namespace == "opik" for peer in flow.peers):
            ends.setdefault(flow.name.rpartition("-")[0], set()).add(flow.direction)
    assert len(ends) > 10
    assert all(directions == {Direction.INGRESS, Direction.EGRESS} for directions in ends.values())


def test_evaluation_code_cannot_reach_the_internet_or_a_database() -> None:
    reached = [
        peer
        for flow in _flows(_settings())
        if flow.direction is Direction.EGRESS and flow.pods == traffic.EVALUATOR
        for peer in flow.peers
    ]
    assert {json.dumps(dict(peer.pods), sort_keys=True) for peer in reached} == {
        json.dumps(labels, sort_keys=True) for labels in (traffic.REDIS, traffic.BACKEND, traffic.FRONTEND)
    }
    assert all(peer.namespace == "opik" for peer in reached)


def test_the_backend_may_reach_the_models() -> None:
    reached = [
        (peer.namespace, [port.number for port in flow.ports])
        for flow in _flows(_settings())
        if flow.direction is Direction.EGRESS and flow.pods == traffic.BACKEND
        for peer in flow.peers
        if peer.namespace not in (None, "opik")
    ]
    assert reached == [(address.NAMESPACE, [address.PORT])]


def test_flows_of_opik_do_not_reach_other_applications() -> None:
    opik_flows = {flow.name for flow in _flows(_settings())} - {"allow-dns", "allow-challenge"}
    chat = {flow.name for rules in namespaces(_settings()) if rules.name == "chat" for flow in rules.flows}
    assert opik_flows.isdisjoint(chat)
    assert Peer(namespace="ingress") in [peer for flow in _flows(_settings()) for peer in flow.peers]


def test_disabled_opik_leaves_nothing_in_the_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    stacks = synthesize(_settings("dev", opik={"enabled": False}), tmp_path_factory.mktemp("without"))
    assert "opik" not in stacks.resources("platform", "helm_release")
    volumes = stacks.resources("platform", "kubernetes_persistent_volume_v1")
    assert [address for address in volumes if address.startswith("opik-")] == []
    assert len(stacks.resources("disks", "azurerm_managed_disk")) == len(DataDisk)


# Documentation


def test_every_documented_route_is_asked_for_and_answers_as_documented() -> None:
    text = (HELM.parent / "docs" / "opik.md").read_text("utf-8").partition("\n## Routes\n")[2].partition("\n## ")[0]
    statuses = {"login": 302, "login at Entra": 302, "401": 401}
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `/")
    ]
    assert len(rows) > 8
    for paths, by, _, without in rows:
        if by.startswith("cert-manager"):
            continue
        for path in re.findall(r"`([^`…]+)…?`", paths):
            asked = {status for known, status in WITHOUT_LOGIN.items() if known.startswith(path) and path != "/"}
            asked |= {WITHOUT_LOGIN["/"]} if path == "/" else set()
            assert asked, path
            if without in statuses:
                assert asked == {statuses[without]}, path


def test_every_test_that_the_traps_name_exists() -> None:
    text = (HELM.parent / "docs" / "operations.md").read_text("utf-8").partition("\n## Traps\n")[2]
    named = set(re.findall(r"`(test_\w+)`", text))
    written = "\n".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert len(named) > 30
    assert {name for name in named if f"def {name}(" not in written} == set()
