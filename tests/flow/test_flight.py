"""One answer for many readers: who fetches, what everyone gets, who is cut off."""

import asyncio
from collections import deque

import pytest
from hypothesis import given, settings, strategies as st

from gateway.errors import GatewayError, UpstreamBroken, UpstreamTruncated
from gateway.flow import flight as module
from gateway.flow.flight import KEPT_BYTES, LAG_BYTES, Presence, Takeoff
from tests.flow.airfield import Airfield
from tests.flow.scenes import settle

CUT = UpstreamTruncated("cut")


async def test_one_fetches_for_all() -> None:
    field = Airfield()
    readers = [field.reader() for _ in range(3)]
    for reader in readers:
        reader.read()
    await settle()

    field.source.give(b"1")
    await settle()

    assert [reader.got for reader in readers] == [b"01"] * 3
    assert field.source.asked == 1


async def test_the_next_takes_over_when_the_one_who_fetches_leaves() -> None:
    field = Airfield()
    fetching, waiting = field.reader(), field.reader()
    fetching.read()
    await settle()
    waiting.read()
    await settle()

    fetching.leave()
    field.source.give(b"1", b"")
    await waiting.to_the_end()

    assert (waiting.got, field.landings, field.source.abandoned) == (b"01", 1, 0)


async def test_one_who_only_waits_may_leave_too() -> None:
    field = Airfield()
    fetching, waiting = field.reader(), field.reader()
    fetching.read()
    await settle()
    waiting.read()
    await settle()

    waiting.leave()
    await settle()
    field.source.give(b"1", b"")
    await fetching.to_the_end()

    assert (fetching.got, field.source.abandoned) == (b"01", 0)


async def test_the_last_to_leave_takes_the_source_with_it_at_once() -> None:
    field = Airfield()
    one, other = field.reader(), field.reader()

    one.leave()
    assert field.source.abandoned == 0
    other.leave()

    assert field.source.abandoned == 1


async def test_after_the_end_there_is_nothing_to_abandon() -> None:
    field = Airfield()
    reader = field.reader()
    field.source.give(b"")
    await reader.to_the_end()

    reader.leave()

    assert field.source.abandoned == 0
    assert field.flight.whole() == (b"0",)


async def test_everyone_gets_the_same_error_after_the_same_bytes() -> None:
    field = Airfield()
    quick, slow = field.reader(), field.reader()
    field.source.give(b"1", CUT)
    await quick.to_the_end()
    await slow.to_the_end()

    assert (quick.got, quick.error) == (slow.got, slow.error) == (b"01", CUT)
    assert field.landings == 1
    assert field.source.abandoned == 1
    assert field.flight.whole() is None


async def test_a_slow_reader_holds_nobody_up_and_catches_up_in_one_read() -> None:
    field = Airfield()
    quick, slow = field.reader(), field.reader()
    field.source.give(*(b"%d" % n for n in range(1, 10)), b"")
    await quick.to_the_end()

    slow.read()
    await settle()

    assert quick.got == slow.got == b"0123456789"
    assert not slow.ended


async def test_a_lone_reader_that_shares_with_nobody_leaves_nothing_behind() -> None:
    field = Airfield(keeps=False)
    reader = field.reader()
    field.source.give(*[b"x" * 1000] * 50, b"")
    await reader.to_the_end()

    assert len(reader.got) == 1 + 50_000
    assert field.flight._bytes == 1000
    assert field.flight.whole() is None


async def test_a_reader_far_behind_a_long_answer_is_cut_and_the_others_are_not() -> None:
    field = Airfield()
    quick, near, far = field.reader(), field.reader(), field.reader()
    field.source.give(b"x" * (KEPT_BYTES - 1))
    for reader in (quick, near):
        reader.read()
        await settle()

    field.source.give(*[b"y" * (LAG_BYTES // 4)] * 2, b"")
    await quick.to_the_end()
    await near.to_the_end()
    await far.to_the_end()

    assert near.got == quick.got
    assert (near.error, quick.error) == (None, None)
    assert isinstance(far.error, UpstreamTruncated)
    assert far.got == b"0"


async def test_behind_a_long_answer_no_more_is_kept_than_a_reader_may_lag() -> None:
    field = Airfield()
    quick = field.reader()
    field.reader()
    held = []
    for _ in range(2 * KEPT_BYTES // LAG_BYTES):
        field.source.give(b"x" * (LAG_BYTES // 2), b"y" * (LAG_BYTES // 2))
        for _ in range(2):
            quick.read()
            await settle()
        held.append(field.flight._bytes)

    assert max(held) <= KEPT_BYTES
    assert held[-1] <= LAG_BYTES
    assert not field.flight.joinable()


async def test_nobody_joins_what_was_given_up() -> None:
    field = Airfield()
    assert not field.flight.joinable()
    reader = field.reader()
    assert field.flight.joinable()

    reader.leave()

    assert not field.flight.joinable()


async def test_a_presence_cancels_once_nobody_waits() -> None:
    cancelled: list[bool] = []
    presence = Presence(lambda: cancelled.append(True))
    presence.join()

    presence.leave()
    assert cancelled == []
    presence.leave()

    assert cancelled == [True]


async def test_a_takeoff_nobody_waits_for_resolves_without_a_trace() -> None:
    takeoff: Takeoff[str] = Takeoff(Presence(lambda: None), b"", {})

    takeoff.resolve("head")

    assert takeoff._future is None


async def test_those_who_wait_for_a_takeoff_get_its_head_or_its_error() -> None:
    for result in ("head", None, UpstreamBroken("no")):
        takeoff: Takeoff[str] = Takeoff(Presence(lambda: None), b"", {})
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(outcome(takeoff)) for _ in range(2)]
            await settle()
            takeoff.resolve(result)
            takeoff.resolve("too late")

        assert [task.result() for task in waiting] == [result, result]


async def outcome(takeoff: Takeoff[str]) -> str | GatewayError | None:
    try:
        return await takeoff.wait()
    except GatewayError as error:
        return error


STEPS = st.lists(
    st.tuples(st.sampled_from(["give", "read", "read", "join", "leave"]), st.integers(0, 5)),
    max_size=40,
)


@pytest.mark.parametrize(("kept", "lag"), [(KEPT_BYTES, LAG_BYTES), (24, 8)])
@given(steps=STEPS, pieces=st.lists(st.integers(1, 6), max_size=14), cut=st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_reader_that_stays_gets_every_byte_in_order(
    steps: list[tuple[str, int]], pieces: list[int], cut: bool, kept: int, lag: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEPT_BYTES", kept)
        patch.setattr(module, "LAG_BYTES", lag)
        asyncio.run(fly(steps, pieces, CUT if cut else b""))


async def fly(steps: list[tuple[str, int]], sizes: list[int], end: bytes | GatewayError) -> None:
    field = Airfield()
    letters = iter(range(97, 1000))
    pieces = deque(bytes([next(letters)]) * size for size in sizes)
    whole = b"0" + b"".join(pieces)
    readers = [field.reader()]
    for what, who in steps:
        staying = [reader for reader in readers if not reader.ended]
        if what == "give" and pieces:
            field.source.give(pieces.popleft())
        elif what == "join" and field.flight.joinable():
            readers.append(field.reader())
        elif staying and what == "read":
            staying[who % len(staying)].read()
        elif staying and what == "leave":
            staying[who % len(staying)].leave()
            assert field.source.abandoned == (field.flight.readers == 0)
        for _ in range(who):
            await asyncio.get_running_loop().create_task(nothing())
    staying = [reader for reader in readers if not reader.ended]
    field.source.give(*pieces, end)
    for reader in staying:
        await reader.to_the_end()

    uncut = [reader for reader in staying if reader.error in (None, end)]
    for reader in staying:
        assert whole.startswith(reader.got)
        assert reader in uncut or len(whole) > module.KEPT_BYTES
    for reader in uncut:
        assert reader.got == whole
        assert (reader.error or b"") == end
    assert field.landings == bool(uncut)


async def nothing() -> None:
    """A turn of the loop."""
