"""Hosts with several addresses."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from gateway.upstream import dial
from gateway.upstream.dial import Address, interleaved, race
from tests.upstream.test_failures import closed_port

Loop = asyncio.AbstractEventLoop


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening


@pytest.fixture
def full() -> Iterator[Address]:
    """An address where connecting hangs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield at(listening.getsockname())
        for filler in fillers:
            filler.close()


def at(where: object) -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, where)


def test_families_take_turns_and_the_resolver_s_first_choice_begins() -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    kind = socket.SOCK_STREAM
    found = [(six, kind, 0, "a"), (six, kind, 0, "b"), (four, kind, 0, "c"), (six, kind, 0, "d")]

    assert [one[3] for one in interleaved(found)] == ["a", "c", "b", "d"]


async def test_an_address_that_hangs_does_not_hold_up_the_next(
    listener: socket.socket, full: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "HEAD_START", 0.01)
    loop = asyncio.get_running_loop()

    async with asyncio.timeout(5):
        with await race(loop, [full, at(listener.getsockname())]) as won:
            assert won.getpeername() == listener.getsockname()
            assert won.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_an_address_that_refuses_gives_way_at_once(
    listener: socket.socket, full: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "HEAD_START", 60)
    refused = at(("127.0.0.1", closed_port()))
    loop = asyncio.get_running_loop()

    async with asyncio.timeout(5):
        with await race(loop, [refused, at(listener.getsockname()), full]) as won:
            assert won.getpeername() == listener.getsockname()


async def test_when_all_refuse_the_first_refusal_is_told() -> None:
    refused = at(("127.0.0.1", closed_port()))

    with pytest.raises(ConnectionRefusedError):
        await race(asyncio.get_running_loop(), [refused, refused])


async def test_two_that_answer_at_once_leave_one_open(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "HEAD_START", 0)
    where = at(listener.getsockname())

    with await race(asyncio.get_running_loop(), [where] * 8) as won:
        assert won.fileno() >= 0


async def test_giving_up_leaves_nothing_open(full: Address) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await race(asyncio.get_running_loop(), [full, full])


async def test_a_name_with_an_address_is_dialled(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    with await dial.dial(loop, "localhost", listener.getsockname()[1]) as won:
        assert won.getpeername() == listener.getsockname()
