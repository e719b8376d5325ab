"""The breaker's table, walked without waiting."""

from hypothesis import given, strategies as st

from gateway.route.breaker import Breaker, State

FRESH = Breaker(limit=3, cooldown=2.0)


def broken(breaker: Breaker, now: float) -> Breaker:
    for _ in range(breaker.limit):
        breaker = breaker.failed(now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    nearly = FRESH.failed(0.0).failed(0.0)

    assert nearly.state(0.0) is State.CLOSED
    assert nearly.failed(0.0).state(0.0) is State.OPEN


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = FRESH.failed(0.0).failed(0.0).succeeded().failed(0.0).failed(0.0)

    assert breaker.state(0.0) is State.CLOSED


def test_it_cools_and_lets_one_call_probe() -> None:
    breaker = broken(FRESH, 10.0)

    assert not breaker.admits(11.9)
    assert breaker.admits(12.0)
    assert not breaker.started(12.0).admits(12.0)


def test_a_probe_that_fails_opens_it_again_and_one_that_succeeds_closes_it() -> None:
    probing = broken(FRESH, 0.0).started(2.0)

    assert probing.failed(2.5).state(4.4) is State.OPEN
    assert probing.failed(2.5).state(4.5) is State.HALF_OPEN
    assert probing.succeeded() == FRESH


def test_a_probe_whose_client_left_lets_the_next_call_probe() -> None:
    probing = broken(FRESH, 0.0).started(2.0)

    assert probing.released().admits(2.0)
    assert FRESH.released() is FRESH


def test_an_upstream_that_asks_for_a_pause_gets_it() -> None:
    resting = FRESH.rested(30.0)

    assert not resting.admits(29.9)
    assert resting.admits(30.0)
    assert resting.rested(20.0).open_until == 30.0


def test_a_pause_turns_nobody_away_who_named_the_model() -> None:
    resting = FRESH.rested(30.0)

    assert resting.admits(10.0, named=True)
    assert resting.failed(10.0).admits(10.0, named=True)
    assert not broken(resting, 10.0).admits(10.0, named=True)
    assert not broken(FRESH, 10.0).rested(30.0).admits(10.0, named=True)


events = st.lists(st.tuples(st.sampled_from("sfrcx"), st.floats(0, 5)), max_size=60)


@given(events)
def test_an_open_breaker_passes_nothing(history: list[tuple[str, float]]) -> None:
    breaker, now = FRESH, 0.0
    for event, later in history:
        now += later
        if event == "s":
            breaker = breaker.succeeded()
        elif event == "f":
            breaker = breaker.failed(now)
        elif event == "r":
            breaker = breaker.rested(now + later)
        elif event == "x":
            breaker = breaker.released()
        elif breaker.admits(now):
            breaker = breaker.started(now)

        if breaker.state(now) is State.OPEN:
            assert not breaker.admits(now)
        if breaker.state(now) is State.CLOSED:
            assert breaker.admits(now)
