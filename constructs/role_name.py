"""Names of role assignments that two runs agree on."""

from cdktf import Fn


def role_name(scope: str, role: str, principal_id: str) -> str:
    """Return the name of an assignment, the same for the same role of the same principal on the same scope.

    Without a name the provider takes a random one: after an answer that got lost, the next run asks Azure for a second
    assignment under another name, is refused, and learns the id only in part. With it, the provider finds the first
    one itself and tells its whole id. Ignore changes of `name`: assignments that exist keep theirs, since another
    name would take the role away for a while.
    """
    return Fn.uuidv5("url", f"{scope}|{role}|{principal_id}")
