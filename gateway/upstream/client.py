"""Our own HTTP/1.1 client: the `Upstream` for the path measured in microseconds.

No task, no timer and no object per header belongs to a call: a future hands the reply over, and
one timer per origin watches all deadlines. It speaks HTTP/1.1 over TCP and TLS only; proxies and
HTTP/2 are `gateway.upstream.httpx_adapter`'s.
"""

import asyncio
import ssl
from dataclasses import dataclass

from gateway.catalog import Deployment
from gateway.errors import UpstreamUnreachable
from gateway.ports import Request
from gateway.upstream.feeding import feed
from gateway.upstream.heading import Heading, Origin
from gateway.upstream.pool import Limits, Pool
from gateway.upstream.reply import PooledReply

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class _Line:
    """What a deployment's calls need, found once."""

    deployment: Deployment
    heading: Heading
    pool: Pool


class DirectUpstream:
    """Sends attempts over pooled connections.

    `ca_file` holds certificates to trust besides the system's. A request that meets a connection
    which the far side had already closed is sent once more on another one: no byte of a reply had
    come, and it is still the same attempt.

    Raises:
        OSError: when `ca_file` cannot be read (`ssl.SSLError`: holds no certificate).
    """

    def __init__(self, *, ca_file: str | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)
        self._tls.set_alpn_protocols(["http/1.1"])
        self._limits = limits
        # By name: hashing a whole deployment would cost more than all else here.
        self._lines: dict[str, _Line] = {}
        self._pools: dict[Origin, Pool] = {}
        self._closed = False

    async def send(self, request: Request) -> PooledReply:
        deployment = request.deployment
        line = self._lines.get(deployment.name)
        if line is None or line.deployment is not deployment:
            line = self._line(deployment)
        body = request.body
        head = (
            line.heading.write(request.path, request.headers, len(body))
            if request.feed is None and request.method == "POST"
            else line.heading.write_for(request)
        )
        pool = line.pool
        started = pool.loop.time()
        # What is taken from a feed is gone: it may not meet a connection that is dead already.
        connection = pool.take(started) if request.feed is None else None
        for again in (False, True):
            if connection is None:
                connection = await pool.connect(request, started, fresh=again)
            reply = PooledReply(request, pool.loop, pool.watch, started)
            pool.watch.add(reply)
            connection.send(reply, head, body)
            if request.feed is not None:
                reply.feeder = pool.loop.create_task(feed(request, request.feed, connection, reply))
            try:
                await reply.head
            except asyncio.CancelledError:
                reply.abort()
                raise
            if not reply.stale:
                break
            connection = None
        # A stream that began is a reply, however it ends.
        if reply.error is not None and not (reply.stream and reply.status):
            raise reply.error
        return reply

    async def close(self) -> None:
        self._closed = True
        for pool in self._pools.values():
            await pool.close()

    def _line(self, deployment: Deployment) -> _Line:
        if self._closed:
            message = "the client is closed"
            raise UpstreamUnreachable(message)
        heading = Heading(deployment)
        origin = heading.origin
        pool = self._pools.get(origin)
        if pool is None:
            pool = Pool(origin, self._tls if origin.secure else None, self._limits)
            self._pools[origin] = pool
        line = _Line(deployment, heading, pool)
        self._lines[deployment.name] = line
        return line
