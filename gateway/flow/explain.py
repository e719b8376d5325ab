"""A decision in JSON-ready values: for whoever asks in a call, in a dry run or afterwards.

`x-gateway-explain: 1`: a whole reply gains a last member `gateway`, a chat stream one chunk with no
choices before its `[DONE]`, a typed stream one more member of its last event. Nothing else of the
body changes. Money is text in dollars, times are seconds. Never a prompt, an answer or a key.
"""

from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.call import Assessment, Expected, Wishes
from gateway.ended import Ended
from gateway.flow.decisions import Decision
from gateway.flow.journey import Journey, reasons
from gateway.flow.sources import before_done, in_last_event
from gateway.money import NANO_PER_USD, NanoUSD, spell
from gateway.route.counterfactual import flips
from gateway.route.fit import NAMES_OF_NEEDS
from gateway.route.reasons import Candidate, Choice
from gateway.wire.api import CHAT

JSON_WHITESPACE = b" \t\r\n"
# Characters of a name from outside that are shown; real names of models stay far below.
NAME_LENGTH = 128

Row = dict[str, Any]


def in_body(body: bytes, journey: Journey) -> bytes:
    """A whole reply's body with the decision as its last member."""
    trimmed = body.rstrip(JSON_WHITESPACE)
    return trimmed[:-1] + b',"gateway":' + orjson.dumps(explanation(journey)) + b"}"


def in_stream(out: bytes, journey: Journey) -> bytes:
    """The bytes that end a stream, with the decision among them.

    A client of typed events would not know an event of ours; members it does not know it ignores.
    """
    decision = explanation(journey)
    if journey.call.api != CHAT.name:
        return in_last_event(out, b',"gateway":' + orjson.dumps(decision))
    chunk = {
        "id": journey.call.id,
        "object": "chat.completion.chunk",
        "created": 0,
        "model": journey.response_model,
        "choices": [],
        "gateway": decision,
    }
    return before_done(out, b"data: " + orjson.dumps(chunk) + b"\n\n")


def explanation(journey: Journey) -> Row:
    """The decision on a call under way, and what it has taken so far."""
    return {
        "decision_id": journey.call.id,
        "tier": journey.tier.label if journey.tier is not None else None,
        "model": journey.model,
        "reason": journey.reason,
        **decided(journey.choice, journey.assessment, journey.reason),
        "adapted": list(journey.adapted),
        "attempts": journey.attempts,
        "usage": journey.usage._asdict(),
        "cost_usd": spell(journey.cost),
        "saved_usd": spell(journey.saved),
    }


def row(decision: Decision) -> Row:
    """A finished call: who called, what was decided and why, what came of it."""
    ended, who = decision.ended, decision.principal
    tier = ended.tier
    # A name that means nothing here may be anything, a pasted key too.
    known = tier is not None or decision.choice is not None
    return {
        "id": ended.id,
        "object": "decision",
        "at": datetime.fromtimestamp(decision.at, UTC).isoformat(timespec="milliseconds"),
        "organisation": who.organisation or None,
        "team": who.team or None,
        "key": who.name or None,
        "api": decision.api,
        "stream": ended.stream,
        "requested": ended.requested[:NAME_LENGTH] if known else None,
        "limits": limits(decision.wishes),
        "tier": tier.label if tier is not None else None,
        "model": ended.model or None,
        "deployment": decision.deployment or None,
        "reason": ended.reason,
        **decided(decision.choice, decision.seen, ended.reason),
        "adapted": list(decision.adapted),
        "predicted": predicted(ended.expected),
        "actual": actual(ended),
    }


def decided(choice: Choice | None, seen: Assessment | None, reason: str = "") -> Row:
    """What was thought of a call, how every tier looked, and what would have changed the choice.

    A call that was not assessed went where its caller said: nothing was compared.
    """
    weighed = choice if seen is not None else None
    return {
        "reasons": list(reasons(choice, reason)) if choice is not None else [],
        "score": round(seen.score, 4) if seen is not None else None,
        "quality": [round(q, 4) for q in seen.quality] if seen is not None else None,
        "prompt_tokens": seen.text_tokens if seen is not None else None,
        "assessment": assessed(seen) if seen is not None else None,
        "signals": list(seen.signals) if seen is not None else [],
        "candidates": [candidate(c) for c in weighed.candidates] if weighed is not None else [],
        "weights": weights(weighed) if weighed is not None else None,
        "would_change_it": list(flips(weighed)) if weighed is not None else [],
    }


def assessed(seen: Assessment) -> Row:
    """What was read in a prompt, as numbers and words of ours."""
    return {
        "prompt_tokens_at_least": seen.text_bounds[0],
        "prompt_tokens_at_most": seen.text_bounds[1],
        "completion_tokens": seen.completion_tokens,
        "max_completion_tokens": seen.max_completion,
        "images": len(seen.images),
        "needs": [words for need, words in NAMES_OF_NEEDS.items() if need in seen.needs],
    }


def limits(wishes: Wishes) -> Row:
    """What the caller, or its key, said; nulls where nothing was."""
    return {
        "quality": wishes.quality,
        "sort": wishes.sort.value,
        "max_cost_usd": _dollars(wishes.max_cost),
        "deadline_seconds": wishes.deadline,
        "ttft_seconds": wishes.ttft,
    }


def weights(choice: Choice) -> dict[str, float | None]:
    """What quality was weighed against: for a doubling of the cost, a second, a dollar."""
    return {
        "dial": choice.dial,
        "doubling": round(choice.cost_weight, 4),
        "second": choice.time_weight,
        "dollar": round(choice.price * NANO_PER_USD, 4),
    }


def candidate(seen: Candidate) -> Row:
    """One candidate as JSON-ready values."""
    return {
        "tier": seen.tier.label,
        "model": seen.model,
        "quality": round(seen.quality, 4),
        "cost_usd": spell(seen.cost),
        "ttft_seconds": round(seen.ttft, 3),
        "total_seconds": round(seen.total, 3),
        "in_time": round(seen.within, 3),
        "completion_tokens": round(seen.completion),
        "cached_tokens": seen.cached,
        "max_tokens": seen.max_tokens,
        "worst_usd": spell(seen.worst),
        "verdict": seen.refused or "fits",
    }


def predicted(expected: Expected | None) -> Row | None:
    """What the tier that answered was expected to take."""
    if expected is None:
        return None
    return {
        "cost_usd": spell(expected.cost),
        "completion_tokens": round(expected.completion),
        "ttft_seconds": round(expected.ttft, 3),
        "total_seconds": round(expected.total, 3),
    }


def actual(ended: Ended) -> Row:
    """What came of a call; `in_time` is null where no time was set, or it says nothing of us."""
    return {
        "status": ended.status,
        "outcome": ended.outcome,
        "cache": ended.cache,
        "attempts": ended.attempts,
        "usage": ended.usage._asdict(),
        "cost_usd": spell(ended.cost),
        "saved_usd": spell(ended.saved),
        "ttft_seconds": round(ended.ttft, 4),
        "total_seconds": round(ended.seconds, 4),
        "overhead_seconds": round(ended.overhead, 6),
        "in_time": ended.in_time,
    }


def _dollars(sum_: NanoUSD | None) -> str | None:
    return None if sum_ is None else spell(sum_)
