"""The codec's laws: any reply survives, any damage is seen, nothing grows beyond the bound."""

import struct
from secrets import token_bytes
from zlib import crc32

import pytest
import zstandard
from hypothesis import given, settings, strategies as st

from gateway.call import Usage
from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.ports import Kept
from gateway.store.redis.codec import WORTH_PACKING, Codec, Corrupt
from tests.store.contract import a_reply

ENDS = 1_790_000_600.5
CODEC = Codec(1 << 20)

counts = st.integers(0, 2**63 - 1)
numbers = st.floats(allow_nan=False)
pieces = st.one_of(st.binary(max_size=200), st.just(b"data: {}\n\n" * 300))
replies = st.builds(
    Kept,
    status=st.integers(100, 599),
    headers=st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=50)), max_size=5).map(
        tuple
    ),
    chunks=st.lists(pieces, max_size=8).map(tuple),
    stream=st.booleans(),
    tier=st.sampled_from(Tier),
    model=st.text(st.characters(), max_size=30) | st.just("lone \ud800"),
    usage=st.tuples(counts, counts, counts, counts, st.booleans()).map(lambda told: Usage(*told)),
    cost=counts.map(NanoUSD),
    score=numbers,
    quality=st.tuples(numbers, numbers, numbers),
    stored=numbers,
)


def packed(reply: Kept) -> bytes:
    value = CODEC.encode(reply, ENDS)
    assert value is not None
    return value


def sealed(form: int, size: int, carried: bytes) -> bytes:
    """A value whose checksum is right, whatever is in it."""
    tail = struct.pack(">BI", form, size) + carried
    return b"TGR1" + crc32(tail).to_bytes(4, "big") + tail


@settings(deadline=None)
@given(replies, numbers)
def test_any_reply_survives_with_its_pieces_apart(reply: Kept, ends: float) -> None:
    value = CODEC.encode(reply, ends)

    assert value is not None
    found = CODEC.decode(value)
    assert found.kept == reply
    assert found.ends == ends
    assert [type(field) for field in found.kept] == [type(field) for field in reply]
    assert type(found.kept.usage.estimated) is bool


@pytest.mark.parametrize("reply", [a_reply(), a_reply(b"data: {}\n\n" * 500, stream=True)])
def test_any_byte_turned_is_seen(reply: Kept) -> None:
    value = packed(reply)

    for position in range(len(value)):
        for turn in (0x01, 0x80, 0xFF):
            damaged = bytearray(value)
            damaged[position] ^= turn
            with pytest.raises(Corrupt):
                CODEC.decode(bytes(damaged))


def test_half_a_value_and_more_than_a_value_are_seen() -> None:
    value = packed(a_reply(b"{}" * 2000))

    for end in range(len(value)):
        with pytest.raises(Corrupt):
            CODEC.decode(value[:end])
    with pytest.raises(Corrupt):
        CODEC.decode(value + b"x")


@given(st.binary(max_size=300))
def test_rubbish_is_seen(rubbish: bytes) -> None:
    with pytest.raises(Corrupt):
        CODEC.decode(rubbish)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([0, 1, 2, 255]), st.integers(0, 400))
def test_sealed_rubbish_is_seen_or_read_as_what_it_is(inside: bytes, form: int, size: int) -> None:
    with pytest.raises(Corrupt):
        CODEC.decode(sealed(form, size, inside))


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zstandard.compress(bytes(64 << 20))
    no_size = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1000))
    for value in (
        sealed(1, 64 << 20, bomb),
        sealed(1, 1000, bomb),
        sealed(1, 1000, no_size),
        sealed(0, 1000, bytes(2000)),
        sealed(1, 1000, zstandard.compress(bytes(1000))[:-3]),
    ):
        with pytest.raises(Corrupt):
            CODEC.decode(value)


def test_lengths_that_do_not_add_up_are_seen() -> None:
    value = packed(a_reply(b"body"))
    contents = bytearray(value[13:])
    contents[-4 - 4] ^= 1

    for broken in (bytes(contents) + b"x", bytes(contents)[:-1]):
        with pytest.raises(Corrupt):
            CODEC.decode(sealed(0, len(broken), broken))


def test_what_is_worth_it_is_packed_and_what_does_not_shrink_is_not() -> None:
    text = b'{"content":"again and again"}' * 200
    noise = token_bytes(WORTH_PACKING)

    assert len(packed(a_reply(text))) < len(text) / 10
    assert len(packed(a_reply(noise))) < len(noise) + 300
    assert CODEC.decode(packed(a_reply(noise))).kept == a_reply(noise)


def test_a_reply_too_large_or_with_a_number_too_large_is_not_kept() -> None:
    small = Codec(1000)

    assert small.encode(a_reply(b"x" * 1000), ENDS) is None
    assert CODEC.encode(a_reply()._replace(cost=NanoUSD(2**63)), ENDS) is None
    with pytest.raises(Corrupt):
        small.decode(packed(a_reply(b"x" * 1000)))
