"""How the kubernetes and helm providers log in to the cluster, on a laptop and in a remote run alike."""

from pathlib import Path
from typing import Literal

from cdktf import Fn, Op, TerraformVariable, Token
from cdktf_cdktf_provider_helm.provider import HelmProvider, HelmProviderKubernetes, HelmProviderKubernetesExec
from cdktf_cdktf_provider_kubernetes.provider import KubernetesProvider, KubernetesProviderExec
from constructs import Construct

from .terraform_literal import terraform_literal

TOKEN_SCRIPT = Path(__file__).with_name("cluster_token.sh")

_URL_HELP = "HTTPS address of a proxy of the Kubernetes API, such as that of Tailscale's operator; empty: none."
_API_VERSION = "client.authentication.k8s.io/v1"


class ClusterProviders(Construct):
    """The providers `kubernetes` and `helm` of the stack, for one cluster: everything in the stack then uses them.

    A token is fetched by a script when a provider needs one, with whatever the machine has (`cluster_token.sh`); the
    script travels in the arguments, because a remote run has only the stack's folder. Neither state nor plan holds a
    credential.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        api_url: str,
        ca_certificate: str,
        tenant_id: str,
        helm_driver: Literal["configmap"] | None = None,
        url_variable: str = "",
    ) -> None:
        """Add the providers; `ca_certificate` is base64. Helm keeps its records in Secrets unless told otherwise.

        `url_variable` names a Terraform variable that may hold the address of a proxy to use instead of the API itself,
        with a certificate that machines trust anyway.
        """
        super().__init__(scope, id_)
        arguments = ["-c", terraform_literal(TOKEN_SCRIPT.read_text("utf-8")), "cluster-token", tenant_id]
        certificate = Fn.base64decode(ca_certificate)
        if url_variable:
            proxy = TerraformVariable(self, "cluster-url", type="string", default="", description=_URL_HELP)
            proxy.override_logical_id(url_variable)
            given = Op.neq(proxy.string_value, "")
            api_url = Token.as_string(Fn.conditional(given, proxy.string_value, api_url))
            certificate = Token.as_string(Fn.conditional(given, Token.null_value(), certificate))
        KubernetesProvider(
            self,
            "kubernetes",
            host=api_url,
            cluster_ca_certificate=certificate,
            exec=[KubernetesProviderExec(api_version=_API_VERSION, command="sh", args=arguments)],
        )
        HelmProvider(
            self,
            "helm",
            helm_driver=helm_driver,
            kubernetes=HelmProviderKubernetes(
                host=api_url,
                cluster_ca_certificate=certificate,
                exec=HelmProviderKubernetesExec(api_version=_API_VERSION, command="sh", args=arguments),
            ),
        )
