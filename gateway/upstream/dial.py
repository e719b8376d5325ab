"""Opening a socket to a host that may have several addresses.

Happy eyeballs (RFC 8305): a broken IPv6 route must not cost the connect deadline. Both event loops
take an open socket, and only one of them knows happy eyeballs itself, so the race is run here.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import chain, zip_longest
from typing import Any

# How long an address may try alone before the next one starts (RFC 8305, section 5).
HEAD_START = 0.25

Address = tuple[int, int, int, Any]
"""Family, kind, protocol and what the family calls an address."""


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """Alternate between the families, beginning with that of the first address."""
    first = [one for one in addresses if one[0] == addresses[0][0]]
    other = [one for one in addresses if one[0] != addresses[0][0]]
    return [one for one in chain.from_iterable(zip_longest(first, other)) if one is not None]


async def dial(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """A connected socket.

    Raises:
        OSError: when the name is unknown or no address answers.
    """
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await race(loop, interleaved([(one[0], one[1], one[2], one[4]) for one in found]))


async def race(loop: asyncio.AbstractEventLoop, addresses: Sequence[Address]) -> socket.socket:
    """The first of the addresses that answers, each starting after the one before it."""
    if len(addresses) == 1:
        return await _connect(loop, addresses[0])
    failed = [asyncio.Event() for _ in addresses]
    winners: list[socket.socket] = []
    errors: list[OSError] = []
    runners: list[asyncio.Task[None]] = []

    async def run(turn: int) -> None:
        if turn:
            with suppress(TimeoutError):
                async with asyncio.timeout(turn * HEAD_START):
                    await failed[turn - 1].wait()
        try:
            winners.append(await _connect(loop, addresses[turn]))
        except OSError as error:
            errors.append(error)
            failed[turn].set()
            return
        for runner in runners:
            if runner is not asyncio.current_task():
                runner.cancel()

    with ExitStack() as left:
        left.callback(_close, winners)
        async with asyncio.TaskGroup() as group:
            runners.extend(group.create_task(run(turn)) for turn in range(len(addresses)))
        left.pop_all()
    if not winners:
        raise errors[0]
    # Two may have answered in the same turn of the loop.
    _close(winners[1:])
    return winners[0]


def _close(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        one.close()


async def _connect(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    family, kind, protocol, where = address
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        # Without it a small request may wait 40 ms for the acknowledgement of the one before.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(opened, where)
    except BaseException:
        opened.close()
        raise
    return opened
