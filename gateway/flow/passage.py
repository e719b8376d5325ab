"""What is passed on as it is, as values: what was asked, under which rules, and its books."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.call import NO_USAGE, CacheWish, Call, Feed, Headers, Usage
from gateway.catalog import Deployment
from gateway.ended import Ended
from gateway.errors import GatewayError
from gateway.flow.guarded import GuardedFeed
from gateway.holds import Grant
from gateway.money import FREE, NanoUSD
from gateway.principal import Principal
from gateway.wire.forms import FormModel
from gateway.wire.stored import NOTHING, Said


@dataclass(frozen=True, slots=True)
class PassRules:
    """The operator's settings for what is passed on.

    `deployment` names whose account is used (empty: the largest tier's first). `deny` are areas
    that are not passed on, `account` whether those of the whole account are. `unknown`: keys may
    use what nobody is known to have made. `unpriced`: keys with an allowance may also cause costs
    nobody can tell beforehand. `tunnels` may be open at a time, each for `tunnel_seconds`.
    """

    enabled: bool = True
    deployment: str = ""
    deny: frozenset[str] = frozenset()
    account: bool = False
    unknown: bool = False
    unpriced: bool = False
    max_upload: int = 1 << 30
    tunnels: int = 256
    tunnel_seconds: float = 3600.0


class Routed(NamedTuple):
    """The routed call that a request is about, and its members that are knobs of ours."""

    call: Call
    dropped: frozenset[str]


class Wanted(NamedTuple):
    """One request to pass on.

    `path` is below `/v1`, `target` the same with its query. The body is `body`, read as `document`
    where it is JSON, or it comes by `feed`; `said` is what it says, where that decides anything.
    `guarded`: it must be proved to refer to nothing of another's. `upgrade` names the protocol to
    switch to, `routed` the call whose tokens are to be counted.
    """

    id: str
    method: str
    path: str
    target: str
    headers: Headers
    principal: Principal
    arrived: float
    body: bytes = b""
    document: Mapping[str, Any] | None = None
    feed: Feed | None = None
    upgrade: str = ""
    patience: float | None = None
    query_model: str = ""
    cache: CacheWish = CacheWish()
    said: Said = NOTHING
    routed: Routed | None = None
    guarded: bool = False


class Books:
    """One passage's books while it lives.

    `tier` is where it was routed to, if it was. `form` reads along in a form for its model,
    `guarded` for what it refers to.
    `apart`: what is told of use is not the request's own, and is charged already.
    """

    __slots__ = (
        "apart",
        "area",
        "attempts",
        "cache",
        "cost",
        "ended",
        "form",
        "grant",
        "guarded",
        "model",
        "outcome",
        "overhead",
        "requested",
        "saved",
        "status",
        "stream",
        "tier",
        "ttft",
        "upstream_id",
        "usage",
        "waited",
        "wanted",
    )

    def __init__(self, wanted: Wanted, area: str) -> None:
        self.wanted = wanted
        self.area = area
        self.requested = self.model = self.tier = self.upstream_id = self.outcome = ""
        self.grant: Grant | None = None
        self.usage: Usage = NO_USAGE
        self.cost: NanoUSD = FREE
        self.saved: NanoUSD = FREE
        self.cache = "bypass"
        self.attempts = self.status = 0
        self.waited = self.ttft = self.overhead = 0.0
        self.stream = self.ended = self.apart = False
        self.form: FormModel | None = None
        self.guarded: GuardedFeed | None = None

    def failed(self, error: GatewayError) -> None:
        """It ends with an error of ours."""
        self.outcome = error.kind
        self.status = error.status

    def closed(self, now: float) -> Ended:
        """The record of it."""
        wanted = self.wanted
        return Ended(
            id=wanted.id,
            requested=self.requested,
            tier=None,
            model=self.model,
            response_model=self.model,
            reason="passed",
            outcome=self.outcome or "ok",
            status=self.status,
            stream=self.stream,
            cache=self.cache,
            usage=self.usage,
            cost=self.cost,
            saved=self.saved,
            attempts=self.attempts,
            seconds=now - wanted.arrived,
            ttft=self.ttft,
            overhead=self.overhead,
            prompt_tokens_estimate=0,
            score=0.0,
            upstream_request_id=self.upstream_id,
            area=self.area,
        )


class Target(NamedTuple):
    """Where a passage goes, and the model's name as the prices know it."""

    deployment: Deployment
    model: str
