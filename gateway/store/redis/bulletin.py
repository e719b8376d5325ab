"""What processes tell each other, in Redis: a `Bulletin`. One stream holds the latest of it.

It is trimmed as it grows, and gone a day after the last word: it holds nothing that anybody pays
for, so a Redis that is short of memory may give it up first (`volatile-ttl`).

Refused: reading what is in it, and blocking reads, which would hold up the line for all others.
"""

from collections.abc import Sequence

from gateway.ports import Note
from gateway.store.redis import names
from gateway.store.redis.link import Link, Script

ADD = Script(
    """
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'd', ARGV[i])
end
return redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
)

KEPT_SECONDS = 86_400
"""After the last word."""


class RedisBulletin:
    """A `Bulletin` in Redis that keeps about `limit` of what was told."""

    __slots__ = ("_limit", "_link")

    def __init__(self, link: Link, limit: int) -> None:
        self._link = link
        self._limit = limit

    async def tell(self, packed: Sequence[bytes]) -> None:
        await self._link.script(ADD, (names.DECISIONS,), (self._limit, KEPT_SECONDS, *packed))

    async def heard(self, after: str, most: int) -> Sequence[Note]:
        found = await self._link.run(
            "XRANGE", names.DECISIONS, _next(after) if after else "-", "+", "COUNT", most
        )
        return [Note(mark.decode(), fields[1]) for mark, fields in found or ()]


def _next(mark: str) -> str:
    """The mark behind one: exclusive ranges are younger than streams."""
    milliseconds, _, number = mark.partition("-")
    return f"{milliseconds}-{int(number) + 1}"
