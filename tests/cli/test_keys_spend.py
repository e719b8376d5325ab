"""`tiergate spend` shows what the ledger recorded."""

import csv
import io
import json
from pathlib import Path

import pytest

from gateway.call import Usage
from gateway.holds import Account, Charge
from gateway.money import NanoUSD, usd
from tests.cli.counter import Counter

SAID = {"since": "", "until": "", "organisation": "", "team": "", "key": ""}


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def there() -> Counter:
    """Three days of spend, up to today."""
    counter = Counter()
    counter.create(team="search")
    (key,) = counter.keys.records
    for day in range(3):
        charge = Charge(
            Account("", "search", key, "gpt-4.1-nano", "nano"),
            usd(f"0.{day + 1}"),
            Usage(1_000 * (day + 1), 10),
            NanoUSD(5),
        )
        counter.ledger.settle(None, charge)
        counter.clock.at += 86_400
    counter.printed()
    counter.told()
    return counter


def spend(
    there: Counter, form: str = "table", said: dict[str, str] | None = None, limit: int = 100
) -> int:
    return there.desk.spend(None, SAID | (said or {}), limit=limit, form=form)


def test_spend_is_a_table_with_its_sums(there: Counter) -> None:
    assert spend(there) == 0

    rows = [line.split() for line in there.printed().splitlines()]
    assert rows[1] == [
        *("2026-11-20", "search", "search-prod", "gpt-4.1-nano", "nano"),
        *("1", "3,000", "10", "$0.3", "$0.000000005"),
    ]
    assert rows[-1] == ["total", "3", "6,000", "30", "$0.6", "$0.000000015"]
    assert there.told() == ""


def test_nothing_spent_is_an_empty_table() -> None:
    there = Counter()

    assert spend(there) == 0
    assert "total" not in there.printed()


def test_spend_may_be_read_by_machines(there: Counter) -> None:
    assert spend(there, "csv") == 0
    rows = list(csv.DictReader(io.StringIO(there.printed(), newline="")))
    assert spend(there, "json") == 0
    document = json.loads(there.printed())

    assert [row["cost_usd"] for row in rows] == ["0.3", "0.2", "0.1"]
    assert [row["cost_usd"] for row in document["data"]] == ["0.3", "0.2", "0.1"]
    assert document["total"]["cost_usd"] == "0.6"


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({"since": "1d"}, ["2026-11-20", "2026-11-19"]),
        ({"since": "2026-11-19", "until": "2026-11-19"}, ["2026-11-19"]),
        ({"until": "2d"}, ["2026-11-18"]),
        ({"key": "search-prod", "since": "0d"}, ["2026-11-20"]),
        ({"team": "other"}, []),
    ],
)
def test_spend_may_be_of_some_days_or_of_somebody(
    there: Counter, said: dict[str, str], days: list[str]
) -> None:
    assert spend(there, "json", said) == 0

    assert [row["day"] for row in json.loads(there.printed())["data"]] == days


@pytest.mark.parametrize(
    ("said", "words", "code"),
    [
        ({"since": "yesterday"}, "--since must be a day such as 2026-11-01, or 7d", 2),
        ({"since": "2026-11-21"}, "--since must not be after --until", 2),
        ({"key": "nobody"}, "There is no key of this name or id.", 1),
    ],
)
def test_what_cannot_be_asked_is_told(
    there: Counter, said: dict[str, str], words: str, code: int
) -> None:
    assert spend(there, "table", said) == code
    assert words in there.told()


def test_rows_that_are_left_out_are_said_to_be(there: Counter) -> None:
    assert spend(there, "json", limit=2) == 0

    assert len(json.loads(there.printed())["data"]) == 2
    assert there.told() == "warning: there are more than 2 rows: ask for fewer days\n"


def test_figures_are_whole_in_a_narrow_terminal(there: Counter) -> None:
    there.desk.desk.out.width = 80

    assert spend(there) == 0

    table = there.printed()
    assert all(figure in table for figure in ("2026-11-18", "$0.000000015", "6,000", "$0.6"))
    assert "…" not in table
