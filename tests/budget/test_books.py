"""The books where the contract of the ledger says less: clocks, lost holds, limits."""

import pytest

from gateway.budget import books as books_module
from gateway.budget.books import LOST_SECONDS, WRONG_BY, Books, Slot, account_of
from gateway.holds import Account, Grant, Limited
from gateway.principal import Level, Period
from tests.budget.books import KEY, NOW, allowed, booked, claim, denied, granted

ROLLING = Level("key:r", (allowed(100, Period.MINUTE, rolling=True),))
DAY = 86_400


def test_a_denial_names_the_level_and_how_long_until_all_its_allowances_hold_it() -> None:
    level = Level("key:a", (allowed(100, Period.HOUR), allowed(100, Period.DAY), allowed(1_000)))
    books = Books()
    granted(books.hold(claim("a", 60, level), NOW))

    refused = denied(books.hold(claim("b", 60, level), NOW))

    assert (refused.level, refused.limited) == ("key:a", Limited.ALLOWANCE)
    assert refused.retry_after == DAY - NOW % DAY
    assert isinstance(books.hold(claim("b", 60, level), NOW + refused.retry_after), Grant)


def test_of_several_levels_the_first_that_refuses_is_named() -> None:
    poor, busy = Level("key:a", (allowed(5),)), Level("team:t", parallel=0)

    assert denied(Books().hold(claim("a", 10, poor, busy), NOW)).level == "key:a"
    assert denied(Books().hold(claim("a", 10, busy, poor), NOW)).level == "team:t"


def test_a_quota_of_nothing_passes_nothing() -> None:
    none = Level("key:a", requests_per_minute=0)
    no_tokens = Level("key:b", tokens_per_minute=0)

    requests = denied(Books().hold(claim("a", 0, none), NOW))
    tokens = denied(Books().hold(claim("a", 0, no_tokens), NOW))

    assert (requests.limited, requests.retry_after) == (Limited.REQUESTS, None)
    assert (tokens.limited, tokens.retry_after) == (Limited.TOKENS, None)
    assert requests.standing.requests is not None
    assert requests.standing.requests.remaining == 0


def test_a_rolling_allowance_says_when_enough_of_it_is_let_go() -> None:
    books = Books()
    for number in range(10):
        granted(books.hold(claim(f"a{number}", 10, ROLLING), NOW + number))
        books.settle(f"a{number}", 10, None)
    now = NOW + 10

    waits = {n: denied(books.hold(claim("b", n, ROLLING), now)).retry_after for n in (1, 11, 100)}

    assert waits == {1: 51.0, 11: 52.0, 100: 60.0}
    for amount, wait in waits.items():
        assert wait is not None
        assert isinstance(books.hold(claim("b", amount, ROLLING), now + wait - 1), Grant) is False
    assert isinstance(books.hold(claim("b", 100, ROLLING), now + 60), Grant)


def test_what_was_held_long_ago_settles_into_a_bucket_that_was_let_go() -> None:
    books = Books()
    granted(books.hold(claim("a", 100, ROLLING), NOW))
    granted(books.hold(claim("b", 100, ROLLING), NOW + 61))

    books.settle("a", 70, None)

    assert booked(books, NOW + 61, ROLLING) == [(0, 100)]


def test_a_clock_that_is_put_back_a_little_waits_in_its_window() -> None:
    level = Level("key:a", (allowed(100, Period.MINUTE),), requests_per_minute=2)
    books = Books()
    start = NOW // 60 * 60
    granted(books.hold(claim("a", 60, level), start + 60))
    granted(books.hold(claim("b", 40, level), start + 59))

    assert booked(books, start + 50, level) == [(0, 100)]
    assert denied(books.hold(claim("c", 1, level), start + 30)).retry_after == 30.0
    assert booked(books, start + 119, level) == [(0, 100)]
    assert booked(books, start + 120, level) == [(0, 0)]


def test_a_clock_that_was_wrong_is_believed_when_it_is_put_right() -> None:
    books = Books()
    future = NOW + 30 * DAY
    granted(books.hold(claim("a", 900), future))

    granted(books.hold(claim("b", 900), NOW))
    books.settle("a", 900, None)

    assert booked(books, NOW) == [(0, 900)]
    assert books.standing("o", (KEY,), NOW - WRONG_BY).allowances[0].held == 900


def test_a_hold_nobody_settles_lapses_and_is_corrected_if_somebody_does() -> None:
    books = Books()
    granted(books.hold(claim("lost", 900, KEY), NOW))
    granted(books.hold(claim("young", 50, KEY), NOW + 100))

    assert books.lose(NOW + LOST_SECONDS) == []
    (lapsed,) = books.lose(NOW + LOST_SECONDS + 1)

    assert (lapsed.id, lapsed.expected, lapsed.account) == ("lost", 450, Account("o", "", "a"))
    assert booked(books, NOW + LOST_SECONDS) == [(450, 50)]
    assert books.settle("lost", 10, 10) is None
    assert books.correct("lost", 10) == lapsed
    assert books.correct("lost", 10) is None
    assert booked(books, NOW + LOST_SECONDS) == [(10, 50)]


def test_few_lapsed_holds_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books_module, "MAX_LAPSED", 2)
    books = Books()
    for name in "abc":
        granted(books.hold(claim(name, 10), NOW))
    books.lose(NOW + LOST_SECONDS + 1)

    assert [books.correct(name, 0) is not None for name in "abc"] == [False, True, True]


def test_what_was_let_pass_counts_in_the_window_it_was_let_pass_in() -> None:
    hour = Level("key:h", (allowed(1_000, Period.HOUR), allowed(500, Period.MINUTE, rolling=True)))
    books = Books()
    now = NOW // 3_600 * 3_600 + 30

    def passed(ago: float) -> Grant:
        return Grant(claim("a", 100, hour), now - ago, backed=False)

    for cost, ago in ((1, 0), (10, 20), (100, 40), (1_000, 70)):
        books.charge(passed(ago), cost, now)

    assert booked(books, now, hour) == [(11, 0), (111, 0)]
    assert booked(books, now + 30, hour) == [(11, 0), (11, 0)]


def test_what_was_kept_is_taken_up_again() -> None:
    books = Books()
    bucket = int(NOW // DAY * DAY)
    books.restore(Slot("key:a", Period.DAY, False, bucket), 300)
    books.restore(Slot("key:a", Period.DAY, False, bucket - DAY), 500)
    books.restore(Slot("key:r", Period.MINUTE, True, int(NOW) - 60), 30)
    books.restore(Slot("key:r", Period.MINUTE, True, int(NOW) - 61), 50)
    books.restore_rates([("key:q", NOW + 59.0, NOW + 30.0)])
    quotas = Level("key:q", requests_per_minute=60, tokens_per_minute=600)

    standing = books.standing("o", (quotas,), NOW)

    assert booked(books, NOW, KEY, ROLLING) == [(300, 0), (30, 0)]
    assert standing.requests is not None
    assert standing.tokens is not None
    assert (standing.requests.remaining, standing.tokens.remaining) == (1, 300)
    assert ("key:q", NOW + 59.0, NOW + 30.0) in books.rates()


def test_levels_of_which_there_is_nothing_to_say_are_forgotten() -> None:
    books = Books()
    quota = Level("key:q", requests_per_minute=60)
    for name, level in (("settled", KEY), ("live", ROLLING), ("rated", quota)):
        granted(books.hold(claim(name, 10, level), NOW))
    books.settle("settled", 10, None)
    books.settle("rated", 0, None)
    assert len(books.rates()) == 3

    books.sweep(NOW)
    assert len(books.rates()) == 3
    books.sweep(NOW + 10)
    assert [level for level, *_ in books.rates()] == ["key:a", "key:r"]
    books.sweep(NOW + DAY)
    assert [level for level, *_ in books.rates()] == ["key:r"]

    books.settle("live", 10, None)
    books.sweep(NOW + DAY)
    assert books.rates() == []
    assert booked(books, NOW + DAY, KEY, ROLLING) == [(0, 0), (0, 0)]


def test_a_call_nobody_can_tell_about_is_told_as_far_as_its_levels_say() -> None:
    levels = (Level("key:k"), Level("team:t"), Level("org:o"), Level("odd"))

    assert account_of("o", levels) == Account("o", "t", "k")
    assert account_of("acme", levels[:1]) == Account("acme", "", "k")
    assert account_of("-", levels[:2]) == Account("", "t", "k")
    assert account_of("", ()) == Account()
