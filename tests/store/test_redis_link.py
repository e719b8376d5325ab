"""The link on a real Redis: batches, order, scripts, errors."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hiredis import ReplyError

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.store.redis import wire as wires
from gateway.store.redis.faults import FAULTS, KINDS, Refused, Then, fault_of, word_of
from gateway.store.redis.link import Link, Script
from gateway.store.redis.topology import topology
from tests.store.redis_server import RedisServer, linked, redis_server


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[Link]:
    async with linked(redis.url) as link:
        yield link


async def test_nothing_is_connected_before_the_first_command(redis: RedisServer) -> None:
    link = Link(topology(redis.url), SystemClock())

    assert link.usable()
    assert link.post("SET", "a", "1") is None
    assert link.figures().commands == 0


async def test_commands_come_back_as_bytes_numbers_lists_and_nothing(link: Link) -> None:
    assert await link.run("SET", "text", b"\x00\xff") == b"OK"
    assert await link.run("GET", b"text") == b"\x00\xff"
    assert await link.run("GET", "nothing") is None
    assert await link.run("INCRBY", "number", 7) == 7
    assert await link.run("MGET", "text", "nothing") == [b"\x00\xff", None]
    assert await link.run("PING") == b"PONG"


async def test_what_is_asked_in_one_tick_leaves_in_one_write(link: Link) -> None:
    await link.run("PING")
    before = link.figures()

    replies = await asyncio.gather(*(link.run("INCR", "n") for _ in range(100)))

    after = link.figures()
    assert replies == list(range(1, 101))
    assert after.commands - before.commands == 100
    assert after.round_trips - before.round_trips == 1


async def test_many_who_come_first_share_one_connection(redis: RedisServer, link: Link) -> None:
    before = redis.ask("INFO", "stats")

    await asyncio.gather(*(link.run("INCR", "n") for _ in range(50)))

    assert connections(redis.ask("INFO", "stats")) - connections(before) == 2  # ours and this one


async def test_a_caller_that_leaves_does_not_shift_the_replies_of_the_others(link: Link) -> None:
    for number in range(50):
        await link.run("SET", f"k{number}", number)

    async def asks(number: int) -> tuple[int, bytes]:
        return number, await link.run("GET", f"k{number}")

    for round_ in range(20):
        tasks = [asyncio.ensure_future(asks(n)) for n in range(50)]  # noqa: TID251 - they are cancelled
        for _ in range(round_ % 4):
            await asyncio.tasks.__sleep0()  # type: ignore[attr-defined] # one turn of the loop
        for task in tasks[round_::3]:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(result, BaseException):
                assert result[1] == str(result[0]).encode()


async def test_the_one_who_dials_may_leave_and_the_others_are_served(link: Link) -> None:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(link.run("INCR", "n"))
        others = [group.create_task(link.run("INCR", "n")) for _ in range(5)]
        group.create_task(cancels(first))

    assert first.cancelled()
    assert sorted(task.result() for task in others) == [1, 2, 3, 4, 5]


async def cancels(task: "asyncio.Task[object]") -> None:
    task.cancel()


async def test_a_script_is_sent_whole_only_where_it_is_not_known(
    redis: RedisServer, link: Link
) -> None:
    script = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")

    assert [await link.script(script, ["n"], [5]) for _ in range(3)] == [5, 10, 15]
    redis.ask("SCRIPT", "FLUSH")
    assert await link.script(script, ["n"], [5]) == 20

    assert redis.calls("eval") == 2
    assert "type" not in link.figures().errors


async def test_an_error_in_a_script_names_itself(redis: RedisServer, link: Link) -> None:
    redis.ask("SET", "text", "words")

    with pytest.raises(Refused) as refused:
        await link.script(Script("return redis.call('LPUSH', KEYS[1], 'x')"), ["text"])
    assert refused.value.word == "WRONGTYPE"

    with pytest.raises(Refused) as refused:
        await link.script(Script("not lua"), ["text"])
    assert refused.value.word == "ERR"


async def test_a_refused_command_is_counted_and_says_nothing_of_what_was_sent(link: Link) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await link.run("NOSUCH", "sk-secret")

    assert "secret" not in str(refused.value)
    assert link.figures().errors == {"other": 1}
    assert await link.run("PING") == b"PONG"


async def test_what_was_posted_is_done_in_order_with_the_rest(link: Link) -> None:
    await link.run("PING")

    posted = link.post("SET", "a", "posted")

    assert await link.run("GET", "a") == b"posted"
    assert posted is not None
    assert posted.reply == b"OK"


async def test_an_error_of_what_was_posted_is_counted(redis: RedisServer, link: Link) -> None:
    redis.ask("SET", "text", "words")
    await link.run("PING")

    link.post("LPUSH", "text", "x")
    await link.run("PING")

    assert link.figures().errors == {"type": 1}


async def test_a_closed_link_hangs_up(redis: RedisServer, link: Link) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(link.tend())
        await link.run("PING")
        await link.close()

    assert link.post("PING") is None


async def test_too_many_waiting_commands_are_refused(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "MAX_WAITING", 10)
    await link.run("PING")

    outcomes = await asyncio.gather(*(link.run("PING") for _ in range(30)), return_exceptions=True)

    assert outcomes.count(b"PONG") == 10
    assert sum(isinstance(outcome, StoreUnavailable) for outcome in outcomes) == 20
    assert link.figures().errors == {"flooded": 20}
    assert await link.run("PING") == b"PONG"


async def test_a_server_that_refuses_our_password_is_soon_left_alone() -> None:
    with redis_server(password="right") as server:
        link = Link(topology(f"unix://:wrong@{server.path}"), SystemClock())

        with pytest.raises(StoreUnavailable) as refused:
            await link.run("PING")

        assert "password" in str(refused.value)
        assert "wrong" not in str(refused.value)
        for _ in range(5):
            with pytest.raises(StoreUnavailable):
                await link.run("PING")
        assert link.figures().errors == {"auth": 3}
        assert link.figures().open_breakers == 1
        assert not link.usable()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("READONLY You can't write against a read only replica.", "READONLY"),
        ("ERR unknown command 'x'", "ERR"),
        ("ERR Error running script (call to f_0): @user_script:1: -OOM command not", "OOM"),
        ("MASTERDOWN Link with MASTER is down", "MASTERDOWN"),
        ("no word at all", "ERR"),
        ("", "ERR"),
        ("OOM", "OOM"),
    ],
)
def test_an_error_is_known_by_its_first_word(text: str, word: str) -> None:
    assert word_of(ReplyError(text)) == word


def test_every_fault_has_a_metric_name_and_unknown_ones_only_fail_themselves() -> None:
    assert {fault.kind for fault in FAULTS.values()} <= set(KINDS)
    assert fault_of("SOMETHINGNEW").then is Then.REFUSE


def connections(info: object) -> int:
    assert isinstance(info, bytes)
    return int(info.split(b"total_connections_received:")[1].split()[0])
