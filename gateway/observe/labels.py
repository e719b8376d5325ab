"""The closed sets that labels are drawn from; what is in none of them is `other`.

A label taken from what clients or upstreams write would let them fill the memory of whoever scrapes
this process: names of models, reasons and outcomes are looked up here and never passed through.
"""

from collections.abc import Iterator
from typing import Final

from gateway import errors
from gateway.catalog import TIER_LABELS, Catalog

OTHER: Final = "other"
"""What a label says about anything that is not in its set."""

NO_TIER: Final = "none"
"""The tier of a call that was never routed."""

TIERS: Final = (*TIER_LABELS, NO_TIER)
"""In the order of `Tier`, so that a tier is its own index."""

REASONS: Final = {
    "pinned": "the caller named a model",
    "tier": "the caller named a tier",
    "adequate": "the smallest tier that fits is good enough",
    "quality": "the larger tier's gain was worth its price",
    "floor": "the caller asked for the cheapest",
    "nitro": "the caller asked for the fastest",
    "capability": "no other tier can do what the call needs",
    "context": "no other tier has a window large enough",
    "cost_cap": "no other tier stays under the caller's cost cap",
    "deadline": "no other tier meets the caller's deadline",
    "permission": "the caller's key may use no other tier",
    "allowance": "what is left of the caller's allowance holds no other tier",
    "only": "there is no other tier",
    "sticky": "the conversation stays on its tier",
    "budget": "the caller's allowance does not hold a larger tier",
    "fallback": "a deployment failed or rests; another answered",
    "escalated": "the chosen tier failed; a larger one answered",
    "downgraded": "the chosen tier failed; a smaller one answered",
    "cache": "a reply from memory served",
    "passed": "its endpoint is not routed, but passed on as it is",
    "none": "the call was not routed",
    OTHER: "any other",
}
"""Why a call went where it went: the codes of `gateway.route` and `gateway.flow`, explained."""

CACHE_OUTCOMES: Final = {
    "hit": "served by a kept reply",
    "shared": "served by an identical call in flight",
    "miss": "looked for, not found",
    "bypass": "not looked for: the call, its caller or the policy kept it out",
    OTHER: "any other",
}

SHARED_CACHE: Final = {
    "near": "found in this process: the shared store was not asked",
    "hit": "found in the shared store",
    "miss": "not found there",
    "put": "kept there",
    "corrupt": "no reply of ours; removed",
    "dropped": "not kept: too many puts were under way, or there was no connection",
    "unavailable": "could not be asked in time",
}

STORE_ERRORS: Final = (
    *("timeout", "lost", "unreachable", "garbled", "flooded"),
    *("auth", "busy", "cluster", "full", "loading", "readonly", "type", "other"),
)
"""What can go wrong with Redis: its own failures, then its words."""

STAGES: Final = {
    "read": "the request: whose key, the JSON, the caller's knobs",
    "remember": "kept replies and identical calls under way",
    "assess": "tokens, needs and difficulty of the prompt",
    "choose": "the tier",
    "hold": "setting the worst case aside (waiting for the ledger excluded)",
    "send": "the attempt's bytes out, the reply's head in (waiting for the upstream excluded)",
}

QUEUES: Final = {
    "log": "events that are not written to the log yet",
    "store": "steps and rows that are not in the database yet; with Redis, late settlings",
    "redis": "commands without a reply yet",
    "traces": "calls whose spans the collector has not got yet",
}

SPANS: Final = {
    "sent": "the collector has them",
    "dropped": "there was no room for them while it was away or slow",
    "refused": "it did not want them",
}

MOVES: Final = {
    "new": "its first call",
    "kept": "the same tier as before",
    "up": "a larger tier",
    "down": "a smaller tier",
}

TOKEN_KINDS: Final = ("prompt", "cached", "completion", "reasoning")

PREDICTED: Final = ("cost", "completion", "ttft", "total")
"""What is predicted of a call: nano-dollars, tokens of its answers, seconds to both bytes."""

SAVERS: Final = ("routing", "cache")

OK: Final = "ok"

_BEYOND_THE_TREE: Final = {
    OK: "a whole reply",
    "cancelled": "an attempt nobody waited for any more",
    "caller_left": "the client hung up first",
    "upstream_auth": "the upstream refused our key; passed on as 502",
    "upstream_rate_limited": "the upstream answered 429",
    "upstream_4xx": "the upstream answered another 4xx",
    "upstream_5xx": "the upstream answered 5xx",
}


def outcomes() -> dict[str, str]:
    """Every way a call or an attempt can end, with its meaning: the error tree's, and a few."""
    found = {
        name: _BEYOND_THE_TREE.get(name, "")
        for name in (*errors.ENDS_WITHOUT_ERROR, *errors.UPSTREAM_REPLIES)
    }
    for error in sorted(_leaves(), key=lambda error: error.kind):
        # Where a leaf shares its parent's name, the leaf comes last and says more.
        found[error.kind] = (error.__doc__ or "").partition("\n")[0].rstrip(".")
    found[OTHER] = "any other"
    return found


def _leaves() -> Iterator[type[errors.GatewayError]]:
    """The errors of the tree itself; subclasses that others define elsewhere are not of it."""
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, errors.GatewayError):
            yield value


class ModelNames:
    """The catalog's model names, and `other` for every name that is none of them."""

    __slots__ = ("_known",)

    def __init__(self, catalog: Catalog) -> None:
        self._known = frozenset([model.name for model in catalog.ever()])

    def label(self, name: str) -> str:
        """The label of a model: its name, also for its dated snapshots (`…-2025-04-14`)."""
        if name in self._known:
            return name
        undated = name[:-11]
        date = name[-11:].split("-")
        # "-2025-04-14" → "", "2025", "04", "14"
        if undated in self._known and [len(part) for part in date] == [0, 4, 2, 2]:
            return undated if "".join(date).isdigit() else OTHER
        return OTHER
