"""Changing a key that others may change at the same time, in other processes too.

Who reads, changes and writes could undo what somebody else wrote in between: a limit set anew
would bring a revoked key back to life. So a change is kept only over what it was made of; else it
is made again.
"""

from collections.abc import Awaitable, Callable

from gateway.errors import StoreUnavailable
from gateway.ports import Keys
from gateway.principal import KeyRecord

TRIES = 8
"""Far more than people change one key at the same time."""


async def change(
    keys: Keys,
    find: Callable[[], Awaitable[KeyRecord]],
    make: Callable[[KeyRecord], KeyRecord],
) -> KeyRecord:
    """The key as it is kept now: what `make` made of what `find` found.

    Raises:
        StoreUnavailable: it is not kept.
    """
    for _ in range(TRIES):
        before = await find()
        after = make(before)
        if await keys.put(after, over=before):
            return after
    message = "This key is being changed by others all the time."
    raise StoreUnavailable(message)
