"""Sockets, loops, and an application beside the gateway."""

import asyncio
from typing import Any

import pytest

from gateway.http.beside import beside
from gateway.http.server import listen, loop_factory, reserve, share
from tests.http.edge import HOST, edge, get, post
from tests.http.wires import PATIENCE


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
    await send(head)
    await send({"type": "http.response.body", "body": b"hello"})


async def test_an_application_beside_is_there_while_its_context_lasts() -> None:
    with beside(hello) as url:
        port = int(url.removeprefix(f"http://{HOST}:"))
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(get("/", "Connection: close"))
        async with asyncio.timeout(PATIENCE):
            said = await reader.read()
        writer.transport.abort()

    assert said.endswith(b"\r\n\r\nhello")
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(HOST, port)


def test_an_address_that_is_taken_is_an_error() -> None:
    with listen(HOST, 0) as first, pytest.raises(OSError, match="in use"):
        listen(HOST, first.getsockname()[1])


def test_an_ipv6_address_is_listened_on() -> None:
    try:
        listener = listen("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert listener.getsockname()[0] == "::1"


def test_the_loop_can_be_made_again_and_again() -> None:
    make = loop_factory()
    with asyncio.Runner(loop_factory=make) as runner:
        assert runner.run(nothing()) is None
    loop = make()
    loop.close()


async def nothing() -> None:
    """Run."""


async def test_two_edges_do_not_know_of_each_other() -> None:
    async with edge() as one, edge() as other:
        await one.ask(post())

        assert len(one.requests) == 1
        assert other.requests == []


def test_a_reserved_port_is_shared_by_those_who_know_of_it_only() -> None:
    with reserve(HOST, 0) as reserved:
        port = reserved.getsockname()[1]
        with share(HOST, port) as one, share(HOST, port) as other:
            one.listen()
            other.listen()
            with pytest.raises(OSError, match="in use"):
                reserve(HOST, port)
