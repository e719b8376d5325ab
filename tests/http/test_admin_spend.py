"""Spend and standing over the admin API."""

import csv
import io
from typing import Any

import pytest

from gateway.call import Usage
from gateway.holds import Account, Charge, Claim, Grant
from gateway.money import NanoUSD, usd
from tests.http.office import DIRECTORY, Office, error


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


DAY = 86_400.0
ACCOUNT = Account("acme", "search", "", "gpt-4.1-nano", "nano")


async def spent() -> tuple[Office, str]:
    """Three days of spend by one key, and one call of nobody's on the last day."""
    office = Office()
    key = (await office.create(team="search"))["id"]
    for n in (1, 2, 3):
        charge = Charge(ACCOUNT._replace(key=key), NanoUSD(n), Usage(10 * n, n))
        office.ledger.settle(None, charge)
        office.clock.at += DAY
    office.clock.at -= DAY
    office.ledger.settle(None, Charge(Account(model="gpt-4.1", tier="full"), NanoUSD(100)))
    return office, key


async def asked(office: Office, query: str) -> dict[str, Any]:
    answer = await office.ask("GET", f"/spend?{query}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_spend_is_this_months_newest_day_first() -> None:
    office, key = await spent()

    said = await asked(office, "")

    assert (said["since"], said["until"]) == ("2026-11-01", "2026-11-20")
    assert [(row["day"], row["cost_usd"]) for row in said["data"]] == [
        ("2026-11-20", "0.000000003"),
        ("2026-11-20", "0.0000001"),
        ("2026-11-19", "0.000000002"),
        ("2026-11-18", "0.000000001"),
    ]
    assert said["data"][0]["key"] == key
    assert said["data"][0]["key_name"] == "search-prod"
    assert said["total"]["cost_usd"] == "0.000000106"
    assert said["total"]["calls"] == 4
    assert not said["has_more"]


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("since=2026-11-19", [20, 20, 19]),
        ("until=2026-11-18", [18]),
        ("since=2026-11-19&until=2026-11-19", [19]),
        ("team=search", [20, 19, 18]),
        ("organisation=acme", [20, 19, 18]),
        ("team=other", []),
        ("key=search-prod", [20, 19, 18]),
        ("key=from-file", []),
    ],
)
async def test_spend_may_be_of_some_days_or_of_somebody(query: str, days: list[int]) -> None:
    office, _ = await spent()

    rows = (await asked(office, query))["data"]

    assert [int(row["day"][-2:]) for row in rows] == days


async def test_more_rows_than_were_asked_for_are_said_to_be_there() -> None:
    office, _ = await spent()

    said = await asked(office, "limit=2")

    assert len(said["data"]) == 2
    assert said["has_more"]
    assert said["total"]["calls"] == 2


async def test_spend_comes_as_csv_too() -> None:
    office, _ = await spent()

    answer = await office.ask("GET", "/spend?format=csv&team=search")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="spend-2026-11-01-2026-11-20.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["prompt_tokens"] for row in rows] == ["30", "20", "10"]


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("since=2026-11-02&until=2026-11-01", 400, "since"),
        ("since=yesterday", 422, "since"),
        ("limit=0", 422, "limit"),
        ("limit=10001", 422, "limit"),
        ("format=xml", 422, "format"),
        ("key=nobody", 404, None),
        ("team=" + "x" * 200, 422, "team"),
    ],
)
async def test_what_cannot_be_asked_is_refused(query: str, status: int, param: str | None) -> None:
    answer = await Office().ask("GET", f"/spend?{query}")

    assert answer.status_code == status
    assert error(answer)["param"] == param


# ── standing ─────────────────────────────────────────────────────────────────
async def claimed(office: Office, name: str, amount: str, cost: str) -> None:
    (record,) = [one for one in office.keys.records.values() if one.name == name]
    principal = DIRECTORY.principal(record)
    claim = Claim("c", principal.root, principal.levels, usd(amount), usd(amount), 1)
    grant = await office.ledger.hold(claim)
    assert isinstance(grant, Grant)
    office.ledger.settle(grant, Charge(ACCOUNT, usd(cost)))
    await office.ledger.hold(claim._replace(id="d"))


async def test_a_keys_standing_is_that_of_all_its_levels() -> None:
    office = Office()
    key = await office.create(team="search", allowances=["5usd/day"], requests_per_minute=60)
    await claimed(office, "search-prod", "0.5", "0.1")

    said = (await office.ask("GET", "/standing?key=search-prod")).json()

    assert said["levels"] == [f"key:{key['id']}", "team:search", "org:acme"]
    assert said["requests"] == {"limit": 60, "remaining": 59, "reset_seconds": 1.0}
    assert [(one["level"], one["allowance"]) for one in said["allowances"]] == [
        (f"key:{key['id']}", "5usd/day"),
        ("team:search", "50usd/day"),
        ("org:acme", "1000usd/month rolling"),
    ]
    assert said["allowances"][0] == {
        "level": f"key:{key['id']}",
        "allowance": "5usd/day",
        "amount_usd": "5",
        "settled_usd": "0.1",
        "held_usd": "0.5",
        "remaining_usd": "4.4",
        "elapsed": 0.5,
        "reset_seconds": 3600.0,
    }


@pytest.mark.parametrize(
    ("query", "levels"),
    [
        ("team=search", ["team:search", "org:acme"]),
        ("team=billing", ["team:billing"]),
        ("organisation=acme", ["org:acme"]),
        ("team=nobody", []),
    ],
)
async def test_a_team_and_an_organisation_have_a_standing(query: str, levels: list[str]) -> None:
    said = (await Office().ask("GET", f"/standing?{query}")).json()

    assert said["levels"] == levels


@pytest.mark.parametrize("query", ["", "key=a&team=b", "team=a&organisation=b"])
async def test_a_standing_is_somebodys(query: str) -> None:
    answer = await Office().ask("GET", f"/standing?{query}")

    assert answer.status_code == 400
    assert error(answer)["message"] == "Say one of key, team and organisation."


async def test_a_ledger_that_is_away_is_503() -> None:
    office = Office()
    office.ledger.away = True

    for path in ("/spend", "/standing?team=search"):
        assert error(await office.ask("GET", path))["code"] == "store_unavailable"
