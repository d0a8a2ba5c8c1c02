"""The host of a component on the environment's ingress."""

from collections.abc import Sequence

from cdktf import ITerraformDependable

from constructs.https_ingress import HttpsIngress, IngressPath, Route, RouteRecord
from stacks.common.hosts import Host
from stacks.common.routes import HostRoutes
from stacks.platform.common.ingress_annotations import EDIT_IN_PLACE, Exposure, annotations
from stacks.platform.common.ingress_mode import certificate_secret, ingress_class

from .context import Context


def expose(
    context: Context,
    host: Host,
    *,
    exposure: Exposure,
    port: int,
    path: str = "/",
    depends_on: Sequence[ITerraformDependable],
) -> None:
    """Add the Ingress of `host` (its id ends in `-ingress`), which serves `path` with a certificate of its own.

    A private environment's controller has one certificate for all hosts instead.

    Behind the Application Gateway a host without pages has its routes' paths instead, so that it answers no others
    where the firewall is not in force. It needs the component `certificates`. Where cert-manager edits the Ingress
    (annotation `EDIT_IN_PLACE`), a record of its route lies beside it.
    """
    ingress, id_ = context.settings.ingress, f"{host.ingress}-ingress"
    private = context.settings.is_private
    route = Route(service=exposure.service, port=port, path=path)
    given = annotations(ingress, exposure, wildcard=private)
    edited = given.get(EDIT_IN_PLACE) == "true"
    HttpsIngress(
        context.scope,
        id_,
        name=host.ingress,
        namespace=context.namespaces[host.namespace].name,
        certificate_secret=None if private else certificate_secret(ingress, host),
        ingress_class=ingress_class(ingress),
        host=host.name(context.settings.domain),
        route=route,
        paths=() if edited or private else ingress_paths(host.routes),
        record=RouteRecord(context.scope, f"{id_}-route", route=route) if edited else None,
        annotations=given,
        depends_on=[*context.after("certificates"), *depends_on],
    )


def ingress_paths(routes: HostRoutes) -> list[IngressPath]:
    """Return the paths of a host without pages, as far as an Ingress can say them: a segment stands for all below.

    Empty for a host with pages, whose paths nobody can list.
    """
    if routes.pages:
        return []
    found = dict.fromkeys(path for allowed in routes.allowed for path in allowed.paths)
    plain = [IngressPath(path=path, exact=True) for path in found if "{}" not in path and not path.endswith("/**")]
    folders = dict.fromkeys(
        path.partition("{}")[0].removesuffix("**") for path in found if path not in {it.path for it in plain}
    )
    return [*plain, *(IngressPath(path=folder, exact=False) for folder in folders)]
