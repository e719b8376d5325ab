"""What is known, at the moment of choosing, beside the call itself: learnt, remembered, left over.

The flow gathers it; `gateway.route.choose` only reads it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.route.latency import Speed
from gateway.route.length import Length

NOTHING_CACHED = (0, 0, 0)


class Outlook(NamedTuple):
    """What to expect of the tiers for one call.

    `speeds` holds the tiers with a deployment that may be called now. `length` is the answer's
    (None: as the assessment expects). `cached` are the prompt tokens that the upstreams of nano,
    mini and full still remember. `price` is what a nano-dollar must buy in quality so that the
    allowances last (0: they do). `left` is what they still hold (None: no allowance). `choices` is
    how many answers the call asks for, `clamp` whether they may be cut to keep a cap.
    """

    speeds: Mapping[Tier, Speed]
    length: Length | None = None
    cached: tuple[int, int, int] = NOTHING_CACHED
    price: float = 0.0
    left: NanoUSD | None = None
    choices: int = 1
    clamp: bool = True
