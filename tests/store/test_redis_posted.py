"""What nobody awaits is told in the turn that reads it, once, with its reply or its error."""

from gateway.errors import StoreUnavailable
from gateway.store.redis.posted import Posted
from tests.store.redis_server import RedisServer, linked


def test_everybody_is_told_once_in_order() -> None:
    told: list[str] = []
    posted = Posted(lambda _: told.append("first"))
    posted.then(lambda one: told.append(f"second {one.reply}"))
    assert not posted.done()
    assert not posted.came

    posted.set_result(b"OK")
    posted.then(lambda one: told.append(f"late {one.came}"))

    assert told == ["first", "second b'OK'", "late True"]
    assert posted.done()


def test_an_error_is_no_reply() -> None:
    told: list[Posted] = []
    posted = Posted()
    posted.then(told.append)

    posted.set_exception(StoreUnavailable("gone"))

    assert told == [posted]
    assert not posted.came
    assert isinstance(posted.error, StoreUnavailable)


async def test_whoever_is_told_may_send_more(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        await link.run("PING")

        first = link.post("SET", "a", 1)
        assert first is not None
        first.then(lambda _: link.post("SET", "b", 2))

        assert await link.run("GET", "a") == b"1"
        assert await link.run("GET", "b") == b"2"


async def test_what_is_under_way_when_the_connection_ends_is_told(redis: RedisServer) -> None:
    told: list[Posted] = []
    again: list[Posted | None] = []
    async with linked(redis.url) as link:
        await link.run("PING")
        for _ in range(3):
            posted = link.post("SET", "a", 1)
            assert posted is not None
            posted.then(told.append)
            # Whoever is told finds no connection to send on.
            posted.then(lambda _: again.append(link.post("SET", "a", 2)))

    assert again == [None] * 3
    assert [one.came for one in told] == [False] * 3
