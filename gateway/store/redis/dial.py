"""Opening connections: redis-py connects and proves who we are, then its socket is taken over.

redis-py knows TLS, Unix sockets, users and databases; what it adds to each command (30 µs) is more
than the command itself, so the bytes that follow the handshake are a `Wire`'s.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from gateway.errors import StoreUnavailable
from gateway.store.redis.faults import OTHER, READ_ONLY, TIMEOUT, UNREACHABLE
from gateway.store.redis.topology import Place, Shape, Tls, Topology
from gateway.store.redis.wire import Tally, Wire, pack

Connection = Any
"""redis-py's, which are half annotated."""

CONNECTIONS, ERRORS = "redis.asyncio.connection", "redis.exceptions"

Ended = Callable[[Wire, str], None]

Verify = Callable[[Wire], Awaitable[None]]
"""Looks at what a server holds before it is used; raises `NotReached` where that is not ours."""

FOREIGN = "schema"

TOLD = {
    "auth": "the store refuses our user or password",
    "loading": "the store is still reading its data from disk",
    "busy": "the store is busy with a script that does not end",
    READ_ONLY: "the store is a replica: it takes no writes",
    TIMEOUT: "the store does not answer in time",
    FOREIGN: "the store holds a schema that this version of the gateway does not read",
}
"""What people are told of a dial in vain."""


def told(why: str) -> str:
    """A failure in words for people."""
    return TOLD.get(why, "the store cannot be reached")


class NotReached(StoreUnavailable):
    """No connection; `why` is the metric's word for it."""

    def __init__(self, why: str) -> None:
        super().__init__(told(why))
        self.why = why


class Dialer:
    """Opens wires to the servers of a topology.

    Raises:
        OSError: a file of the TLS options cannot be read.
        ValueError: it holds no certificate or key.
    """

    def __init__(
        self, topology: Topology, budget: float, tally: Tally, verify: Verify | None = None
    ) -> None:
        # redis-py takes 11 MB and a fifth of a second to import; only who has a Redis pays.
        self._redis = import_module(CONNECTIONS)
        self._errors = import_module(ERRORS)
        self._tls = None if topology.tls is None else _context(topology.tls)
        self._budget = budget
        self.tally = tally
        self.topology = topology
        self._verify = verify
        self._sentinels = list(topology.places)

    async def open(self, place: Place, ended: Ended, limit: float) -> Wire:
        """A wire to a server, within `limit` seconds.

        Raises:
            NotReached: there is none.
        """
        mine = self.topology
        credentials = {"username": mine.user or None, "password": mine.password.reveal() or None}
        return await self._dial(place, ended, limit, {"db": mine.db, **credentials})

    async def verify(self, wire: Wire) -> None:
        """See to it that a server holds what is ours, each time it is reached.

        Raises:
            NotReached: it does not.
        """
        if self._verify is not None:
            await self._verify(wire)

    async def master(self, limit: float) -> Place:
        """Where commands go: the one server, or the master the first sentinel to answer names.

        Raises:
            NotReached: no sentinel knows one.
        """
        if self.topology.shape is not Shape.SENTINEL:
            return self.topology.places[0]
        worst = NotReached(UNREACHABLE)
        for sentinel in tuple(self._sentinels):
            try:
                found = await self._ask(sentinel, limit / len(self._sentinels))
            except NotReached as error:
                worst = error
                continue
            if found is not None:
                self._sentinels.remove(sentinel)
                self._sentinels.insert(0, sentinel)
                return found
        raise worst

    async def _ask(self, sentinel: Place, limit: float) -> Place | None:
        mine = self.topology
        wire = await self._dial(
            sentinel,
            lambda _wire, _why: None,
            limit,
            {
                "username": mine.sentinel_user or None,
                "password": mine.sentinel_password.reveal() or None,
            },
        )
        command = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", mine.service)
        try:
            async with asyncio.timeout(limit):
                reply = await wire.send(pack(command))
        except (StoreUnavailable, TimeoutError):
            raise NotReached(TIMEOUT) from None
        finally:
            wire.end("")
        try:
            host, port = reply
            return Place(host.decode(), int(port))
        except (TypeError, ValueError):
            # It knows no such service, or may not tell us.
            return None

    async def _dial(
        self, place: Place, ended: Ended, limit: float, options: dict[str, Any]
    ) -> Wire:
        connection = self._connection(place, limit, options)
        try:
            async with asyncio.timeout(limit):
                await connection.connect()
            # The writer is kept: when it goes it would close its transport.
            writer = connection._writer  # noqa: SLF001 - redis-py offers no other way to its socket
            connection._writer = connection._reader = None  # noqa: SLF001 - and closes what it has
        except TimeoutError:
            raise NotReached(TIMEOUT) from None
        except self._errors.RedisError as error:
            raise NotReached(_kind(self._errors, error)) from None
        finally:
            # Closes what was not taken over, and waits for nothing.
            await connection.disconnect(nowait=True)
        if writer is None or writer.transport.is_closing():
            raise NotReached(UNREACHABLE)
        return Wire(writer.transport, self._budget, self.tally, ended, keep=writer)

    def _connection(self, place: Place, limit: float, options: dict[str, Any]) -> Connection:
        usual = {
            "socket_timeout": None,
            "socket_connect_timeout": limit,
            "protocol": 2,
            "driver_info": None,
            **options,
        }
        if not place.port:
            return self._redis.UnixDomainSocketConnection(path=place.host, **usual)
        where = {"host": place.host, "port": place.port}
        if self._tls is None:
            return self._redis.Connection(**where, **usual)
        connection = self._redis.SSLConnection(**where, **usual)
        connection.ssl_context.context = self._tls
        return connection


def _context(tls: Tls) -> ssl.SSLContext:
    """Made once: reading the system's certificates takes 20 ms."""
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key or None)
    except ssl.SSLError:
        message = "a TLS file of the Redis URL holds no certificate or key in PEM"
        raise ValueError(message) from None
    context.check_hostname = tls.hostname and tls.verify
    context.verify_mode = ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE
    return context


def _kind(errors: ModuleType, error: Exception) -> str:
    """Our word for an error of redis-py's; the narrower come first."""
    # On a Unix socket the handshake's errors come wrapped as the connection's.
    if isinstance(error.__cause__, errors.RedisError):
        error = error.__cause__
    kinds = (
        (errors.AuthenticationError, "auth"),
        (errors.AuthorizationError, "auth"),
        (errors.NoPermissionError, "auth"),
        (errors.BusyLoadingError, "loading"),
        (errors.TimeoutError, TIMEOUT),
        (errors.ConnectionError, UNREACHABLE),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), OTHER.kind)
