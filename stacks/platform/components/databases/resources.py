"""The Job that makes the applications' databases, from inside the network: the server has no other way in."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from constructs import Construct

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.script_job import Script, ScriptJob
from constructs.terraform_literal import terraform_literal
from stacks.common.outputs import DatabaseOutputs
from stacks.platform.common.images import deployed_images
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.settings import Settings

from . import jobs as databases

PODS = {"app.kubernetes.io/name": databases.JOB}


def add_databases(
    scope: Construct,
    settings: Settings,
    spaces: Mapping[str, Namespace],
    *,
    server: DatabaseOutputs,
    delivered: ITerraformDependable,
) -> Sequence[ITerraformDependable]:
    """Add the Job; return what has to be done before anything uses a database. `delivered` brings the passwords."""
    namespace = spaces[databases.NAMESPACE]
    name: str = namespace.name
    image = str(deployed_images(settings)["databases/postgres"])
    passwords = ExternalSecretsReady(
        scope,
        "databases-passwords",
        namespace=name,
        expected={databases.SECRET: databases.mark(settings)},
        mark=VERSIONS_KEY,
        image=image,
        depends_on=[delivered, *namespace.bounds],
    )
    scripts = ConfigMapV1(
        scope,
        databases.SCRIPTS,
        metadata=ConfigMapV1Metadata(name=databases.SCRIPTS, namespace=name),
        data={databases.SCRIPT_NAME: terraform_literal(databases.script())},
        depends_on=list(namespace.bounds),
    )
    job = ScriptJob(
        scope,
        databases.JOB,
        name=databases.job_name(settings, image),
        namespace=name,
        script=Script(
            image=image,
            config_map=databases.SCRIPTS,
            folder=databases.SCRIPT_FOLDER,
            file=databases.SCRIPT_NAME,
            secret=databases.SECRET,
            mount_path=databases.SECRETS_FOLDER,
            user_id=65534,
            requests={"cpu": "10m", "memory": "32Mi"},
            limits={"memory": "128Mi"},
        ),
        arguments=databases.arguments(settings),
        environment=databases.environment(host=server.server_fqdn, administrator=server.administrator_login),
        labels=PODS,
        timeout_minutes=15,
        depends_on=[passwords, scripts],
    )
    return [job]
