"""The law of the ledger: settled + held ≤ allowance, whoever claims in whatever order."""

from hypothesis import given, strategies as st

from gateway.budget.books import Books
from gateway.holds import Claim, Denial, Grant, Limited
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period

NOW = 1_795_000_000.0
ALLOWED = NanoUSD(1_000)
KEY = Level("key:a", (Allowance(ALLOWED, Period.DAY),))
OTHER = Level("key:b", (Allowance(ALLOWED, Period.HOUR, rolling=True),))
TEAM = Level("team:t", (Allowance(NanoUSD(1_500), Period.DAY),))


def claim(name: str, amount: int, *levels: Level, tokens: int = 10) -> Claim:
    return Claim(name, "o", levels or (KEY,), NanoUSD(amount), NanoUSD(amount // 2), tokens)


def granted(answer: Grant | Denial) -> Grant:
    assert isinstance(answer, Grant), answer
    return answer


def denied(answer: Grant | Denial) -> Denial:
    assert isinstance(answer, Denial), answer
    return answer


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(("hold", "settle", "cancel", "wait")),
        st.integers(0, 400),
        st.sampled_from((KEY, OTHER)),
        st.integers(0, 5_000),
    ),
    max_size=150,
)


@given(ACTIONS)
def test_no_allowance_is_ever_overspent(actions: list[tuple[str, int, Level, int]]) -> None:
    books, live, now, spent = Books(), [], NOW, 0
    for number, (action, amount, level, seconds) in enumerate(actions):
        if action == "hold":
            answer = books.hold(claim(f"c{number}", amount, level, TEAM), now)
            live += [answer.claim] if isinstance(answer, Grant) else []
        elif action == "wait":
            now += seconds
        elif live:
            one = live.pop(amount % len(live))
            cost = 0 if action == "cancel" else min(amount, one.amount)
            spent += cost
            books.settle(one.id, NanoUSD(cost), 10)
        for stand in books.standing((KEY, OTHER, TEAM), now).allowances:
            assert stand.settled + stand.held <= stand.amount
    for one in live:
        books.settle(one.id, NanoUSD(0), None)
    quiet = books.standing((KEY, OTHER, TEAM), now).allowances
    assert [stand.held for stand in quiet] == [0, 0, 0]
    assert quiet[2].settled <= spent


def test_two_hundred_callers_get_what_is_there_for_a_hundred() -> None:
    books = Books()

    answers = [books.hold(claim(f"c{n}", 10), NOW) for n in range(200)]

    assert sum(isinstance(answer, Grant) for answer in answers) == 100


def test_a_level_that_refuses_leaves_the_others_untouched() -> None:
    books = Books()
    poor = Level("org:o", (Allowance(NanoUSD(5), Period.DAY),))

    refused = denied(books.hold(claim("c", 10, KEY, poor), NOW))

    assert (refused.level, refused.limited, refused.retry_after) == (
        "org:o",
        Limited.ALLOWANCE,
        None,
    )
    assert [stand.held for stand in books.standing((KEY, poor), NOW).allowances] == [0, 0]


def test_waiting_helps_where_the_window_ends() -> None:
    books = Books()
    granted(books.hold(claim("a", 900), NOW))
    books.settle("a", NanoUSD(900), 10)

    refused = denied(books.hold(claim("b", 200), NOW))

    assert refused.retry_after is not None
    assert isinstance(books.hold(claim("b", 200), NOW + refused.retry_after), Grant)


def test_a_hold_is_settled_in_the_window_it_was_made_in() -> None:
    books = Books()
    granted(books.hold(claim("a", 900), NOW))
    tomorrow = NOW + 86_400

    books.settle("a", NanoUSD(900), 10)

    (stand,) = books.standing((KEY,), tomorrow).allowances
    assert (stand.settled, stand.held) == (0, 0)


def test_settling_twice_charges_once() -> None:
    books = Books()
    granted(books.hold(claim("a", 900), NOW))

    assert books.settle("a", NanoUSD(300), 10)
    assert books.settle("a", NanoUSD(300), 10) == ()

    assert books.standing((KEY,), NOW).allowances[0].settled == 300


def test_quotas_count_requests_tokens_and_parallel_calls() -> None:
    books = Books()
    level = Level("key:q", requests_per_minute=2, tokens_per_minute=100, parallel=2)
    granted(books.hold(claim("a", 0, level, tokens=40), NOW))

    large = denied(books.hold(claim("b", 0, level, tokens=101), NOW))
    more = denied(books.hold(claim("b", 0, level, tokens=80), NOW))
    second = granted(books.hold(claim("b", 0, level, tokens=40), NOW))
    third = denied(books.hold(claim("c", 0, level, tokens=1), NOW))
    books.settle("a", NanoUSD(0), 10)
    fourth = denied(books.hold(claim("c", 0, level, tokens=1), NOW))

    assert (large.limited, large.retry_after) == (Limited.TOKENS, None)
    assert (more.limited, more.retry_after) == (Limited.TOKENS, 12.0)
    assert second.standing.requests is not None
    assert second.standing.requests.remaining == 0
    assert second.standing.tokens is not None
    assert (second.standing.tokens.limit, second.standing.tokens.remaining) == (100, 20)
    assert third.limited is Limited.PARALLEL
    assert (fourth.limited, fourth.retry_after) == (Limited.REQUESTS, 30.0)


def test_tokens_that_were_not_used_are_given_back() -> None:
    books = Books()
    level = Level("key:q", tokens_per_minute=100)
    granted(books.hold(claim("a", 0, level, tokens=90), NOW))

    books.settle("a", NanoUSD(0), 20)

    standing = books.standing((level,), NOW)
    assert standing.tokens is not None
    assert standing.tokens.remaining == 80
