"""What processes tell each other, in a real Redis."""

from gateway.store.redis import names
from gateway.store.redis.bulletin import RedisBulletin
from tests.store.redis_server import RedisServer, linked

FEW = 200


async def test_what_one_tells_another_hears_in_order_and_from_where_it_was(
    redis: RedisServer,
) -> None:
    async with linked(redis.url) as link, linked(redis.url) as their_link:
        one, other = RedisBulletin(link, FEW), RedisBulletin(their_link, FEW)
        assert await other.heard("", 10) == []

        await one.tell([b"a", b"b", b"c"])
        first = await other.heard("", 2)
        rest = await other.heard(first[-1].mark, 10)
        await one.tell([b"\x00\xff"])
        new = await other.heard(rest[-1].mark, 10)

    assert [[note.packed for note in some] for some in (first, rest, new)] == [
        [b"a", b"b"],
        [b"c"],
        [b"\x00\xff"],
    ]


async def test_the_oldest_of_it_goes_and_all_of_it_after_a_day_of_silence(
    redis: RedisServer,
) -> None:
    async with linked(redis.url) as link:
        bulletin = RedisBulletin(link, FEW)
        for number in range(40):
            await bulletin.tell([b"%d" % number] * 25)
        kept = redis.ask("XLEN", names.DECISIONS)
        [newest] = (await bulletin.heard("", 10_000))[-1:]
        redis.let_pass(86_401)
        later = await bulletin.heard("", 10)

    assert isinstance(kept, int)
    # Redis trims by whole nodes of a hundred.
    assert FEW <= kept < FEW + 100
    assert newest.packed == b"39"
    assert later == []
