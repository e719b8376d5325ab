"""Keys, spend and standing as rows, for machines and for tables."""

import csv
import io
import json
from datetime import date

from gateway.access.directory import Directory, Team
from gateway.access.records import revoked
from gateway.access.statements import (
    COLUMNS,
    as_csv,
    key_row,
    month_of,
    spend_rows,
    standing_row,
    total_row,
)
from gateway.catalog import Tier
from gateway.holds import Account, Meter, Spent, Stand, Standing
from gateway.money import FREE, NanoUSD, usd
from gateway.principal import Allowance, CacheScope, HoldPolicy, Outage, Period, Terms
from tests.access.fakes import made

TERMS = Terms(
    allowances=(Allowance(usd("5"), Period.DAY),),
    tiers=frozenset({Tier.MINI, Tier.NANO}),
    models=frozenset({"b", "a"}),
    max_cost=usd("0.05"),
    hold=HoldPolicy.EXPECTED,
    outage=Outage.OPEN,
    cache_scope=CacheScope.TEAM,
)
RECORD, KEY = made(team="search", terms=TERMS, expires=86_400.0, at=0.0)


def test_a_key_is_shown_under_the_names_of_the_configuration() -> None:
    row = key_row(RECORD, 1.0)

    assert {name: value for name, value in row.items() if value is not None} == {
        "id": RECORD.id,
        "object": "key",
        "name": "search-prod",
        "team": "search",
        "status": "active",
        "source": "store",
        "created": "1970-01-01T00:00:00Z",
        "expires": "1970-01-02T00:00:00Z",
        "allowances": ["5usd/day"],
        "tiers": ["nano", "mini"],
        "models": ["a", "b"],
        "max_cost_usd": "0.05",
        "hold": "expected",
        "on_outage": "fail_open",
        "cache_scope": "team",
    }


def test_a_key_that_says_nothing_is_shown_saying_nothing() -> None:
    row = key_row(revoked(made(terms=Terms())[0], 60.0), 90.0, configured=True)

    assert (row["status"], row["revoked"]) == ("revoked", "1970-01-01T00:01:00Z")
    assert (row["source"], row["created"], row["team"]) == ("configuration", None, None)
    assert row["allowances"] == []
    assert {row[name] for name in ("tiers", "models", "hold", "clamp", "expires")} == {None}


def test_a_key_is_shown_without_anything_that_would_open_something() -> None:
    shown = json.dumps(key_row(RECORD, 1.0))

    for secret in (KEY[14:].decode(), RECORD.salt.hex(), RECORD.digest.hex()):
        assert secret not in shown


DAY = date(2026, 11, 24)
SPENT = (
    Spent(DAY, Account("acme", "search", "k1", "gpt-4.1", "full"), 2, 10, 3, 5, 1, NanoUSD(7)),
    Spent(DAY, Account(model="gpt-4.1-nano", tier="nano"), 1, 1, 0, 1, 0, NanoUSD(1), NanoUSD(1)),
)


def test_spend_is_rows_of_exact_dollars_with_the_keys_names() -> None:
    first, second = spend_rows(SPENT, {"k1": "search-prod"})

    assert tuple(first) == COLUMNS
    assert (first["day"], first["key_name"], first["cost_usd"]) == (
        "2026-11-24",
        "search-prod",
        "0.000000007",
    )
    assert (second["key_name"], second["estimated_usd"]) == ("", "0.000000001")


def test_the_parts_sum_to_the_total() -> None:
    total = total_row(SPENT)

    assert (total["calls"], total["prompt_tokens"], total["cost_usd"]) == (3, 11, "0.000000008")
    assert "day" not in total
    assert total_row(())["cost_usd"] == "0"


def test_csv_has_a_head_and_can_be_read_back() -> None:
    rows = spend_rows(SPENT, {"k1": 'with, "quotes"'})

    read = list(csv.DictReader(io.StringIO(as_csv(rows))))

    assert [{name: str(value) for name, value in row.items()} for row in rows] == read


def test_standing_tells_every_allowance_with_its_level() -> None:
    directory = Directory({"search": Team(terms=TERMS)})
    principal = directory.principal(RECORD)
    stands = tuple(
        Stand(level.id, usd("5"), usd("1"), usd("0.5"), 0.25, 64_800.0)
        for level in principal.levels
    )

    row = standing_row(principal, Standing(Meter(60, 59, 1.0), None, stands))

    assert row["levels"] == [f"key:{RECORD.id}", "team:search"]
    assert row["requests"] == {"limit": 60, "remaining": 59, "reset_seconds": 1.0}
    assert row["tokens"] is None
    assert row["allowances"][1] == {
        "level": "team:search",
        "allowance": "5usd/day",
        "amount_usd": "5",
        "settled_usd": "1",
        "held_usd": "0.5",
        "remaining_usd": "3.5",
        "elapsed": 0.25,
        "reset_seconds": 64_800.0,
    }


def test_a_level_the_principal_does_not_have_is_shown_without_its_allowance() -> None:
    stray = Stand("org:acme", usd("5"), FREE, FREE, 0.0, 1.0)

    row = standing_row(Directory().principal(RECORD), Standing(allowances=(stray,)))

    assert row["allowances"][0]["allowance"] is None


def test_a_month_begins_with_its_first_day() -> None:
    assert month_of(DAY) == date(2026, 11, 1)
