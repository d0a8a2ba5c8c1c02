"""A host of the front door: HTTPS with a certificate of its own, everything to one Service."""

from collections.abc import Mapping, Sequence

from cdktf import DataResource, ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_kubernetes.ingress_v1 import (
    IngressV1,
    IngressV1Metadata,
    IngressV1Spec,
    IngressV1SpecRule,
    IngressV1SpecRuleHttp,
    IngressV1SpecRuleHttpPath,
    IngressV1SpecRuleHttpPathBackend,
    IngressV1SpecRuleHttpPathBackendService,
    IngressV1SpecRuleHttpPathBackendServicePort,
    IngressV1SpecTls,
)
from constructs import Construct

EDIT_IN_PLACE = "acme.cert-manager.io/http01-edit-in-place"
"""Annotation that has cert-manager put the path of its challenge into this Ingress, instead of one of its own."""


class HttpsIngress(IngressV1):
    """The Ingress `name` for one host, with a single path: controllers disagree about the order of several.

    Below `path` everything goes to the Service; nothing else of it can be reached.

    Where cert-manager edits the Ingress (annotation `EDIT_IN_PLACE`), Terraform looks away from its paths, so
    that a wanted path, Service or port that changes replaces the Ingress: for seconds the host is unknown, and the
    certificate is found again in its Secret.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        namespace: str,
        ingress_class: str,
        host: str,
        service: str,
        port: int,
        path: str = "/",
        annotations: Mapping[str, str],
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Add the Ingress; its certificate is kept in the Secret `<name>-tls`."""
        super().__init__(
            scope,
            construct_id,
            metadata=IngressV1Metadata(name=name, namespace=namespace, annotations=dict(annotations)),
            spec=IngressV1Spec(
                ingress_class_name=ingress_class,
                tls=[IngressV1SpecTls(hosts=[host], secret_name=f"{name}-tls")],
                rule=[
                    IngressV1SpecRule(
                        host=host,
                        http=IngressV1SpecRuleHttp(
                            path=[
                                IngressV1SpecRuleHttpPath(
                                    path=path,
                                    path_type="Prefix",
                                    backend=IngressV1SpecRuleHttpPathBackend(
                                        service=IngressV1SpecRuleHttpPathBackendService(
                                            name=service,
                                            port=IngressV1SpecRuleHttpPathBackendServicePort(number=port),
                                        )
                                    ),
                                )
                            ]
                        ),
                    )
                ],
            ),
            depends_on=list(depends_on),
            lifecycle=_keeping_challenges(scope, construct_id, {"path": path, "service": service, "port": port})
            if annotations.get(EDIT_IN_PLACE) == "true"
            else None,
        )


def _keeping_challenges(scope: Construct, name: str, route: Mapping[str, str | int]) -> TerraformResourceLifecycle:
    wanted = DataResource(scope, f"{name}-route", input=dict(route))
    return TerraformResourceLifecycle(
        # cert-manager adds and removes the path of its challenge while it proves the host.
        ignore_changes=["spec[0].rule[0].http[0].path"],
        # A plain address: Terraform takes no expression here, which the reference itself would become.
        replace_triggered_by=[f"terraform_data.{wanted.friendly_unique_id}"],
    )
