"""A host of the ingress: HTTPS with a certificate of its own, everything to one Service."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where requests below `path` go: a Service of the Ingress' own namespace."""

    service: str
    port: int
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressPath:
    """One path of an Ingress, or all paths that begin with it."""

    path: str
    exact: bool


class RouteRecord(DataResource):
    """The route of an Ingress in the state, so that Terraform notices a change of it.

    For an Ingress whose paths somebody else edits as well: there Terraform has to look away from the paths themselves.
    """

    def __init__(self, scope: Construct, id_: str, *, route: Route) -> None:
        super().__init__(scope, id_, input=dataclasses.asdict(route))


class HttpsIngress(IngressV1):
    """The Ingress `name` for one host: paths of it go to one Service, and nothing else of that can be reached.

    These are the route's path with everything below it, or the `paths` that are given in its place: all to the same
    Service, since controllers disagree about the order of several.

    With a `record` Terraform looks away from the paths, to which cert-manager adds one for a challenge, and replaces
    the Ingress when the recorded route changes: for seconds the host is unknown, and the certificate is found again in
    its Secret.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        namespace: str,
        certificate_secret: str | None,
        ingress_class: str,
        host: str,
        route: Route,
        paths: Sequence[IngressPath] = (),
        record: RouteRecord | None = None,
        annotations: Mapping[str, str],
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Add the Ingress; its certificate is in the Secret `certificate_secret` of the same namespace.

        Without one it is the controller's own, for all hosts.
        """
        super().__init__(
            scope,
            id_,
            metadata=IngressV1Metadata(name=name, namespace=namespace, annotations=dict(annotations)),
            spec=IngressV1Spec(
                ingress_class_name=ingress_class,
                tls=[IngressV1SpecTls(hosts=[host], secret_name=certificate_secret)],
                rule=[
                    IngressV1SpecRule(
                        host=host,
                        http=IngressV1SpecRuleHttp(
                            path=[
                                IngressV1SpecRuleHttpPath(
                                    path=found.path,
                                    path_type="Exact" if found.exact else "Prefix",
                                    backend=IngressV1SpecRuleHttpPathBackend(
                                        service=IngressV1SpecRuleHttpPathBackendService(
                                            name=route.service,
                                            port=IngressV1SpecRuleHttpPathBackendServicePort(number=route.port),
                                        )
                                    ),
                                )
                                for found in paths or [IngressPath(path=route.path, exact=False)]
                            ]
                        ),
                    )
                ],
            ),
            depends_on=list(depends_on),
            lifecycle=_keeping_challenges(record) if record else None,
        )


def _keeping_challenges(record: RouteRecord) -> TerraformResourceLifecycle:
    return TerraformResourceLifecycle(
        # cert-manager adds and removes the path of its challenge while it proves the host.
        ignore_changes=["spec[0].rule[0].http[0].path"],
        # A plain address: Terraform takes no expression here, which the reference itself would become.
        replace_triggered_by=[f"terraform_data.{record.friendly_unique_id}"],
    )
