"""The host of a component on the environment's ingress."""

from collections.abc import Sequence

from cdktf import ITerraformDependable

from constructs.https_ingress import HttpsIngress, Route, RouteRecord
from stacks.common.hosts import Host
from stacks.platform.common.ingress_annotations import EDIT_IN_PLACE, Exposure, annotations
from stacks.platform.common.ingress_mode import ingress_class

from .context import Context


def expose(
    context: Context,
    name: str,
    *,
    host: Host,
    namespace: str,
    exposure: Exposure,
    port: int,
    path: str = "/",
    depends_on: Sequence[ITerraformDependable],
) -> None:
    """Add the Ingress `name` (its id ends in `-ingress`), which serves `path` of `host` with a certificate of its own.

    It needs the component `certificates`. Where cert-manager edits the Ingress (annotation `EDIT_IN_PLACE`), a record
    of its route lies beside it.
    """
    ingress, id_ = context.settings.ingress, f"{name}-ingress"
    route = Route(service=exposure.service, port=port, path=path)
    given = annotations(ingress, exposure)
    edited = given.get(EDIT_IN_PLACE) == "true"
    HttpsIngress(
        context.scope,
        id_,
        name=name,
        namespace=namespace,
        ingress_class=ingress_class(ingress),
        host=host.name(context.settings.domain),
        route=route,
        record=RouteRecord(context.scope, f"{id_}-route", route=route) if edited else None,
        annotations=given,
        depends_on=[*context.after("certificates"), *depends_on],
    )
