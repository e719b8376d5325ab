"""`x-gateway-explain: 1`: the decision, put into the reply's body because the caller asked.

A whole reply gains a last member `gateway`; a stream gains one chunk with no choices before its
`[DONE]`. Nothing else of the body changes.
"""

from typing import Any

import orjson

from gateway.flow.journey import Journey
from gateway.money import NANO_PER_USD, spell
from gateway.route.counterfactual import flips
from gateway.route.reasons import Candidate, Choice

JSON_WHITESPACE = b" \t\r\n"


def in_body(body: bytes, journey: Journey) -> bytes:
    """A whole reply's body with the decision as its last member."""
    trimmed = body.rstrip(JSON_WHITESPACE)
    return trimmed[:-1] + b',"gateway":' + orjson.dumps(explanation(journey)) + b"}"


def explanation(journey: Journey) -> dict[str, Any]:
    """The decision as JSON-ready values; money in dollars as text, times in seconds."""
    choice, seen = journey.choice, journey.assessment
    return {
        "decision_id": journey.call.id,
        "tier": journey.tier.label if journey.tier is not None else None,
        "model": journey.model,
        "reason": journey.reason,
        "reasons": list(choice.reasons) if choice is not None else [],
        "adapted": list(journey.adapted),
        "attempts": journey.attempts,
        "score": seen.score if seen is not None else None,
        "quality": list(seen.quality) if seen is not None else None,
        "prompt_tokens": seen.text_tokens if seen is not None else None,
        "signals": list(seen.signals) if seen is not None else [],
        "usage": journey.usage._asdict(),
        "cost_usd": spell(journey.cost),
        "saved_usd": spell(journey.saved),
        "candidates": [candidate(c) for c in choice.candidates] if choice is not None else [],
        "weights": weights(choice) if choice is not None else None,
        "would_change_it": list(flips(choice)) if choice is not None else [],
    }


def weights(choice: Choice) -> dict[str, float | None]:
    """What quality was weighed against: for a doubling of the cost, a second, a dollar."""
    return {
        "dial": choice.dial,
        "doubling": round(choice.cost_weight, 4),
        "second": choice.time_weight,
        "dollar": round(choice.price * NANO_PER_USD, 4),
    }


def candidate(seen: Candidate) -> dict[str, Any]:
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


def frame(journey: Journey) -> bytes:
    """The decision as a stream's chunk."""
    chunk = {
        "id": journey.call.id,
        "object": "chat.completion.chunk",
        "created": 0,
        "model": journey.response_model,
        "choices": [],
        "gateway": explanation(journey),
    }
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
