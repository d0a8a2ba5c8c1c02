"""The Job that makes the applications' databases, as Terraform resources."""

from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata

from constructs.external_secrets_ready import ExternalSecretsReady
from constructs.script_job import Handover, Script, ScriptJob
from constructs.terraform_literal import terraform_literal
from stacks.platform.common.accounts import TOKEN_AUDIENCE
from stacks.platform.common.databases import ROOTS_NAME, roots
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.platform.components.context import Context

from . import jobs


def add(context: Context) -> ScriptJob:
    """Add the Job after its Secret is there; return what has to be done before anything uses a database."""
    settings, namespace = context.settings, context.namespaces[jobs.NAMESPACE]
    databases = context.components.databases()
    mark = jobs.external_secret(databases, settings.secrets.versions).templates[VERSIONS_KEY]
    image = str(context.images[jobs.IMAGE])
    curl = str(context.images[jobs.CURL])
    passwords = ExternalSecretsReady(
        context.scope,
        "databases-passwords",
        namespace=namespace.name,
        expected={jobs.SECRET: mark},
        mark=VERSIONS_KEY,
        image=image,
        depends_on=[*context.after("secrets"), *namespace.bounds],
    )
    scripts = ConfigMapV1(
        context.scope,
        jobs.SCRIPTS,
        metadata=ConfigMapV1Metadata(name=jobs.SCRIPTS, namespace=namespace.name),
        data={name: terraform_literal(text) for name, text in {**jobs.scripts(), ROOTS_NAME: roots()}.items()},
        depends_on=list(namespace.bounds),
    )
    account = ServiceAccountV1(
        context.scope,
        f"{jobs.JOB}-account",
        metadata=ServiceAccountV1Metadata(name=jobs.ACCOUNT.name, namespace=namespace.name),
        automount_service_account_token=False,
        depends_on=list(namespace.bounds),
    )
    return ScriptJob(
        context.scope,
        jobs.JOB,
        name=jobs.job_name(
            (image, curl),
            databases,
            versions=settings.secrets.versions,
            generation=settings.database.generation,
        ),
        namespace=namespace.name,
        script=Script(
            image=image,
            config_map=jobs.SCRIPTS,
            folder=jobs.SCRIPT_FOLDER,
            file=jobs.SCRIPT_NAME,
            secret=jobs.SECRET,
            mount_path=jobs.SECRETS_FOLDER,
            account=account.metadata.name,
            token_audience=TOKEN_AUDIENCE,
            token_path=jobs.TOKEN_FILE,
            handover=_handover(curl),
            user_id=65534,
            requests={"cpu": "10m", "memory": "32Mi"},
            limits={"memory": "128Mi"},
        ),
        arguments=jobs.arguments(databases),
        environment=jobs.environment(
            host=context.database.server_fqdn,
            administrator=context.database.administrator_login,
            vault_uri=context.database.vault_uri,
            tenant_id=context.database.tenant_id,
            client_id=context.cluster.databases_client_id,
        ),
        labels=jobs.PODS,
        timeout_minutes=15,
        depends_on=[passwords, scripts],
    )


def _handover(image: str) -> Handover:
    return Handover(
        image=image,
        file=jobs.VAULT_SCRIPT,
        arguments=(jobs.ADMINISTRATOR.value, jobs.HANDED_OVER),
        path=jobs.HANDED_OVER.rpartition("/")[0],
    )
