"""Which version of names and values Redis holds, and how an older one becomes ours.

A gateway that meets a newer version refuses to start: what it would write, newer ones could not
read. An older version is migrated step by step; each step can be done again from its beginning,
because the gateway that does it may die. One gateway migrates at a time, the others wait.

What is there is looked at again each time a server is reached: one that comes back may be another,
or the same with other data. One that comes back empty is marked as ours.
"""

from collections.abc import Awaitable, Callable, Mapping

from hiredis import ReplyError

from gateway.errors import StoreUnavailable
from gateway.store.redis.dial import FOREIGN, NotReached
from gateway.store.redis.faults import LOST
from gateway.store.redis.link import Link
from gateway.store.redis.names import MIGRATING, SCHEMA
from gateway.store.redis.wire import Wire, forget, pack

VERSION = 1

MIGRATION_SECONDS = 60
"""How long one gateway may be the one that migrates, before another tries."""

Step = Callable[[Link], Awaitable[None]]
"""From one version to the next."""

STEPS: Mapping[int, Step] = {}
"""By the version they start from; version 1 is the first."""


class ForeignSchema(Exception):
    """Redis holds what this version of the gateway must not touch."""


async def prepare(link: Link, *, version: int = VERSION, steps: Mapping[int, Step] = STEPS) -> None:
    """See to it that Redis holds our version.

    Raises:
        ForeignSchema: it holds a newer one, or one that nobody can name.
        StoreUnavailable: it cannot be asked, or another gateway is migrating it now.
    """
    found = await link.run("GET", SCHEMA)
    if found is None:
        await link.run("SET", SCHEMA, version, "NX")
        found = await link.run("GET", SCHEMA)
    held = _number(found)
    if held > version:
        message = (
            f"the Redis store holds schema {held}, and this version reads up to {version}: "
            "use the version that wrote it, or another database"
        )
        raise ForeignSchema(message)
    if held < version:
        await _migrate(link, held, version, steps)


async def verify(wire: Wire) -> None:
    """See to it that a server which was just reached holds nothing that we must not touch.

    Raises:
        NotReached: it does; it is asked again as one that does not answer is.
    """
    try:
        found = await wire.send(pack(("GET", SCHEMA)))
        if found is None:
            forget(wire.send(pack(("SET", SCHEMA, VERSION, "NX"))))
    except StoreUnavailable:
        raise NotReached(wire.why or LOST) from None
    # An error is no answer: another node has it, or the user may not look.
    if found is not None and not isinstance(found, ReplyError) and _is_foreign(found):
        raise NotReached(FOREIGN)


def _is_foreign(found: bytes) -> bool:
    try:
        return _number(found) > VERSION
    except ForeignSchema:
        return True


def _number(found: bytes | None) -> int:
    if found is None or not found.isdigit() or len(found) > 9:
        message = f"the Redis store holds something else than a version under {SCHEMA.decode()}"
        raise ForeignSchema(message)
    return int(found)


async def _migrate(link: Link, held: int, version: int, steps: Mapping[int, Step]) -> None:
    if await link.run("SET", MIGRATING, "1", "NX", "EX", MIGRATION_SECONDS) is None:
        message = "another gateway is migrating the store"
        raise StoreUnavailable(message)
    try:
        for start in range(held, version):
            await steps[start](link)
            await link.run("SET", SCHEMA, start + 1)
    finally:
        link.post("DEL", MIGRATING)
