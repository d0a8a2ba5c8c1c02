"""Rights in the directory: what a pipeline or a person lacks there for the stack `identity`, read from their token."""

from typing import Any

from tests.support.preflight.azure_api import Token
from tests.support.preflight.logins import Azure, sentences
from tests.support.preflight.surroundings import result, sound, surroundings

# --- directory -------------------------------------------------------------------------------------------------------

ALL = [
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.OwnedBy",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Group.Create",
]
CLOUD_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"
GROUP = "33333333-3333-3333-3333-333333333333"


def program(*roles: str, **claims: Any) -> Token:
    return Token(idtyp="app", roles=list(roles), **claims)


def test_a_pipeline_reads_which_permissions_of_graph_it_lacks(azure: Azure) -> None:
    (line,) = sentences("directory", azure, token=program("Application.ReadWrite.OwnedBy", "Group.Create"))
    assert line.startswith(
        "failed: this login lacks AppRoleAssignment.ReadWrite.All, Application.Read.All,"
        " DelegatedPermissionGrant.ReadWrite.All in the directory"
    )
    assert sentences("directory", azure, token=program(*ALL)) == []
    wider = ("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", "Directory.ReadWrite.All")
    assert sentences("directory", azure, token=program(*wider)) == []
    assert sentences("directory", azure, token=program(wids=[CLOUD_ADMINISTRATOR])) == []
    assert azure[0].asked == [], "a program's token says all of it"


def test_what_the_stack_does_not_make_needs_no_right(azure: Azure) -> None:
    held = program(*(right for right in ALL if right not in ("Group.Create", ALL[3])))
    given: dict[str, Any] = {"access_group_object_id": GROUP, "admin_consent": False}
    for opik in ({"access_group_object_id": GROUP}, {"enabled": False}):
        assert sentences("directory", azure, sound(identity=given, opik=opik), token=held) == []
    (line,) = sentences("directory", azure, sound(identity=given), token=held)
    assert "lacks Group.Create" in line, "Opik's group is made too"


def directory(azure: Azure, *, apps: bool = True, groups: bool = True, roles: tuple[str, ...] = ()) -> None:
    allowed = {"allowedToCreateApps": apps, "allowedToCreateSecurityGroups": groups}
    azure[0].given("authorizationPolicy$", {"defaultUserRolePermissions": allowed})
    azure[0].given("directoryRole$", {"value": [{"roleTemplateId": role} for role in roles]})


def test_a_person_reads_what_the_tenant_does_not_let_users_make(azure: Azure) -> None:
    directory(azure, apps=False, groups=False)
    lines = sentences("directory", azure)
    assert [line.partition(",")[0] for line in lines[:2]] == [
        "failed: users may not register applications in this tenant",
        "failed: users may not create groups in this tenant",
    ]
    assert lines[2].startswith("warning: this login has no active role that assigns people to applications")
    directory(azure, apps=False, groups=False, roles=("62e90394-69f5-4237-9190-012177145e10",))
    assert sentences("directory", azure) == []
    directory(azure, groups=False, roles=(CLOUD_ADMINISTRATOR,))
    own = {"access_group_object_id": GROUP}
    assert sentences("directory", azure, sound(identity=own, opik=own)) == [], "no group is made"


def test_a_role_in_the_token_counts(azure: Azure) -> None:
    directory(azure, apps=False)
    assert sentences("directory", azure, token=Token(idtyp="user", wids=[CLOUD_ADMINISTRATOR])) == []


def test_a_token_that_cannot_be_read_judges_nobody(azure: Azure) -> None:
    class Opaque(Token):
        def get_token(self, *scopes: str, **options: Any) -> Any:
            return super().get_token(*scopes, **options)._replace(token="opaque")

    found = result("directory", surroundings(azure[1], token=Opaque()))
    assert found.not_checked == "the login's token cannot be read"


def test_an_existing_application_needs_no_right_in_the_directory(azure: Azure) -> None:
    from scripts.preflight.catalogue import CHECKS

    check = next(check for check in CHECKS if check.name == "directory")
    ids = dict.fromkeys(("client_id", "application_object_id", "access_group_object_id"), GROUP)
    assert not check.concerns(sound(identity={"manage": False, **ids}))
    assert azure[0].asked == []
