"""Who gets into the chat, and as what, where Entra refuses nobody: the group decides, again at every login."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from stacks.settings import Settings
from tests.live.programs.chat_stage import ASSERTION, CLIENT, GROUP, TENANT, ChatStage
from tests.support.chat.pods import chart_values
from tests.support.login.entra_provider import Person, new_person
from tests.support.patience import PATIENCE_S
from tests.support.programs.processes import wait_for

pytestmark = pytest.mark.live
OPERATORS = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
OTHER = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"


@pytest.fixture(scope="module")
def open_tenant(chat: ChatStage) -> Iterator[ChatStage]:
    """Run the chat's sidecar as with `identity.assignment_required: false`; nothing else differs then."""
    settings = chat.stage.settings
    changed: Settings = settings.model_copy(
        update={
            "identity": settings.identity.model_copy(update={"assignment_required": False}),
            "operators": settings.operators.model_copy(update={"object_ids": (OPERATORS,)}),
        }
    )
    values = chart_values(changed, client=CLIENT, group=GROUP, tenant=TENANT)
    assert values["extraEnvVars"] == chat.parts.values["extraEnvVars"]
    sidecar = replace(chat.parts, settings=changed, values=values).sidecar(ASSERTION)
    chat.sidecar.stop()
    chat.entra.assignment_required = False
    try:
        with sidecar.running():
            yield chat
    finally:
        chat.entra.assignment_required, chat.entra.graph_status = True, 200
        chat.sidecar.start()


@dataclass(frozen=True)
class Membership:
    """What somebody belongs to at a login, and what the token tells of it."""

    groups: tuple[str, ...]
    told: bool
    role: str | None
    """What the login makes of whoever comes with it."""

    def of(self, person: Person) -> Person:
        """Return the same account with this membership."""
        return replace(person, groups=list(self.groups), told=self.told)


def many(*groups: str) -> tuple[str, ...]:
    """Return groups among more than a token has room for."""
    return (*groups, *(str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))) for number in range(250)))


MEMBERSHIPS = {
    "no claim, no member": Membership((), told=True, role=None),
    "no claim, a member": Membership((GROUP,), told=False, role="user"),
    "claim without": Membership((OTHER,), told=True, role=None),
    "claim with": Membership((OTHER, GROUP), told=True, role="user"),
    "claim of an operator": Membership((GROUP, OPERATORS), told=True, role="admin"),
    "overage, no member": Membership(many(), told=True, role=None),
    "overage, a member": Membership(many(GROUP), told=True, role="user"),
    "overage, an operator": Membership(many(GROUP, OPERATORS), told=True, role="admin"),
}
BEFORE: dict[str, tuple[str, ...] | None] = {
    "new": None,
    "former member": (GROUP,),
    "former administrator": (GROUP, OPERATORS),
}


def role_of(chat: ChatStage, person: Person) -> str | None:
    """Log somebody in; return the role of the session, None without one."""
    chat.entra.person = person
    browser = chat.browser()
    browser.log_in()
    if browser.token is None:
        return None
    answer = browser.api("GET", "/api/v1/auths/")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["role"])


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("now", MEMBERSHIPS)
def test_membership_at_the_login_decides_whatever_the_account_was(
    open_tenant: ChatStage, before: str, now: str
) -> None:
    person = new_person(f"{before.rpartition(' ')[2].capitalize()}-{list(MEMBERSHIPS).index(now)}")
    if (groups := BEFORE[before]) is not None:
        former = replace(person, groups=list(groups))
        assert role_of(open_tenant, former) == ("admin" if OPERATORS in groups else "user")
    assert role_of(open_tenant, MEMBERSHIPS[now].of(person)) == MEMBERSHIPS[now].role


@pytest.mark.parametrize("before", BEFORE)
def test_nobody_whose_membership_only_graph_knows_gets_in_while_it_is_away(open_tenant: ChatStage, before: str) -> None:
    person = new_person(f"Away-{before.rpartition(' ')[2]}")
    if (groups := BEFORE[before]) is not None:
        assert role_of(open_tenant, replace(person, groups=list(groups)))
    open_tenant.entra.graph_status = 503
    try:
        assert role_of(open_tenant, MEMBERSHIPS["overage, a member"].of(person)) is None
        told = "membership is unknown: Microsoft Graph answered 503"
        wait_for(
            lambda: any(told in pod.log for pod in open_tenant.pods),
            PATIENCE_S,
            lambda: open_tenant.pods[0].log[-3000:],
        )
    finally:
        open_tenant.entra.graph_status = 200
    assert role_of(open_tenant, MEMBERSHIPS["overage, a member"].of(person)) == "user"
