"""Keys over the admin API: made, listed, changed, rotated, revoked."""

import asyncio
from typing import Any

import pytest

from gateway.access.token import parse, proves
from gateway.principal import Outage
from tests.access.fakes import FakeKeys
from tests.http.office import CONFIGURED, CONFIGURED_KEY, Office, error


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


EVERYTHING: dict[str, Any] = {
    "team": "search",
    "expires": "30d",
    "allowances": ["5usd/day", "20usd/month rolling"],
    "requests_per_minute": 60,
    "tokens_per_minute": "100k",
    "parallel": 4,
    "tiers": ["nano", "mini"],
    "models": ["gpt-4.1-nano"],
    "quality": 0.3,
    "max_cost_usd": "0.05",
    "deadline": 30,
    "hold": "expected",
    "clamp": False,
    "on_outage": "fail_open",
    "cache_scope": "team",
}


async def test_a_key_is_made_with_everything_that_was_asked_for() -> None:
    office = Office()

    answer = await office.ask("POST", "/keys", {"name": "search-prod", **EVERYTHING})

    said = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    (record,) = office.keys.records.values()
    assert parse(said["key"].encode()) == record.id == said["id"]
    assert proves(said["key"].encode(), record)
    assert record.expires == office.clock.wall() + 30 * 86_400
    assert {name: said[name] for name in EVERYTHING} == {
        **EVERYTHING,
        "expires": said["expires"],
        "tokens_per_minute": 100_000,
        "deadline": 30.0,
    }
    assert (said["status"], said["source"]) == ("active", "store")


async def test_a_key_is_shown_once_and_nothing_that_would_open_anything_ever() -> None:
    office = Office()
    key = (await office.create())["key"]
    (record,) = office.keys.records.values()

    shown = [
        await office.ask("GET", "/keys"),
        await office.ask("GET", "/keys/search-prod"),
        await office.ask("PATCH", "/keys/search-prod", {"quality": 0.1}),
        await office.ask("POST", "/keys", {"name": "search-prod"}),
        await office.ask("GET", f"/keys/{key}"),
        await office.ask("DELETE", f"/keys/{record.id}"),
    ]

    text = "".join(answer.text + repr(answer.headers) for answer in shown)
    for secret in (key, key[14:], record.salt.hex(), record.digest.hex(), CONFIGURED_KEY.decode()):
        assert secret not in text


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "a", "team": "serch"}, "team"),
        ({"name": "a", "expires": "soon"}, "expires"),
        ({"name": "a", "allowances": ["canary"]}, "0"),
        ({"name": "a", "tokens_per_minute": "canary"}, "tokens_per_minute"),
        ({"name": "a", "key": "tg-canary"}, "key"),
        ({"name": "a", "tiers": []}, "tiers"),
        ([], "body"),
    ],
)
async def test_what_cannot_be_is_refused_and_not_quoted(body: Any, param: str) -> None:
    office = Office()

    answer = await office.ask("POST", "/keys", body)

    assert answer.status_code in (400, 422)
    assert error(answer)["param"] == param
    assert error(answer)["code"] == "invalid_value"
    assert "canary" not in answer.text
    assert office.keys.records == {}


async def test_a_name_belongs_to_one_living_key() -> None:
    office = Office()
    await office.create()

    again = await office.ask("POST", "/keys", {"name": "search-prod"})
    configured = await office.ask("POST", "/keys", {"name": CONFIGURED.name})
    await office.ask("DELETE", "/keys/search-prod")
    after = await office.ask("POST", "/keys", {"name": "search-prod"})

    assert (again.status_code, configured.status_code, after.status_code) == (400, 400, 201)
    assert error(again)["param"] == "name"


async def test_a_name_belongs_to_one_of_those_who_ask_at_once() -> None:
    office = Office()

    answers = await asyncio.gather(
        *(office.ask("POST", "/keys", {"name": "same"}) for _ in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400, 400]


# ── one key ──────────────────────────────────────────────────────────────────
async def test_what_is_said_is_changed_and_the_rest_stays() -> None:
    office = Office()
    await office.create(**EVERYTHING)

    answer = await office.ask(
        "PATCH",
        "/keys/search-prod",
        {
            "name": "search-eu",
            "team": None,
            "expires": None,
            "max_cost_usd": None,
            "on_outage": "fail_closed",
            "allowances": [],
        },
    )

    (record,) = office.keys.records.values()
    assert answer.json()["name"] == record.name == "search-eu"
    assert (record.team, record.expires) == ("", None)
    assert (record.terms.max_cost, record.terms.outage) == (None, Outage.CLOSED)
    assert record.terms.allowances == ()
    assert (record.terms.requests_per_minute, record.terms.quality) == (60, 0.3)


async def test_a_change_of_nothing_changes_nothing() -> None:
    office = Office()
    await office.create(**EVERYTHING)
    before = dict(office.keys.records)

    assert (await office.ask("PATCH", "/keys/search-prod", {})).status_code == 200
    assert office.keys.records == before


@pytest.mark.parametrize(
    ("body", "param"),
    [({"name": "from-file"}, "name"), ({"team": "serch"}, "team"), ({"expires": "x"}, "expires")],
)
async def test_a_change_that_cannot_be_is_refused(body: dict[str, str], param: str) -> None:
    office = Office()
    await office.create()
    before = dict(office.keys.records)

    answer = await office.ask("PATCH", "/keys/search-prod", body)

    assert answer.status_code == 400
    assert error(answer)["param"] == param
    assert office.keys.records == before


async def test_a_rotated_key_has_a_new_secret_and_the_old_limits() -> None:
    office = Office()
    first = await office.create(**EVERYTHING)

    answer = await office.ask("POST", "/keys/search-prod/rotate")

    second = answer.json()
    (record,) = office.keys.records.values()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert proves(second["key"].encode(), record)
    assert not proves(first["key"].encode(), record)
    assert {**second, "key": first["key"]} == first


async def test_a_revoked_key_stays_revoked() -> None:
    office = Office()
    await office.create()

    revoked = await office.ask("DELETE", "/keys/search-prod")
    office.clock.at += 60
    again = await office.ask("DELETE", "/keys/search-prod")
    changed = await office.ask("PATCH", "/keys/search-prod", {"quality": 0.1})
    rotated = await office.ask("POST", "/keys/search-prod/rotate")

    assert revoked.json()["status"] == "revoked"
    assert again.json() == revoked.json()
    assert changed.json()["status"] == "revoked"
    assert rotated.status_code == 400


async def test_a_change_and_a_revocation_at_once_leave_the_key_revoked() -> None:
    office = Office()
    await office.create()

    await asyncio.gather(
        *(office.ask("PATCH", "/keys/search-prod", {"quality": n / 10}) for n in range(5)),
        office.ask("DELETE", "/keys/search-prod"),
        *(office.ask("PATCH", "/keys/search-prod", {"parallel": n + 1}) for n in range(5)),
    )

    (record,) = office.keys.records.values()
    assert record.revoked is not None


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("GET", "")]
)
async def test_a_key_that_is_not_there_is_not_found(method: str, path: str) -> None:
    answer = await Office().ask(method, f"/keys/nobody{path}", {})

    assert answer.status_code == 404
    assert "nobody" not in error(answer)["message"]


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")])
async def test_what_stands_in_the_configuration_is_changed_there(method: str, path: str) -> None:
    office = Office()

    answer = await office.ask(method, f"/keys/from-file{path}", {})

    assert answer.status_code == 403
    assert "change it there" in error(answer)["message"]
    assert (await office.ask("GET", "/keys/from-file")).json()["status"] == "active"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/a"), ("GET", "/spend")],
)
async def test_a_store_that_is_away_is_503(method: str, path: str) -> None:
    office = Office(keys=FakeKeys(away=True))

    answer = await office.ask(method, path, {"name": "a"} if method == "POST" else None)

    assert answer.status_code == 503
    assert error(answer)["code"] == "store_unavailable"


def test_an_admin_shows_no_secret_of_its_own() -> None:
    assert "admin-canary" not in repr(Office(key="admin-canary-0123456789abcdef").admin)
