"""A request's body sent while it comes, no faster than the far side takes it.

One task per such request, for they are few and long: an upload, or both ways of a connection that
speaks another protocol. It ends with its reply, however that ends.
"""

from gateway.call import Feed
from gateway.errors import GatewayError, UpstreamError, UpstreamUnreachable
from gateway.ports import Request
from gateway.upstream.connection import SWITCHING, Connection
from gateway.upstream.reply import PooledReply

LAST_CHUNK = b"0\r\n\r\n"


async def feed(request: Request, source: Feed, connection: Connection, reply: PooledReply) -> None:
    """Send all that the source gives; whatever goes wrong is the reply's end."""
    chunked = source.length is None and not request.upgrade
    try:
        if request.upgrade:
            await reply.head
            if reply.status != SWITCHING:
                return
        while piece := await source.chunk():
            reply.moved()
            await connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            await connection.write(LAST_CHUNK)
        reply.fed()
    except GatewayError as error:
        message = f"the body for deployment {reply.name!r} ended before it was whole"
        reply.fail(error if isinstance(error, UpstreamError) else UpstreamUnreachable(message))
