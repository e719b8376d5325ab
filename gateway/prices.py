"""What tokens cost: by their kind, and by the way a call is processed.

A model has one price for text; where sound or images cost otherwise they have their own. A provider
that processes a call sooner or later than usual (`priority`, `flex`, `batch`) asks for another
price, which is a multiple of the usual one or a list of its own.

Half of 25 nano-dollars is not a whole number, but half of a call's sum is, rounded up: so a
multiple is kept beside the prices, in thousandths, and applied once, to the sum.
"""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.money import NanoUSD

WHOLE = 1_000
"""Thousandths: a price as it stands."""

LONGEST_SERVICE = 32
SERVICE = re.compile(rf"[a-z_]{{1,{LONGEST_SERVICE}}}")
"""What may be a name; anything else is a caller's text, and goes no further than upstream."""

USUAL = frozenset(("", "auto", "default", "standard"))
"""How the usual way of processing is called."""

RENAMED = {"fast": "priority"}
"""Other names of the same way of processing: OpenAI renamed it in July 2026."""


def service_named(said: object) -> str:
    """The way of processing that a call or its reply names (`service_tier`); "" is the usual."""
    if said.__class__ is not str or said in USUAL:
        return ""
    name = str(said)
    return RENAMED.get(name, name) if SERVICE.fullmatch(name) else ""


class Manner(NamedTuple):
    """What of a call decides which prices may be asked for it.

    `service` is the way of processing it asks for, `hears` whether it brings sound along, `speaks`
    whether it asks for some.
    """

    service: str = ""
    hears: bool = False
    speaks: bool = False


PLAIN = Manner()
"""Nearly every call; compared by identity."""


class Rates(NamedTuple):
    """The most that one token may cost, in whole nano-dollars."""

    prompt: NanoUSD
    completion: NanoUSD


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars per token, `mille` thousandths of them.

    `audio` and `images` are what tokens of these cost, where that is not what text costs;
    `services` what all costs by other ways of processing.
    """

    prompt: NanoUSD
    cached: NanoUSD
    completion: NanoUSD
    audio: "Price | None" = None
    images: "Price | None" = None
    services: tuple[tuple[str, "Price"], ...] = ()
    mille: int = WHOLE

    def at(self, service: str) -> "Price":
        """The price of a way of processing; of one that is not known, the usual one."""
        for name, price in self.services:
            if name == service:
                return price
        return self

    def times(self, mille: int) -> "Price":
        """So many thousandths of it."""
        return replace(self, services=(), mille=mille)

    def scaled(self, amount: int) -> NanoUSD:
        """A sum of tokens at the prices that stand here, as it is asked for."""
        return NanoUSD(amount if self.mille == WHOLE else -(-amount * self.mille // WHOLE))

    def bound(self, manner: Manner) -> Rates:
        """The most a token of a call may cost, whichever way it is processed in the end.

        A call that asks for another way may be processed in the usual one; one that asks for a way
        which is not known may cost as much as any that is.
        """
        asked = [price for name, price in self.services if name == manner.service]
        if manner.service and not asked:
            asked = [price for _, price in self.services]
        prompt = completion = 0
        for way in (self, *asked):
            heard = (way, way.audio if manner.hears else None, way.images)
            spoken = (way, way.audio if manner.speaks else None, way.images)
            most = max([kind.prompt for kind in heard if kind is not None])
            prompt = max(prompt, way.scaled(most))
            most = max([kind.completion for kind in spoken if kind is not None])
            completion = max(completion, way.scaled(most))
        return Rates(NanoUSD(prompt), NanoUSD(completion))
