"""Keys and notes on a real Redis: what is remembered, for how long, and what is never believed."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from gateway.errors import StoreUnavailable
from gateway.principal import KeyRecord, Terms
from gateway.store.records import to_json
from gateway.store.redis import names
from gateway.store.redis.affinities import RedisAffinities
from gateway.store.redis.keys import FRESH, SHOWN, STALE, RedisKeys
from gateway.store.redis.link import Link
from tests.fakes import FakeClock
from tests.store.affinities_contract import *  # noqa: F403 — importing the suite is what runs it
from tests.store.affinities_contract import Notes
from tests.store.redis_server import RedisServer, linked, redis_server


def a_key(name: str = "k1", **more: object) -> KeyRecord:
    made = KeyRecord(name, f"name of {name}", "team", b"salt", b"digest", created=1.0)
    return replace(made, **more)  # type: ignore[arg-type] # fields of a record


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[Link]:
    async with linked(redis.url) as link:
        yield link


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(link: Link, clock: FakeClock) -> RedisKeys:
    return RedisKeys(link, clock)


async def test_a_key_is_found_as_it_was_put_by_every_replica(
    link: Link, clock: FakeClock, keys: RedisKeys
) -> None:
    record = a_key(expires=9.5, terms=Terms(requests_per_minute=60, clamp=True))

    await keys.put(record)

    assert await keys.find("k1") == record
    assert await RedisKeys(link, clock).find("k1") == record
    assert await keys.find("k2") is None


async def test_all_keys_are_listed_oldest_first(keys: RedisKeys) -> None:
    made = [a_key(f"k{n}", created=float(n * 7 % 1200)) for n in range(1200)]
    for record in made:
        await keys.put(record)

    assert await keys.every() == sorted(made, key=lambda record: record.created)


async def test_a_key_in_use_is_asked_about_once_a_second_and_waits_for_nobody(
    redis: RedisServer, clock: FakeClock, keys: RedisKeys
) -> None:
    await keys.put(a_key())

    for _ in range(100):
        await keys.find("k1")
        await keys.find("none")
    assert redis.calls("hget") == 2

    clock.at += FRESH
    for _ in range(100):
        await keys.find("k1")
        await keys.find("none")
    await keys.every()
    assert redis.calls("hget") == 4


async def test_a_change_shows_within_two_seconds(
    redis: RedisServer, clock: FakeClock, keys: RedisKeys
) -> None:
    await keys.put(a_key())
    await keys.find("k1")
    await keys.find("k2")
    redis.ask("HSET", names.KEYS, "k1", to_json(a_key(revoked=5.0)))
    redis.ask("HSET", names.KEYS, "k2", to_json(a_key("k2")))

    clock.at += SHOWN

    assert await keys.find("k1") == a_key(revoked=5.0)
    assert await keys.find("k2") == a_key("k2")


async def test_a_key_in_steady_use_learns_of_a_change_by_the_way(
    redis: RedisServer, link: Link, clock: FakeClock, keys: RedisKeys
) -> None:
    await keys.put(a_key())
    await keys.find("k1")
    redis.ask("HSET", names.KEYS, "k1", to_json(a_key(revoked=5.0)))

    clock.at += FRESH
    assert await keys.find("k1") == a_key()
    await link.run("PING")

    assert await keys.find("k1") == a_key(revoked=5.0)


async def test_ones_own_change_shows_at_once(keys: RedisKeys) -> None:
    await keys.put(a_key())
    await keys.find("k1")

    await keys.put(a_key(revoked=5.0))

    assert await keys.find("k1") == a_key(revoked=5.0)


@pytest.fixture
def mortal() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


async def test_a_store_that_is_down_is_believed_for_a_minute_and_unknown_keys_are_not_invented(
    mortal: RedisServer, clock: FakeClock
) -> None:
    async with linked(mortal.url, tend=True) as link:
        keys = RedisKeys(link, clock)
        await keys.put(a_key())
        await keys.find("k1")
        await keys.find("none")
        mortal.kill()

        clock.at += STALE - 1
        assert await keys.find("k1") == a_key()
        assert await keys.find("none") is None
        with pytest.raises(StoreUnavailable):
            await keys.find("k2")

        clock.at += 1
        for known in ("k1", "none"):
            with pytest.raises(StoreUnavailable):
                await keys.find(known)
        with pytest.raises(StoreUnavailable):
            await keys.put(a_key())
        with pytest.raises(StoreUnavailable):
            await keys.every()


async def test_only_so_many_are_remembered(
    redis: RedisServer, link: Link, clock: FakeClock
) -> None:
    keys = RedisKeys(link, clock, max_remembered=10)

    for number in range(50):
        await keys.find(f"guess {number}")

    assert len(keys._remembered) == 10
    assert await keys.find("x" * 1000) is None
    assert redis.calls("hget") == 50


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"id": 1}', b"\xff", "null"])
async def test_a_record_that_cannot_be_read_is_no_unknown_key(
    redis: RedisServer, clock: FakeClock, keys: RedisKeys, rubbish: str | bytes
) -> None:
    await keys.put(a_key())
    await keys.find("k1")
    redis.ask("HSET", names.KEYS, "k1", rubbish, "k2", rubbish)

    with pytest.raises(StoreUnavailable):
        await keys.find("k2")
    clock.at += FRESH
    assert await keys.find("k1") == a_key()
    clock.at += SHOWN
    assert await keys.find("k1") == a_key()
    clock.at += STALE
    with pytest.raises(StoreUnavailable):
        await keys.find("k1")


async def test_something_else_under_the_name_of_the_keys_is_no_empty_list(
    redis: RedisServer, keys: RedisKeys
) -> None:
    redis.ask("SET", names.KEYS, "rubbish")

    with pytest.raises(StoreUnavailable):
        await keys.every()
    with pytest.raises(StoreUnavailable):
        await keys.find("k1")


@pytest.fixture
def notes(redis: RedisServer, link: Link) -> Notes:
    async def let_pass(seconds: float) -> None:
        await link.run("PING")
        redis.let_pass(seconds)

    return Notes(RedisAffinities(link), let_pass)


@pytest.mark.parametrize(
    "rubbish",
    [("SET", b"\xff"), ("SET", "x" * 5000), ("SET", ""), ("LPUSH", "a")],
)
async def test_what_is_no_note_is_not_believed(
    redis: RedisServer, notes: Notes, rubbish: tuple[str, str | bytes]
) -> None:
    redis.ask(rubbish[0], names.note("session", "one"), rubbish[1])

    assert await notes.affinities.get("session", "one") is None
    await notes.affinities.put("session", "one", "full", 10)
    assert await notes.affinities.get("session", "one") == "full"


async def test_notes_that_are_too_long_or_over_at_once_are_not_kept(
    redis: RedisServer, notes: Notes
) -> None:
    for note, ttl in (("x" * 257, 10.0), ("", 10.0), ("x", 0.0), ("x", float("nan"))):
        await notes.affinities.put("session", "one", note, ttl)

    await notes.affinities.put("session", "two", "é" * 256, float("inf"))

    assert await notes.affinities.get("session", "one") is None
    assert await notes.affinities.get("session", "two") == "é" * 256
    assert redis.ask("DBSIZE") == 1


async def test_what_a_client_said_is_no_name_in_redis(redis: RedisServer, notes: Notes) -> None:
    await notes.affinities.put("session", "the client's own \ud800 words", "full", 10)
    await notes.affinities.get("session", "x")

    found = redis.ask("KEYS", "*")

    assert isinstance(found, list)
    assert b"client" not in found[0]


async def test_a_store_that_is_down_has_no_notes(mortal: RedisServer) -> None:
    async with linked(mortal.url) as link:
        mortal.kill()
        affinities = RedisAffinities(link)

        await affinities.put("session", "one", "full", 10)

        assert await affinities.get("session", "one") is None
