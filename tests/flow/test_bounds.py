"""What bounds the attempts of a call: their number, the retry budget, deadlines and breakers."""

import asyncio

import pytest

from gateway.catalog import Tier
from gateway.errors import ContextLengthExceeded, Infeasible, UpstreamsExhausted, UpstreamTimeout
from gateway.money import NanoUSD
from gateway.ports import Deadlines, Request
from gateway.route.breaker import Breaker
from tests.fakes import MINI, NANO, FakeReply, assessment, catalog, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import OPENING, body, error, in_turn, never, stream, whole
from tests.flow.scenes import settle

ONE_TIER = {Tier.NANO: NANO}
OUT = UpstreamTimeout("too late")


async def test_each_deployment_is_asked_once_and_only_so_many(world: MakeWorld) -> None:
    place = world(lambda _: error(500), where=catalog(spares=2), max_attempts=4)

    client = await place.ask()

    tried = place.upstream.tried()
    assert len(tried) == len(set(tried)) == 4
    assert place.ended(client).attempts == 4


async def test_a_wait_counts_as_an_attempt_too(world: MakeWorld) -> None:
    limited = ((b"retry-after", b"1"),)
    place = world(lambda _: error(429, headers=limited), max_attempts=3)

    client = await place.ask()

    assert client.answer.status == 429
    assert (len(place.upstream.requests), place.pauses) == (3, [])


async def test_retries_are_a_share_of_the_calls(world: MakeWorld) -> None:
    place = world(lambda _: error(400, "context_length_exceeded"), retry_budget=0.5)
    for n in range(200):
        await place.ask(text=str(n))

    retries = len(place.upstream.requests) - 200

    assert 100 <= retries <= 121


async def test_retries_come_back_with_time(world: MakeWorld) -> None:
    place = world(lambda _: error(400, "context_length_exceeded"), retry_budget=0.0)
    for n in range(30):
        await place.ask(text=str(n))
    place.upstream.requests.clear()
    place.recorder.attempts.clear()

    await place.ask(text="spent")
    place.clock.at += 1
    await place.ask(text="restored")

    assert len(place.upstream.requests) == 1 + 3


@pytest.mark.parametrize(
    ("wished", "streaming", "first", "total"),
    [
        ({}, False, 100.0, 500.0),
        ({"quality": 0.5}, False, 100.0, 500.0),
        ({"deadline": 10.0}, False, 9.0, 9.0),
        ({"deadline": 10.0}, True, 9.0, 9.0),
        ({"patience": 10.0}, False, 10.0, 10.0),
        ({"patience": 10.0}, True, 10.0, 500.0),
        ({"ttft": 10.0}, False, 9.0, 500.0),
        ({"ttft": 10.0}, True, 9.0, 500.0),
        ({"deadline": 30.0, "ttft": 20.0, "patience": 10.0}, True, 10.0, 29.0),
        ({"deadline": 3600.0}, True, 100.0, 500.0),
    ],
)
async def test_an_attempt_gets_what_its_caller_has_left(
    world: MakeWorld, wished: dict[str, float], streaming: bool, first: float, total: float
) -> None:
    limits = Deadlines(first_byte=100.0, total=500.0)
    place = world(in_turn(stream() if streaming else whole()), deadlines=limits)
    call = place.call("nano", stream=streaming, said=wishes(**wished))
    place.clock.at += 1.0

    await place.client(call).serve()

    given = place.upstream.requests[0].deadlines
    assert (given.first_byte, given.total) == (first, total)
    assert (given.connect, given.idle) == (limits.connect, limits.idle)


@pytest.mark.parametrize("wish", ["deadline", "ttft", "patience"])
async def test_no_attempt_is_made_once_the_callers_time_is_over(
    world: MakeWorld, wish: str
) -> None:
    place = world(lambda _: late())

    async def late() -> FakeReply:
        place.clock.at += 5
        raise OUT

    client = await place.ask(said=wishes(**{wish: 5.0}))
    call = place.call(said=wishes(**{wish: 5.0}))
    place.clock.at += 5
    expired = await place.client(call).serve()

    assert client.error is OUT
    assert isinstance(expired.error, UpstreamTimeout)
    assert len(place.upstream.requests) == 1
    assert (place.ended(expired).attempts, place.ended(expired).status) == (0, 504)


async def test_failures_in_a_row_open_the_breaker(world: MakeWorld) -> None:
    place = world(
        lambda r: error(500) if r.deployment.name == NANO.name else whole(),
        breaker=Breaker(limit=3, cooldown=2.0),
    )
    for n in range(5):
        await place.ask(text=str(n))

    assert place.upstream.tried() == [NANO.name, MINI.name] * 3 + [MINI.name] * 2
    assert place.flow.health.resting(place.clock.now()) == [NANO.name]


async def test_a_success_forgives_the_failures_before(world: MakeWorld) -> None:
    answers = [error(500), whole(), error(500), whole()]
    place = world(in_turn(*answers, whole()), breaker=Breaker(limit=2))

    await place.ask("nano", text="1")
    await place.ask("nano", text="2")
    await place.ask("nano", text="3")
    await place.ask("nano", text="4")

    assert place.flow.health.resting(place.clock.now()) == []


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_cooled_breaker_lets_one_call_try(world: MakeWorld, streaming: bool) -> None:
    gate = asyncio.Event()
    answers = in_turn(error(500), whole(gate.wait, body()))
    place = world(answers, breaker=Breaker(limit=1, cooldown=2.0))
    await place.ask("nano")
    place.clock.at += 2

    async with asyncio.TaskGroup() as tasks:
        probe = place.client(place.call("nano", text="probe")).start(tasks)
        await settle()
        other = await place.ask("nano", text="other", stream=streaming)
        gate.set()

    assert probe.answer.status == 200
    assert isinstance(other.error, UpstreamsExhausted)
    assert place.flow.health.takes(place.upstream.requests[0].deployment, place.clock.now())


async def test_a_probe_whose_caller_left_gives_its_place_to_the_next(world: MakeWorld) -> None:
    place = world(in_turn(error(500), never, whole()), breaker=Breaker(limit=1, cooldown=2.0))
    await place.ask("nano")
    place.clock.at += 2

    async with asyncio.TaskGroup() as tasks:
        probe = place.client(place.call("nano", text="probe")).start(tasks)
        await settle()
        probe.hang_up()
    after = await place.ask("nano", text="after")

    assert after.answer.status == 200


@pytest.mark.parametrize("name", ["auto", "nano", "gpt-4.1-nano"])
@pytest.mark.parametrize("wished", [{}, {"patience": 600.0}])
async def test_with_everything_out_the_caller_learns_when_to_come_back(
    world: MakeWorld, name: str, wished: dict[str, float]
) -> None:
    where = catalog(ONE_TIER, spares=1)
    place = world(lambda _: error(500), where=where, breaker=Breaker(limit=1, cooldown=30.0))
    await place.ask(name)
    place.clock.at += 10.5
    place.upstream.requests.clear()
    place.recorder.attempts.clear()

    client = await place.ask(name, text="again", said=wishes(**wished))

    assert isinstance(client.error, UpstreamsExhausted)
    assert client.error.retry_after == 20
    assert "out of service" in client.error.message
    assert place.upstream.requests == []
    assert place.ended(client).status == 503


async def test_a_resting_model_gives_way_to_the_callers_next(world: MakeWorld) -> None:
    place = world(in_turn(error(500), whole()), breaker=Breaker(limit=1))
    await place.ask("gpt-4.1-nano")

    client = await place.ask("gpt-4.1-nano", said=wishes(models=("gpt-4.1-mini",)))

    assert client.answer.status == 200
    assert place.upstream.tried() == [NANO.name, MINI.name]


async def test_an_open_breaker_is_not_passed_by_calls_already_under_way(world: MakeWorld) -> None:
    gate = asyncio.Event()

    def answering(request: Request) -> FakeReply:
        if request.deployment.name == NANO.name and len(place.upstream.requests) == 1:
            return whole(gate.wait, OUT)
        return error(500) if request.deployment.name == MINI.name else whole()

    place = world(answering, breaker=Breaker(limit=1, cooldown=9.0))
    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call()).start(tasks)
        await settle()
        await place.ask("mini")
        gate.set()

    assert client.answer.status == 200
    assert place.upstream.tried() == [NANO.name, MINI.name, "gpt-4.1"]


async def test_callers_in_a_hurry_do_not_open_the_breaker_for_all(world: MakeWorld) -> None:
    def answering(request: Request) -> FakeReply:
        place.clock.at += request.deadlines.first_byte
        return whole(OUT) if not request.stream else stream(OUT)

    place = world(answering, breaker=Breaker(limit=1))

    for streaming in (False, True):
        await place.ask("nano", said=wishes(deadline=2.0), stream=streaming)
    assert place.flow.health.resting(place.clock.now()) == []

    await place.ask("nano", said=wishes(deadline=30.0))
    assert place.flow.health.resting(place.clock.now()) == [NANO.name]


async def test_a_stream_cut_by_its_callers_deadline_does_not_count_either(world: MakeWorld) -> None:
    async def two_seconds() -> None:
        place.clock.at += 2

    place = world(lambda _: stream(OPENING, two_seconds, OUT), breaker=Breaker(limit=1))

    client = await place.ask("nano", said=wishes(deadline=2.0), stream=True)

    assert client.error is OUT
    assert place.flow.health.resting(place.clock.now()) == []


async def test_limits_nothing_can_keep_are_the_callers_to_change(world: MakeWorld) -> None:
    place = world(in_turn(), thinks=assessment(2_000_000))
    long = await place.ask()
    dear = await world(in_turn()).ask(said=wishes(max_cost=NanoUSD(1)))

    assert isinstance(long.error, ContextLengthExceeded)
    assert isinstance(dear.error, Infeasible)
