"""The machine's clocks, behind the `Clock` port; nothing else in the package reads time."""

import asyncio
import time


class SystemClock:
    """Real time."""

    __slots__ = ()

    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)
