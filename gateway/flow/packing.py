"""A decision as bytes, as one process of a gateway tells it to the others.

Numbers and words of ours, exactly as they were: whoever reads them can decide again. Of the caller
there are names of the configuration; of what he wrote, the limits he set and the name of the model,
where it means something here (anything else may be a pasted key).

Replicas are of two versions while one replaces the other: a layout that is not ours is left alone.
"""

from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from gateway.call import Assessment, Counts, ImageSize, Sort, Usage, Wishes
from gateway.catalog import Capability, Tier
from gateway.ended import Ended
from gateway.flow.decisions import Decision
from gateway.flow.explain import NAME_LENGTH
from gateway.money import NanoUSD
from gateway.prices import Manner
from gateway.principal import Principal
from gateway.route.reasons import Candidate, Choice

ENDED: Final = (
    *("id", "requested", "tier", "model", "response_model", "reason", "outcome", "status"),
    *("stream", "cache", "usage", "cost", "saved", "attempts", "seconds", "ttft", "overhead"),
    *("prompt_tokens_estimate", "score", "in_time", "area"),
)
"""What is told of how a call ended."""

SHAPE: Final = (1, ENDED, Usage._fields, Assessment._fields, Candidate._fields, Choice._fields)
LAYOUT: Final = blake2b(repr(SHAPE).encode(), digest_size=6).hexdigest()
"""Who has the same reads the same."""


class Foreseen(NamedTuple):
    """What a call was expected to take; an `Expected`."""

    cost: NanoUSD
    completion: float
    ttft: float
    total: float


class Told(NamedTuple):
    """A decision another process told, and how many before it were too many to be told."""

    decision: Decision
    missed: int = 0


def pack(decision: Decision, missed: int = 0) -> bytes:
    """A decision for the others; about 15 µs and 1.5 kB."""
    ended, who, said = decision.ended, decision.principal, decision.wishes
    expected, choice, seen = ended.expected, decision.choice, decision.seen
    known = ended.tier is not None or choice is not None
    told = {name: getattr(ended, name) for name in ENDED}
    told["requested"] = ended.requested[:NAME_LENGTH] if known else ""
    return orjson.dumps(
        {
            "layout": LAYOUT,
            "missed": missed,
            "at": decision.at,
            "api": decision.api,
            "deployment": decision.deployment,
            "who": (who.name, who.team, who.organisation),
            "said": (said.quality, said.sort, said.max_cost, said.deadline, said.ttft),
            "ended": told,
            "expected": expected
            and (expected.cost, expected.completion, expected.ttft, expected.total),
            "seen": seen and seen._replace(images=tuple(map(_size, seen.images))),
            "choice": choice and choice._replace(chosen=_place(choice)),
            "adapted": decision.adapted,
        },
        default=tuple,
    )


def unpack(packed: bytes) -> Told | None:
    """What was packed; None where it was not packed as we do."""
    try:
        said = orjson.loads(packed)
        if said["layout"] != LAYOUT:
            return None
        return Told(_decision(said), int(said["missed"]))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _decision(said: dict[str, Any]) -> Decision:
    name, team, organisation = said["who"]
    quality, sort, max_cost, deadline, ttft = said["said"]
    return Decision(
        _ended(said["ended"], said["expected"]),
        float(said["at"]),
        said["api"],
        said["deployment"],
        Principal(name=name, team=team, organisation=organisation),
        Wishes(sort=Sort(sort), quality=quality, max_cost=max_cost, deadline=deadline, ttft=ttft),
        _assessment(said["seen"]),
        _choice(said["choice"]),
        tuple(said["adapted"]),
    )


def _ended(told: dict[str, Any], expected: list[Any] | None) -> Ended:
    tier = told["tier"]
    return Ended(
        **{
            **told,
            "tier": None if tier is None else Tier(tier),
            "usage": _usage(told["usage"]),
            "upstream_request_id": "",
            "expected": None if expected is None else Foreseen(*expected),
        }
    )


def _usage(said: Any) -> Usage:  # noqa: ANN401 - JSON
    usage = Usage(*said)
    return usage._replace(
        audio=None if usage.audio is None else Counts(*usage.audio),
        images=None if usage.images is None else Counts(*usage.images),
    )


def _assessment(said: Any) -> Assessment | None:  # noqa: ANN401 - JSON
    if said is None:
        return None
    seen = Assessment(*said)
    return seen._replace(
        text_bounds=(seen.text_bounds[0], seen.text_bounds[1]),
        needs=Capability(seen.needs),
        quality=(seen.quality[0], seen.quality[1], seen.quality[2]),
        signals=tuple(seen.signals),
        images=tuple([_image(image) for image in seen.images]),
        manner=Manner(*seen.manner),
    )


def _choice(said: Any) -> Choice | None:  # noqa: ANN401 - JSON
    if said is None:
        return None
    choice = Choice(*said)
    candidates = tuple(map(_candidate, choice.candidates))
    chosen: Any = choice.chosen
    # It is one of them wherever it was: deciding again compares who is who.
    taken = candidates[chosen] if isinstance(chosen, int) else _candidate(chosen)
    return choice._replace(chosen=taken, candidates=candidates, reasons=tuple(choice.reasons))


def _candidate(said: Any) -> Candidate:  # noqa: ANN401 - JSON
    candidate = Candidate(*said)
    return candidate._replace(tier=Tier(candidate.tier))


def _place(choice: Choice) -> Any:  # noqa: ANN401 - a whole number, or what is none of them
    for place, candidate in enumerate(choice.candidates):
        if candidate is choice.chosen:
            return place
    return choice.chosen


def _image(said: Any) -> ImageSize:  # noqa: ANN401 - JSON
    return ImageSize(*said)


def _size(image: ImageSize) -> Any:  # noqa: ANN401 - as JSON has it
    return (image.width, image.height, image.low)
