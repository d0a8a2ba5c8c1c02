"""The host of an application on the environment's ingress."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from constructs.https_ingress import HttpsIngress, Route, RouteRecord

from .ingress_annotations import EDIT_IN_PLACE


def add_https_ingress(
    scope: Construct,
    id_: str,
    *,
    name: str,
    namespace: str,
    ingress_class: str,
    host: str,
    route: Route,
    annotations: Mapping[str, str],
    depends_on: Sequence[ITerraformDependable],
) -> None:
    """Add the Ingress and, where cert-manager edits it (annotation `EDIT_IN_PLACE`), the record of its route.

    Both lie in `scope` itself, not in a subtree: their Terraform addresses are state.
    """
    HttpsIngress(
        scope,
        id_,
        name=name,
        namespace=namespace,
        ingress_class=ingress_class,
        host=host,
        route=route,
        record=RouteRecord(scope, f"{id_}-route", route=route) if annotations.get(EDIT_IN_PLACE) == "true" else None,
        annotations=annotations,
        depends_on=depends_on,
    )
