"""What every `ReplyCache` must do, as tests: import them all where a fixture `bench` gives one.

A store's own test module says `from tests.store.contract import *` and defines `bench`, a fresh,
empty cache and a way to let time pass (a store that keeps its own time waits; one with a clock of
ours turns it).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.call import Headers, Usage
from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.ports import Kept, ReplyCache

__all__ = [
    "test_a_large_reply_is_found_again",
    "test_a_later_reply_takes_the_place_of_an_earlier_one",
    "test_a_reply_is_found_again_as_it_was_put",
    "test_a_reply_is_gone_once_its_time_is_over",
    "test_a_reply_put_again_lives_from_then_on",
    "test_a_reply_with_no_time_to_live_is_not_kept",
    "test_a_stream_of_many_pieces_is_found_again",
    "test_keys_are_bytes_of_any_value",
    "test_many_callers_at_once_find_what_is_theirs",
    "test_nothing_is_found_where_nothing_was_put",
    "test_replies_under_different_keys_do_not_mix",
    "test_streams_keep_their_chunks_apart",
]


@dataclass(frozen=True, slots=True)
class Bench:
    """A cache under test, and how to let seconds pass for it."""

    cache: ReplyCache
    let_pass: Callable[[float], Awaitable[None]]


def a_reply(
    *chunks: bytes,
    stream: bool = False,
    headers: Headers = ((b"content-type", b"application/json"),),
) -> Kept:
    return Kept(
        status=200,
        headers=headers,
        chunks=chunks or (b'{"choices":[]}',),
        stream=stream,
        tier=Tier.MINI,
        model="gpt-4.1-mini",
        usage=Usage(12, 7, cached=4, reasoning=2, estimated=True),
        cost=NanoUSD(16_000),
        score=0.25,
        quality=(0.5, 0.75, 1.0),
        stored=1_790_000_000.25,
    )


KEY, OTHER_KEY = b"k" * 32, b"o" * 32
A_WHILE = 30.0


async def test_nothing_is_found_where_nothing_was_put(bench: Bench) -> None:
    assert await bench.cache.get(KEY) is None


async def test_a_reply_is_found_again_as_it_was_put(bench: Bench) -> None:
    reply = a_reply(b'{"a":"\xc3\xa9\\ud83d"}\r\n\x00\xff')

    await bench.cache.put(KEY, reply, A_WHILE)

    assert await bench.cache.get(KEY) == reply
    assert await bench.cache.get(KEY) == reply


async def test_streams_keep_their_chunks_apart(bench: Bench) -> None:
    reply = a_reply(b"data: 1\n\n", b"", b"data: [DONE]\n\n", stream=True, headers=())

    await bench.cache.put(KEY, reply, A_WHILE)

    assert await bench.cache.get(KEY) == reply


async def test_a_large_reply_is_found_again(bench: Bench) -> None:
    reply = a_reply(bytes(range(256)) * 200)

    await bench.cache.put(KEY, reply, A_WHILE)

    assert await bench.cache.get(KEY) == reply


async def test_a_stream_of_many_pieces_is_found_again(bench: Bench) -> None:
    pieces = [b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % n for n in range(1000)]
    reply = a_reply(*pieces, stream=True)

    await bench.cache.put(KEY, reply, A_WHILE)

    assert await bench.cache.get(KEY) == reply


async def test_many_callers_at_once_find_what_is_theirs(bench: Bench) -> None:
    async def asks(number: int) -> bool:
        key, reply = number.to_bytes(32, "big"), a_reply(b"%d" % number)
        await bench.cache.put(key, reply, A_WHILE)
        return await bench.cache.get(key) == reply

    assert all(await asyncio.gather(*(asks(number) for number in range(20))))


async def test_replies_under_different_keys_do_not_mix(bench: Bench) -> None:
    one, other = a_reply(b"one"), a_reply(b"other")

    await bench.cache.put(KEY, one, A_WHILE)
    await bench.cache.put(OTHER_KEY, other, A_WHILE)

    assert await bench.cache.get(KEY) == one
    assert await bench.cache.get(OTHER_KEY) == other


async def test_keys_are_bytes_of_any_value(bench: Bench) -> None:
    keys = [bytes([value]) * 32 for value in (0, 10, 13, 32, 58, 123, 125, 255)]

    for key in keys:
        await bench.cache.put(key, a_reply(key), A_WHILE)

    found = [await bench.cache.get(key) for key in keys]
    assert found == [a_reply(key) for key in keys]


async def test_a_later_reply_takes_the_place_of_an_earlier_one(bench: Bench) -> None:
    await bench.cache.put(KEY, a_reply(b"earlier"), A_WHILE)
    await bench.cache.put(KEY, a_reply(b"later"), A_WHILE)

    assert await bench.cache.get(KEY) == a_reply(b"later")


async def test_a_reply_is_gone_once_its_time_is_over(bench: Bench) -> None:
    await bench.cache.put(KEY, a_reply(), 0.2)
    await bench.cache.put(OTHER_KEY, a_reply(), A_WHILE)

    await bench.let_pass(0.2)

    assert await bench.cache.get(KEY) is None
    assert await bench.cache.get(KEY) is None
    assert await bench.cache.get(OTHER_KEY) == a_reply()


async def test_a_reply_put_again_lives_from_then_on(bench: Bench) -> None:
    await bench.cache.put(KEY, a_reply(), 0.2)
    await bench.cache.put(KEY, a_reply(), A_WHILE)

    await bench.let_pass(0.3)

    assert await bench.cache.get(KEY) == a_reply()


async def test_a_reply_with_no_time_to_live_is_not_kept(bench: Bench) -> None:
    for ttl in (0.0, -1.0, float("nan")):
        await bench.cache.put(KEY, a_reply(), ttl)

        assert await bench.cache.get(KEY) is None
