"""Who may use the admin API, and from where."""

import pytest

from gateway.http.pages import create
from tests.http.edge import edge, post
from tests.http.office import ADMIN_KEY, FAR, Office, error, page

PATHS = [
    ("GET", "/keys"),
    ("POST", "/keys"),
    ("GET", "/keys/a"),
    ("PATCH", "/keys/a"),
    ("DELETE", "/keys/a"),
    ("POST", "/keys/a/rotate"),
    ("GET", "/spend"),
    ("GET", "/standing"),
    ("GET", "/catalog"),
    ("GET", "/metrics"),
    ("GET", "/whatif"),
    ("GET", "/decisions"),
    ("GET", "/decisions/stream"),
    ("GET", "/decisions/req_1"),
]
GUARDED = (401, 403)


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


async def test_without_a_key_of_its_own_it_is_for_this_machine_only() -> None:
    office = Office()

    for method, path in PATHS:
        far = await office.ask(method, path, peer=FAR)
        proxied = await office.ask(method, path, X_Forwarded_For="127.0.0.1")
        near = await office.ask(method, path)

        assert (far.status_code, proxied.status_code) == (403, 403)
        assert error(far)["code"] == "permission_denied"
        assert near.status_code not in GUARDED


@pytest.mark.parametrize("everywhere", [False, True])
async def test_with_a_key_of_its_own_that_key_is_needed(everywhere: bool) -> None:
    office = Office(key=ADMIN_KEY, everywhere=everywhere)

    for method, path in PATHS:
        refused = await office.ask(method, path)
        right = await office.ask(method, path, Authorization=f"bearer {ADMIN_KEY}")

        assert refused.status_code == 401
        assert error(refused)["code"] == "invalid_api_key"
        assert right.status_code not in GUARDED


@pytest.mark.parametrize(
    "wrong", ["Bearer", "Bearer wrong", f"Basic {ADMIN_KEY}", f"Bearer {ADMIN_KEY}x"]
)
async def test_nothing_but_that_key_will_do(wrong: str) -> None:
    refused = await Office(key=ADMIN_KEY).ask("GET", "/keys", Authorization=wrong)

    assert refused.status_code == 401
    assert ADMIN_KEY not in refused.text


async def test_other_machines_are_served_only_where_that_was_said() -> None:
    closed, opened = Office(key=ADMIN_KEY), Office(key=ADMIN_KEY, everywhere=True)
    bearer = f"Bearer {ADMIN_KEY}"

    assert (await closed.ask("GET", "/keys", peer=FAR, Authorization=bearer)).status_code == 403
    assert (await opened.ask("GET", "/keys", peer=FAR, Authorization=bearer)).status_code == 200
    assert (await opened.ask("GET", "/keys", peer=FAR)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8080"},
        {"Host": "203.0.113.7"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "127.0.0.1", "Origin": "http://evil.example:8080"},
    ],
)
async def test_a_web_page_cannot_reach_it(headers: dict[str, str]) -> None:
    office = Office()

    refused = await office.ask("POST", "/keys", {"name": "a"}, **headers)

    assert refused.status_code == 403
    assert "127.0.0.1 or localhost" in error(refused)["message"]
    assert office.keys.records == {}


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "127.8.9.10:1", "[::1]:8080"])
async def test_this_machine_has_more_than_one_name(host: str) -> None:
    answer = await Office().ask("GET", "/keys", Host=host, Origin="http://localhost:3000")

    assert answer.status_code == 200


async def test_a_socket_of_this_machine_needs_no_name() -> None:
    assert (await Office().ask("GET", "/keys", peer=None, Host="whatever")).status_code == 200


def test_a_gateway_without_admin_api_has_no_such_paths() -> None:
    assert not [path for path in create(page()).openapi()["paths"] if "admin" in path]


def test_the_document_describes_the_admin_api_where_there_is_one() -> None:
    paths = Office().app.openapi()["paths"]

    found = {(method.upper(), path) for path in paths for method in paths[path]}
    assert {
        ("POST", "/admin/v1/keys"),
        ("GET", "/admin/v1/keys"),
        ("GET", "/admin/v1/keys/{key}"),
        ("PATCH", "/admin/v1/keys/{key}"),
        ("DELETE", "/admin/v1/keys/{key}"),
        ("POST", "/admin/v1/keys/{key}/rotate"),
        ("GET", "/admin/v1/spend"),
        ("GET", "/admin/v1/standing"),
    } <= found


async def test_it_is_served_beside_the_calls() -> None:
    asked = post(b'{"name": "a"}', path="/admin/v1/keys")
    async with edge(admin=Office().admin) as e:
        made = await e.ask(asked.replace(b"Host: gateway", b"Host: 127.0.0.1"))
        by_another_name = await e.ask(asked)

    assert (made.status, by_another_name.status) == (201, 403)
