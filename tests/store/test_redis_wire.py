"""What no honest Redis does, from a server that says what a test has it say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import hiredis
import pytest

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.store.redis import wire as wires
from gateway.store.redis.faults import Refused
from gateway.store.redis.link import Link
from gateway.store.redis.topology import topology
from tests.store.redis_server import linked

Says = Callable[[list[bytes]], bytes]
"""The answer to a command; `b""` is silence."""

HANG_UP = b"hang up"


class Line(asyncio.Protocol):
    """One connection to the server; it answers PING by itself."""

    def __init__(self, says: Says, lines: list[asyncio.BaseTransport]) -> None:
        self.says = says
        self.lines = lines
        self.reader = hiredis.Reader()
        self.transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        self.lines.append(transport)

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        while (command := self.reader.gets()) is not False:
            answer = b"+PONG\r\n" if command == [b"PING"] else self.says(command)
            if answer == HANG_UP:
                self.transport.abort()
            else:
                self.transport.write(answer)


@asynccontextmanager
async def scripted(directory: Path, says: Says, *, port: bool = False) -> AsyncIterator[str]:
    """A server; gives its URL, or its host and port."""
    loop, lines = asyncio.get_running_loop(), list[asyncio.BaseTransport]()
    path = directory / "scripted.sock"
    if port:
        server = await loop.create_server(lambda: Line(says, lines), "127.0.0.1", 0)
        where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    else:
        server = await loop.create_unix_server(lambda: Line(says, lines), path)
        where = f"unix://{path}"
    try:
        yield where
    finally:
        server.close()
        for line in lines:
            line.close()
        await SystemClock().sleep(0)


def in_turn(*answers: bytes) -> Says:
    left = list(answers)
    return lambda _command: left.pop(0) if left else b"+OK\r\n"


@pytest.mark.parametrize("rubbish", [b"@what\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0"])
async def test_what_cannot_be_read_ends_the_connection(tmp_path: Path, rubbish: bytes) -> None:
    async with scripted(tmp_path, in_turn(rubbish)) as url, linked(url) as link:
        with pytest.raises(StoreUnavailable, match="garbled"):
            await link.run("GET", "a")

        assert await link.run("GET", "a") == b"OK"
        assert link.figures().errors == {"garbled": 1}


async def test_a_reply_nobody_asked_for_ends_the_connection(tmp_path: Path) -> None:
    async with (
        scripted(tmp_path, in_turn(b"+one\r\n+two\r\n", b"+three\r\n")) as url,
        linked(url) as link,
    ):
        assert await link.run("GET", "a") == b"one"
        assert await link.run("GET", "a") == b"three"
        assert link.figures().errors == {"garbled": 1}


async def test_a_reply_may_come_in_pieces(tmp_path: Path) -> None:
    says = in_turn(b"$4\r\nab", b"cd\r\n+two\r\n")
    async with scripted(tmp_path, says) as url, linked(url) as link:
        one, two = await asyncio.gather(link.run("GET", "a"), link.run("GET", "b"))

    assert (one, two) == (b"abcd", b"two")


async def test_a_connection_lost_with_commands_unanswered_is_not_asked_again(
    tmp_path: Path,
) -> None:
    commands: list[object] = []

    def says(command: list[bytes]) -> bytes:
        commands.append(command)
        return HANG_UP

    async with scripted(tmp_path, says) as url, linked(url) as link:
        with pytest.raises(StoreUnavailable, match="lost"):
            await link.run("INCR", "a")

    assert commands == [[b"INCR", b"a"]]


async def test_who_asked_before_a_server_began_to_load_still_gets_his_reply(
    tmp_path: Path,
) -> None:
    says = late_after(b"-LOADING Redis is loading\r\n")
    async with scripted(tmp_path, says) as url, linked(url) as link:
        refused, before = await asyncio.gather(
            outcome(link.run("GET", "loading")), outcome(link.run("GET", "before"))
        )
        again = await link.run("GET", "again")

    assert (refused, before) == ("the store refused a command (LOADING)", b"before")
    assert again == b"again"


def late_after(error: bytes) -> Says:
    """Answers the first key with an error, and every other with itself."""

    def says(command: list[bytes]) -> bytes:
        return error if command[1] == b"loading" else b"+" + command[1] + b"\r\n"

    return says


async def outcome(command: "asyncio.Future[object] | object") -> object:
    try:
        return await command  # type: ignore[misc] # an awaitable
    except StoreUnavailable as error:
        return str(error)


async def test_what_the_socket_does_not_take_is_not_kept_without_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted(tmp_path, in_turn()) as url, linked(url) as link:
        await link.run("GET", "a")
        monkeypatch.setattr(wires, "MAX_BUFFERED", -1)

        with pytest.raises(StoreUnavailable, match="flooded"):
            await link.run("GET", "a")

        assert link.figures().errors == {"flooded": 1}


async def test_a_silent_server_is_given_up_after_the_budget_however_much_it_answers(
    tmp_path: Path,
) -> None:
    says = in_turn(*[b"+OK\r\n"] * 3, b"")
    async with scripted(tmp_path, says) as url, linked(url, 0.05) as link:
        began = SystemClock().now()
        for _ in range(3):
            await link.run("GET", "a")
        with pytest.raises(StoreUnavailable, match="timeout"):
            await link.run("GET", "a")

        assert 0.04 < SystemClock().now() - began < 0.5
        assert link.figures().open_breakers == 1


async def test_a_replica_behind_one_address_is_asked_once_more_and_then_told_so(
    tmp_path: Path,
) -> None:
    commands: list[bytes] = []

    def says(command: list[bytes]) -> bytes:
        commands.append(command[0])
        return b"-READONLY You can't write against a read only replica.\r\n"

    async with scripted(tmp_path, says) as url, linked(url) as link:
        with pytest.raises(StoreUnavailable, match="takes no writes"):
            await link.run("INCR", "a")

    assert commands == [b"INCR", b"SET"]


@pytest.mark.parametrize(
    "answer",
    [
        b"*0\r\n",
        b"*1\r\n*0\r\n",
        b"*1\r\n:1\r\n",
        b"*1\r\n*3\r\n:0\r\n:99999999999\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        b"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n$4\r\nport\r\n",
        b"-ERR This instance has cluster support disabled\r\n",
        b"+OK\r\n",
    ],
)
async def test_a_map_that_makes_no_sense_is_not_followed(tmp_path: Path, answer: bytes) -> None:
    async with (
        scripted(tmp_path, lambda _command: answer, port=True) as place,
        linked(f"redis+cluster://{place}") as link,
    ):
        with pytest.raises(StoreUnavailable, match="no node of the cluster"):
            await link.run("GET", "a")


def a_map(place: str, first: int = 0, last: int = 16_383, *, host: bytes | None = None) -> bytes:
    name, _, port = place.rpartition(":")
    spelled = (
        b"$-1\r\n"
        if host is None and not name
        else b"$%d\r\n%s\r\n"
        % (
            len(host or name.encode()),
            host or name.encode(),
        )
    )
    return b"*1\r\n*3\r\n:%d\r\n:%d\r\n*2\r\n%s:%s\r\n" % (first, last, spelled, port.encode())


@pytest.mark.parametrize(
    "answer", [b"-MOVED\r\n", b"-MOVED x y:z\r\n", b"-MOVED 99999 h:1\r\n", b"-ASK 1 nowhere\r\n"]
)
async def test_a_move_to_nowhere_is_refused(tmp_path: Path, answer: bytes) -> None:
    where: list[str] = []

    def says(command: list[bytes]) -> bytes:
        return a_map(where[0]) if command[0] == b"CLUSTER" else answer

    async with scripted(tmp_path, says, port=True) as place:
        where.append(place)
        async with linked(f"redis+cluster://{place}") as link:
            with pytest.raises(Refused):
                await link.run("GET", "a")
            assert link.figures().errors == {}


async def test_a_node_without_a_name_is_where_it_was_asked(tmp_path: Path) -> None:
    where: list[str] = []

    def says(command: list[bytes]) -> bytes:
        if command[0] == b"CLUSTER":
            return a_map(f":{where[0].rpartition(':')[2]}", last=8191)
        return b"+here\r\n"

    async with scripted(tmp_path, says, port=True) as place:
        where.append(place)
        async with linked(f"redis+cluster://{place}") as link:
            assert await link.run("GET", "b") == b"here"
            with pytest.raises(StoreUnavailable, match="no node"):
                await link.run("GET", "a")


async def test_a_closed_link_dials_no_more(tmp_path: Path) -> None:
    async with scripted(tmp_path, in_turn()) as url:
        link = Link(topology(url), SystemClock(), budget=5.0)
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(outcome(link.run("GET", "a")))
            await SystemClock().sleep(0)
            await link.close()

        assert "closed" in str(asking.result())
        assert not link.usable()
        assert link.post("GET", "a") is None
