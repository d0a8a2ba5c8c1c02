"""Who may log in: the Entra application and the group of its users."""

from typing import Annotated

from pydantic import Field

from .one_way.marks import GIVEN, NoWayBack
from .types import Model, ObjectId, Unique

OWN_GROUP = NoWayBack(
    stack="identity",
    why="the group that the platform made would be deleted; add its members there",
    order=(GIVEN, ""),
    only_while=(("identity.manage", "true"),),
)


class IdentitySettings(Model):
    """The Entra application that people log in with."""

    manage: Annotated[
        bool,
        NoWayBack(
            stack="identity",
            why="the application that people log in with would be deleted",
            order=("false", "true"),
        ),
    ] = True
    """Create application, service principal and redirect URIs; `false` without directory rights."""
    client_id: ObjectId | None = None
    """Client id of the application when `manage` is false."""
    application_object_id: ObjectId | None = None
    """Object id of the application when `manage` is false."""
    access_group_object_id: Annotated[ObjectId | None, OWN_GROUP] = None
    """Existing Entra group whose members may use the platform; left out, a group is created."""
    assignment_required: bool = True
    """Entra itself refuses everybody who is not in the access group or an operator; assigning groups to
    applications needs Entra ID P1. `false` leaves the refusal to the applications, by the group claim."""
    admin_consent: bool = True
    """Give the application an administrator's consent to openid, profile, email, offline_access and User.Read, without
    which nobody can log in; `false` where the deployment lacks the right: an administrator then follows the link that
    `llmctl deploy` prints."""
    access_group_owner_ids: Annotated[tuple[ObjectId, ...], Unique, Field(max_length=18)] = ()
    """Owners of the created access group beside whoever deploys first: users or service principals. An ordinary user
    without the role Groups Administrator can only create the group with another owner named here."""
