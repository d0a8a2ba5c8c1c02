"""Each host answers allowed routes alone; every route of a pinned program is allowed, or refused with a reason."""

from pathlib import Path

import pytest

from scripts.lab.routes.tables import PROGRAMS, UNKNOWN, Program, faults, read, write
from stacks.common.routes import WEBSOCKET, Allowed, HostRoutes, Pages, Refused, Who
from stacks.platform.common.catalogue import images
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings

ROUTES = HostRoutes(
    allowed=(
        Allowed(name="read", who=Who.PROGRAM, methods=("GET",), paths=("/v1/models", "/v1/models/{}"), why="reading"),
        Allowed(name="all", who=Who.PERSON, methods=("GET", "POST"), paths=("/api/**",), why="everything"),
        Allowed(name="live", who=Who.PERSON, methods=(WEBSOCKET,), paths=("/api/live",), why="live"),
    ),
    refused=(
        Refused(name="server", why="not for anybody", paths=("/api/admin/**",)),
        Refused(name="elsewhere", why="nobody needs it"),
    ),
    pages=Pages(reserved=("api", "v1")),
)

AS_READ = "allowed as read, and"
A_PATH = "GET /v1/models/{id:path}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_table_is_of_the_pinned_version(name: str) -> None:
    version, routes = read(PROGRAMS[name])
    assert version == images()[PROGRAMS[name].image].tag, f"renew it: python -m scripts.lab.routes {name}"
    assert len(routes) > 250


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.slow
def test_every_route_of_a_program_is_allowed_or_refused_with_a_reason(name: str) -> None:
    program = PROGRAMS[name]
    assert list(faults(program.host.routes, read(program)[1], program.prefix)) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_refusal_is_of_routes_that_there_are_not(name: str) -> None:
    used = set(read(PROGRAMS[name])[1].values())
    assert {entry.name for entry in PROGRAMS[name].host.routes.refused} - used == set()


def test_the_gateway_answers_calls_of_models_and_nothing_else() -> None:
    """By method and path, written out: what is let through has to be looked at here as well."""
    table = read(PROGRAMS["litellm"])[1]
    assert sorted(
        f"{method} {path}" for (method, path), entry in table.items() if entry in {"inference", "models"}
    ) == [
        "GET /v1/models",
        "GET /v1/models/{model_id}",
        "POST /v1/chat/completions",
        "POST /v1/completions",
        "POST /v1/embeddings",
        "POST /v1/messages",
        "POST /v1/messages/count_tokens",
        "POST /v1/responses",
    ]


def test_a_new_route_has_to_be_looked_at(tmp_path: Path) -> None:
    class Elsewhere(Program):
        path = tmp_path / "routes.tsv"

    program = Elsewhere(component="", image="example", host=PROGRAMS["litellm"].host)
    assert write(program, "1", [("GET", "/v1/models")]) == [("GET", "/v1/models")]
    program.path.write_text(program.path.read_text().replace(UNKNOWN, "read"))
    assert write(program, "2", [("GET", "/v1/models"), ("POST", "/v1/other")]) == [("POST", "/v1/other")]
    version, table = read(program)
    assert (version, table) == ("2", {("GET", "/v1/models"): "read", ("POST", "/v1/other"): UNKNOWN})
    assert list(faults(ROUTES, table)) == [
        "POST /v1/other: ? is no entry of routes.py; allow it, or refuse it with a reason"
    ]


@pytest.mark.parametrize(
    ("method", "path", "entry", "said"),
    [
        ("GET", "/v1/models/{id}", "read", []),
        ("GET", "/v1/models/{id:path}", "read", [f"{A_PATH}: {AS_READ} GET /v1/models/x1/x2 is refused"]),
        ("DELETE", "/v1/models/{id}", "read", [f"DELETE /v1/models/{{id}}: {AS_READ} DELETE /v1/models/x1 is refused"]),
        ("GET", "/api/keys", "elsewhere", ["GET /api/keys: refused as elsewhere, and GET /api/keys is answered"]),
        ("GET", "/api/admin/keys", "server", []),
        ("*", "/api/keys/**", "elsewhere", [f"* /api/keys/**: refused as elsewhere, and {method} /api/keys/x1 is "
                                            f"answered" for method in ("GET", "POST")]),
    ],
)  # fmt: skip
def test_a_table_that_says_something_else_than_the_ingress_is_noticed(
    method: str, path: str, entry: str, said: list[str]
) -> None:
    assert list(faults(ROUTES, {(method, path): entry})) == said


@pytest.mark.parametrize(
    ("method", "path", "answered"),
    [
        ("GET", "/v1/models", True),
        ("GET", "/v1/models/qwen3:8b", True),
        ("GET", "/v1/models/", False),
        ("GET", "/v1/models/a/b", False),
        ("GET", "/v1/modelsx", False),
        ("HEAD", "/v1/models", False),
        ("GET", "/api", False),
        ("GET", "/api/", True),
        ("POST", "/api/keys", True),
        ("DELETE", "/api/keys", False),
        ("POST", "/api/admin/", False),
        ("GET", "/api/admin", True),
        (WEBSOCKET, "/api/live", True),
        (WEBSOCKET, "/api/lives", False),
        ("GET", "/", True),
        ("HEAD", "/some/page", True),
        ("POST", "/some/page", False),
        ("GET", "/v1", False),
        ("GET", "/v1beta", True),
        ("GET", "/api/a\nb", True),
        ("GET", "/v1/models\n", False),
        ("GET", "/api//keys", False),
        ("GET", "/api/a/../keys", False),
        ("GET", "/api/%2E%2E/keys", False),
        ("GET", "/api/a%2Fb", False),
        ("GET", "/api/a;b", False),
        ("GET", "/api/a\\b", False),
        ("GET", "/.well-known/security.txt", True),
        ("GET", "/api/a%20b", True),
    ],
)
def test_patterns_stand_for_what_they_say(method: str, path: str, answered: bool) -> None:
    assert ROUTES.answers(method, path) == answered


def test_every_host_of_an_environment_says_what_it_answers() -> None:
    for environment in ("dev", "prod"):
        settings = load_settings(environment)
        routes = enabled_components(settings).routes()
        assert sorted(routes) == [f"{label}.{settings.domain}" for label in ("api", "chat", "grafana", "opik")]
        for answered in routes.values():
            names = [*(entry.name for entry in answered.allowed), *(entry.name for entry in answered.refused)]
            assert len(names) == len(set(names))
            assert all(entry.why and entry.methods for entry in answered.allowed)
            assert all(entry.why for entry in answered.refused)
