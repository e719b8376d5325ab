"""Trace contexts, and what happens to traces while a collector is slow, odd or gone."""

import logging
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from gateway.call import NO_WISHES, Call, Headers
from gateway.ended import Attempted
from gateway.observe import tracing as room
from gateway.observe.spans_otlp import Finished, document
from gateway.observe.tracing import Taken, Tracing, Wanted
from gateway.spans import RANDOM_BYTES, Trace, Try, begun
from tests.observe.events import USUAL, HandClock

RANDOM = bytes(range(1, RANDOM_BYTES + 1))
ID, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def context(text: str) -> Headers:
    return ((b"traceparent", text.encode()),)


def test_a_callers_context_is_continued() -> None:
    state = (b"tracestate", b"a=1,b=2")
    trace = begun((*context(f"00-{ID}-{SPAN}-01"), state), RANDOM, 0.0)

    assert trace is not None
    assert (trace.id, trace.parent, trace.state) == (ID, SPAN, "a=1,b=2")
    assert trace.span == RANDOM[16:].hex()


@pytest.mark.parametrize(
    "text",
    [
        *("", "00", f"ff-{ID}-{SPAN}-01", f"00-{ID}-{SPAN}", f"00-{ID.upper()}-{SPAN}-01"),
        *(f"00-{'0' * 32}-{SPAN}-01", f"00-{ID}-{'0' * 16}-01"),
    ],
)
def test_a_context_that_is_none_is_not_continued(text: str) -> None:
    trace = begun(context(text), RANDOM, 1.0)

    assert trace is not None
    assert (trace.id, trace.parent) == (RANDOM[:16].hex(), "")
    assert begun(context(text), RANDOM, 0.0) is None


def test_who_does_not_follow_its_callers_decides_by_the_trace_alone() -> None:
    def decided(trace: str, flags: str, share: float) -> bool:
        said = context(f"00-{trace}-{SPAN}-{flags}")
        found = begun(said, RANDOM, share, follow=False)
        assert found is None or (found.id, found.parent) == (trace, SPAN)
        return found is not None

    low, high = "1" * 18 + "0" * 14, "1" * 18 + "f" * 14
    assert [decided(low, flags, 0.01) for flags in ("00", "01")] == [True, True]
    assert [decided(high, flags, 0.99) for flags in ("00", "01")] == [False, False]
    assert decided(high, "00", 1.0)
    assert not decided(low, "01", 0.0)


def test_states_in_several_headers_are_one_and_go_only_with_their_context() -> None:
    states = ((b"tracestate", b"a=1"), (b"tracestate", b"b=2"))
    kept = begun((*context(f"00-{ID}-{SPAN}-01"), *states), RANDOM, 1.0)
    lost = begun((*context("00"), *states), RANDOM, 1.0)
    twice = begun((*context(f"00-{ID}-{SPAN}-01"), *context(f"00-{ID}-{SPAN}-01")), RANDOM, 1.0)

    assert kept is not None
    assert lost is not None
    assert twice is not None
    assert (kept.state, lost.state, twice.parent) == ("a=1,b=2", "", "")
    assert kept.outgoing(states, Try("d", "m", "h"))[:2] == states
    assert [name for name, _ in lost.outgoing(states, Try("d", "m", "h"))] == [b"traceparent"]


def test_a_caller_who_does_not_trace_is_not_traced() -> None:
    assert begun(context(f"00-{ID}-{SPAN}-00"), RANDOM, 1.0) is None
    assert begun(context(f"01-{ID}-{SPAN}-03-more"), RANDOM, 0.0) is not None


@given(st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES), st.binary(max_size=80))
def test_whatever_a_caller_sends_an_attempts_header_is_well_formed(
    randomness: bytes, said: bytes
) -> None:
    trace = begun(((b"traceparent", said), (b"accept", b"x")), randomness, 1.0)
    if trace is None:
        return

    headers = [trace.outgoing(((b"accept", b"x"),), Try("d", "m", "h")) for _ in range(2)]

    parents = [dict(one)[b"traceparent"].decode() for one in headers]
    assert parents[0] != parents[1]
    assert all(begun(context(one), RANDOM, 0.0) is not None for one in parents)


def traced(name: str = "m") -> Trace:
    trace = Trace(ID, SPAN, route="chat")
    trace.outgoing((), Try("nano-1", name, "upstream.test"))
    trace.tried("ok", 999.0, None)
    return trace


def spans(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return found


class Collector:
    """Answers in turn, the last for ever."""

    def __init__(self, *answers: int | Taken) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []

    async def send(self, body: bytes) -> Taken:
        self.bodies.append(body)
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return said if isinstance(said, Taken) else Taken(said)


Made = tuple[Tracing, Collector]


def made(*answers: int | Taken) -> Made:
    collector = Collector(*answers)
    return Tracing(collector.send, HandClock(), Wanted()), collector


def end(tracing: Tracing, calls: int = 1) -> None:
    for _ in range(calls):
        tracing.ended(replace(USUAL, trace=traced()))


async def test_calls_leave_in_batches_and_untraced_ones_not_at_all() -> None:
    tracing, collector = made(200)
    tracing.ended(USUAL)
    end(tracing, room.BATCH + 1)
    await tracing.flush()
    await tracing.flush()

    assert [len(spans(body)) for body in collector.bodies] == [2 * room.BATCH, 2]
    assert tracing.dropped == 0


async def test_a_collector_that_is_away_gets_them_later_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tracing, collector = made(0, 503, 200)
    end(tracing)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await tracing.flush()

    assert collector.bodies[0] == collector.bodies[2]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert tracing.dropped == 0


async def test_what_a_collector_refuses_or_there_is_no_room_for_is_dropped_and_counted() -> None:
    tracing, collector = made(400)
    end(tracing, 2)
    await tracing.flush()
    end(tracing, room.LIMIT + 3)

    assert len(collector.bodies) == 1
    assert tracing.spans() == {"sent": 0, "dropped": 2 * 3, "refused": 2 * 2}


def test_the_pauses_are_those_asked_for_else_ever_longer_ones_up_to_a_bound() -> None:
    assert room.pause(7.0, 0.0) == 7.0
    assert room.pause(9999.0, 0.0) == room.MOST_ASKED
    waits = [0.0]
    for _ in range(7):
        waits.append(room.pause(0.0, waits[-1]))

    assert waits[1:] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


async def test_a_collector_that_asks_for_a_pause_is_left_alone_until_it_is_over() -> None:
    tracing, collector = made(Taken(429, 7.0), 200)
    clock = HandClock()
    tracing = Tracing(collector.send, clock, Wanted())
    end(tracing)
    asked = []
    for _ in range(9):
        await tracing.look()
        asked.append(len(collector.bodies))
        clock.seconds += 1

    assert asked == [1] * 7 + [2, 2]
    assert tracing.spans() == {"sent": 2, "dropped": 0, "refused": 0}


async def test_spans_that_a_collector_took_in_part_are_not_sent_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tracing, collector = made(Taken(200, refused=3), Taken(200, refused=99), 200)
    for calls in (2, 1, 1):
        end(tracing, calls)
        await tracing.look()

    assert len(collector.bodies) == 3
    assert tracing.spans() == {"sent": 1 + 0 + 2, "dropped": 0, "refused": 3 + 2}
    assert "refuses 3 spans of a batch: they are not sent again" in caplog.text


async def test_another_kind_of_trouble_is_told_of_again(caplog: pytest.LogCaptureFixture) -> None:
    tracing, _ = made(Taken(200, refused=1), 0, 503, 403, 200)
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            end(tracing)
            await tracing.flush()

    assert [record.levelname for record in caplog.records] == [*["WARNING"] * 3, "INFO"]
    assert "cannot be reached" in caplog.text
    assert "answered 403" in caplog.text


async def test_what_is_left_at_the_end_is_counted_as_dropped() -> None:
    tracing, _ = made(503)
    end(tracing, 3)
    tracing.stopping.set()
    await tracing.tend()

    assert tracing.spans()["dropped"] == 6
    assert tracing.waiting() == 3


async def test_the_last_traces_leave_at_the_end() -> None:
    tracing, collector = made(200)
    end(tracing)
    tracing.stopping.set()
    await tracing.tend()
    tracing.attempted(Attempted("d", "ok", 1.0))

    assert len(collector.bodies) == 1


def test_a_call_of_the_responses_api_is_looked_at_as_chat() -> None:
    tracing = Tracing(Collector(200).send, HandClock(), Wanted(content=True))
    view = {"messages": [{"role": "user", "content": "Hi"}]}
    call = Call("i", b"{}", {}, "auto", False, False, NO_WISHES, (), 0.0, view=view)
    tracing.begin(call, "responses")

    assert call.trace is not None
    assert (call.trace.route, call.trace.messages) == ("responses", view["messages"])


def test_a_failed_attempt_before_the_one_that_answered_keeps_its_own_end() -> None:
    trace = Trace(ID, SPAN)
    trace.outgoing((), Try("a", "first", ""))
    trace.tried("upstream_5xx", 998.0, 998.5)
    trace.outgoing((), Try("b", "second", ""))
    trace.tried("ok", 998.5, 999.0)
    trace.passed(0, 997.0, 998.0)

    body = document([Finished(replace(USUAL, trace=trace), trace, 1000.0, 5000.0)], {}, "1")

    call, stage, first, second = spans(body)
    assert call["name"] == "POST"
    assert stage["name"] == "read"
    assert first["status"] == {"code": 2, "message": "upstream_5xx"}
    assert (first["endTimeUnixNano"], second["status"]) == (str(4998_500_000_000), {})
