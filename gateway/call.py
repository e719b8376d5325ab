"""The nouns of a call: what came in, what its caller wishes, what we think of it, what it used.

Those made for every call are named tuples: as immutable as a frozen dataclass, and made in a third
of the time.
"""

from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

from gateway.catalog import Capability, Tier
from gateway.money import NanoUSD
from gateway.prices import PLAIN, Manner, Price
from gateway.principal import ANYONE, Principal
from gateway.spans import Trace

Headers = tuple[tuple[bytes, bytes], ...]
"""Lower-case names with their values, in order."""


class Feed(Protocol):
    """Bytes to send upstream as they come; `length` is all of them, None where nobody knows yet."""

    length: int | None

    def chunk(self) -> Awaitable[bytes]:
        """The next bytes, at least one; `b""` once all were given."""
        ...


class Counts(NamedTuple):
    """Tokens of one kind; `prompt` includes `cached`."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0


class Usage(NamedTuple):
    """OpenAI's token counts. `prompt` includes `cached`; `completion` includes `reasoning`.

    `estimated` says that the upstream sent no count and this one is ours. `service` is the way the
    call was processed ("": the usual). `audio` and `images` are the tokens of these among them.
    """

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0
    estimated: bool = False
    service: str = ""
    audio: Counts | None = None
    images: Counts | None = None

    def cost(self, price: Price) -> NanoUSD:
        """What these tokens cost; every token is charged exactly once."""
        if self.service:
            price = price.at(self.service)
        if self.audio is not None or self.images is not None:
            return price.scaled(sum([tokens * each for tokens, each in self.parts(price)]))
        cached = min(self.cached, self.prompt)
        amount = (
            (self.prompt - cached) * price.prompt
            + cached * price.cached
            + self.completion * price.completion
        )
        return price.scaled(amount)

    def parts(self, price: Price) -> Iterator[tuple[int, NanoUSD]]:
        """Every token once, with what such a token costs; text is what is left of the rest.

        Cached tokens of which nobody says what kind they are count as text, as far as there is any.
        """
        prompt, completion, cached = self.prompt, self.completion, self.cached
        for counts, own in ((self.audio, price.audio), (self.images, price.images)):
            if counts is None or own is None:
                continue
            of_kind, made = min(counts.prompt, prompt), min(counts.completion, completion)
            known = min(counts.cached, cached, of_kind)
            yield of_kind - known, own.prompt
            yield known, own.cached
            yield made, own.completion
            prompt, completion, cached = prompt - of_kind, completion - made, cached - known
        cached = min(cached, prompt)
        yield prompt - cached, price.prompt
        yield cached, price.cached
        yield completion, price.completion

    def plus(self, other: "Usage") -> "Usage":
        """Both together, as of one call; a count of ours makes the sum ours."""
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            self.reasoning + other.reasoning,
            self.estimated or other.estimated,
            self.service or other.service,
            _both(self.audio, other.audio),
            _both(self.images, other.images),
        )


def _both(one: Counts | None, other: Counts | None) -> Counts | None:
    if one is None or other is None:
        return other if one is None else one
    return Counts(
        one.prompt + other.prompt, one.cached + other.cached, one.completion + other.completion
    )


NO_USAGE = Usage(0, 0)


class Sort(Enum):
    """What to prefer when several tiers would do."""

    BALANCED = "balanced"
    FLOOR = "floor"
    NITRO = "nitro"


@dataclass(frozen=True, slots=True)
class CacheWish:
    """What the caller says about kept replies; `ttl` and `max_age` are seconds."""

    read: bool = True
    write: bool = True
    force: bool = False
    ttl: float | None = None
    max_age: float | None = None
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller may say (then stripped before the upstream).

    `deadline` (to the last byte), `ttft` (to the first) and `patience` (the client's own
    timeout) are seconds; `quality` is the dial from 0 (cheapest) to 1 (best); `models` are
    further names to fall back to, in order; `max_price` is nano-dollars per prompt and per
    completion token.
    """

    tier: Tier | None = None
    sort: Sort = Sort.BALANCED
    quality: float | None = None
    max_cost: NanoUSD | None = None
    deadline: float | None = None
    ttft: float | None = None
    patience: float | None = None
    session: str | None = None
    explain: bool = False
    models: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    max_price: tuple[NanoUSD | None, NanoUSD | None] = (None, None)
    cache: CacheWish = CacheWish()

    def weigh(self) -> bool:
        """Whether anything said here depends on what the call costs or how long it takes."""
        return self is not NO_WISHES and (
            self.explain
            or (self.max_cost, self.deadline, self.ttft) != (None, None, None)
            or self.max_price != (None, None)
        )


NO_WISHES = Wishes()


@dataclass(slots=True)
class Call:
    """One request for a completion.

    `body` is the client's bytes, untouched; `document` is what a reader saw in them. `model` is
    the requested model as the client wrote it. `api` names the API it came by
    (`gateway.wire.api`), `view` is the chat call that would say the same (None: it is one).
    `trace` is None unless the call is traced.
    `principal` is whoever calls. `headers` are those allowed to reach the upstream. `arrived` is
    the clock's monotonic time in seconds.
    """

    id: str
    body: bytes
    document: Mapping[str, Any]
    model: str
    stream: bool
    wants_usage: bool
    wishes: Wishes
    headers: Headers
    arrived: float
    principal: Principal = ANYONE
    api: str = "chat"
    view: Mapping[str, Any] | None = None
    trace: Trace | None = None

    def looked_at(self) -> Mapping[str, Any]:
        """The call as a chat call, for whoever assesses it."""
        return self.document if self.view is None else self.view


@dataclass(frozen=True, slots=True)
class ImageSize:
    """An image in a prompt: pixels, or zeros when only fetching it would tell; `low` detail."""

    width: int
    height: int
    low: bool = False


class Assessment(NamedTuple):
    """What we think of a call before choosing.

    `text_tokens` is the best estimate of the prompt (messages, tools and their overhead, no
    image), sure to lie within `text_bounds` (equal bounds: counted exactly).
    `completion_tokens` is the expected answer, `max_completion` what the caller allows (None: no
    limit). `quality` is the predicted quality of nano, mini and full, each 0–1; `score` the
    predicted gain of a larger model, 0–1. `signals` are words for people. `manner` says which
    prices may be asked for it.
    """

    text_tokens: int
    text_bounds: tuple[int, int]
    completion_tokens: int
    max_completion: int | None
    needs: Capability
    quality: tuple[float, float, float]
    score: float
    signals: tuple[str, ...] = ()
    images: tuple[ImageSize, ...] = ()
    manner: Manner = PLAIN


class Expected(Protocol):
    """What a call was expected to take of the tier that answered it."""

    @property
    def cost(self) -> NanoUSD:
        """Nano-dollars."""
        ...

    @property
    def completion(self) -> float:
        """Tokens of all its answers."""
        ...

    @property
    def ttft(self) -> float:
        """Seconds to the first byte."""
        ...

    @property
    def total(self) -> float:
        """Seconds to the last byte."""
        ...
