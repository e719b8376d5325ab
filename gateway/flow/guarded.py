"""A form whose fields are judged while it passes: what another tenant made is not for it.

A piece goes on only after all that is whole in it was judged. A form that is refused never gets its
end, and a form without its end is none.
"""

from collections.abc import Awaitable, Callable

from gateway.call import Feed
from gateway.errors import GatewayError
from gateway.wire.guarding import Guard
from gateway.wire.stored import Refers


class GuardedFeed:
    """A `Feed`; `refused` is what the client must be told, once it was."""

    def __init__(
        self, feed: Feed, guard: Guard, check: Callable[[Refers], Awaitable[object]]
    ) -> None:
        self.length = feed.length
        self.refused: GatewayError | None = None
        self._feed = feed
        self._guard = guard
        self._check = check

    async def chunk(self) -> bytes:
        """The next bytes, as they came.

        Raises:
            GatewayError: they refer to what is not the caller's, or nobody can say to what.
        """
        data = await self._feed.chunk()
        try:
            await self._check(self._guard.see(data))
        except GatewayError as error:
            self.refused = error
            raise
        return data
