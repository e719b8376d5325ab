"""Records of spend in memory: bounds, and what is told as one."""

from datetime import date

from gateway.budget.records import (
    DAY_SECONDS,
    KEPT_DAYS,
    Records,
    day_number,
    day_of,
    lapsed,
    record,
    taken_back,
)
from gateway.call import Usage
from gateway.holds import Account, Charge, SpendQuery
from gateway.money import NanoUSD

EVER = SpendQuery(date(2000, 1, 1), date(2100, 1, 1))
ACCOUNT = Account("o", "t", "k", "m", "mini")
CHARGE = Charge(ACCOUNT, NanoUSD(9), Usage(7, 3, 2, 1, estimated=True), NanoUSD(5))
TODAY = day_number(date(2026, 11, 24))


def test_days_are_counted_in_utc() -> None:
    assert day_number(date(1970, 1, 1)) == day_of(DAY_SECONDS - 0.001) == 0
    assert day_of(TODAY * DAY_SECONDS) == TODAY


def test_what_is_added_is_found() -> None:
    records = Records()

    records.add([record(TODAY, CHARGE), record(TODAY, CHARGE)])

    (row,) = records.find(EVER)
    assert (row.day, row.account) == (date(2026, 11, 24), ACCOUNT)
    assert (row.calls, row.prompt, row.cached, row.completion, row.reasoning) == (2, 14, 4, 6, 2)
    assert (row.cost, row.estimated, row.saved) == (18, 18, 10)


def test_what_is_taken_back_leaves_nothing() -> None:
    records = Records()
    one = lapsed(TODAY, ACCOUNT, 9)

    records.add([one, taken_back(one)])

    (row,) = records.find(EVER)
    assert (row.calls, row.cost, row.estimated) == (0, 0, 0)


def test_when_there_are_too_many_the_rest_is_told_as_one_and_sums_stay_whole() -> None:
    records = Records(most=3)
    for number in range(10):
        records.add([record(TODAY, CHARGE._replace(account=ACCOUNT._replace(key=f"k{number}")))])

    rows = records.find(EVER)

    assert len(rows) == 4
    assert sum(row.cost for row in rows) == 90
    assert rows[0].account == Account("o", "other", "other", "other", "mini")


def test_records_are_kept_for_400_days() -> None:
    records = Records()
    for day in (0, 1, 400):
        records.add([record(TODAY + day, CHARGE)])

    assert [day_number(row.day) - TODAY for row in records.find(EVER)] == [KEPT_DAYS, 1]
