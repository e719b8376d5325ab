"""Money set aside before a call and settled after it, however it ends.

A call is held at the most it can cost on the tier it goes to (or at what it will probably cost,
where its key's policy says so). Where an allowance does not hold that much, in this order:

- the answer is cut shorter, as long as it keeps room for twice what is expected of it;
- a smaller tier that fits answers, if we chose the tier;
- the answer is cut down to what is expected of it;
- the call is refused, with the figures.

Quotas refuse at once: no tier has more requests left than another. A ledger that cannot be reached
refuses the call, or lets it pass unheld, as the key's policy says.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.access.limits import quota_fields, refusal
from gateway.call import Assessment, Call
from gateway.catalog import Catalog, Model
from gateway.classify.images import tokens as image_tokens
from gateway.errors import StoreUnavailable
from gateway.flow.journey import Journey
from gateway.flow.parts import Parts
from gateway.flow.tallies import Tallies
from gateway.holds import Account, Charge, Claim, Denial, Grant, Limited
from gateway.money import NanoUSD
from gateway.prices import PLAIN, Price, Rates
from gateway.principal import HoldPolicy, Outage
from gateway.route.reasons import Candidate, Choice
from gateway.wire.api import APIS

# An answer shorter than this is no answer, whatever was expected.
LEAST_TOKENS = 16
# More choices than any API gives; a larger number is the upstream's to refuse.
MOST_CHOICES = 128


class Try(NamedTuple):
    """One candidate as it may be held: `room` is the least its answer may be cut down to."""

    candidate: Candidate
    room: int


class Holding:
    """Holds and settles; the ledger behind it never overspends."""

    def __init__(
        self,
        parts: Parts,
        heard: Callable[[Call, Choice, Grant | Denial], None],
        tallies: Tallies,
    ) -> None:
        """`heard` is told what the ledger said of each choice."""
        self._heard = heard
        self._tallies = tallies
        self._catalog = parts.catalog
        self._ledger = parts.ledger
        self._now = parts.clock.now
        self._wall = parts.clock.wall

    async def hold(
        self, journey: Journey, choice: Choice, seen: Assessment, *, routed: bool
    ) -> Choice:
        """Set a call's money aside; the choice as the money allows it.

        Raises:
            AllowanceSpent: no candidate fits into the allowances.
            RateLimited: a quota is used up.
            StoreUnavailable: the ledger cannot be reached, and the key's policy is to refuse.
        """
        denial: Denial | None = None
        for candidate, room in _tries(choice, seen, routed=routed):
            claim = self._claim(journey.call, candidate, seen)
            answer = await self._asked(journey, claim)
            if isinstance(answer, Denial) and answer.limited is Limited.ALLOWANCE:
                denial = answer
                shorter = self._shortened(journey.call, candidate, seen, answer, room)
                if shorter is None:
                    continue
                candidate, claim = shorter, self._claim(journey.call, shorter, seen)
                answer = await self._asked(journey, claim)
            if isinstance(answer, Grant):
                journey.grant = answer
                if answer.backed:
                    self._tallies.held += answer.claim.amount
                lowered = _lowered(choice, candidate)
                self._heard(journey.call, lowered, answer)
                return lowered
            denial = answer
            if answer.limited is not Limited.ALLOWANCE:
                break
        if denial is None:
            return choice
        self._heard(journey.call, choice, denial)
        self._tallies.refused(denial)
        error = refusal(denial, claim, journey.call.model)
        error.fields = quota_fields(denial.standing)
        raise error

    def covers(self, journey: Journey, model: Model) -> bool:
        """Whether what is held also covers an attempt on another model."""
        grant, seen = journey.grant, journey.assessment
        if grant is None or seen is None or not grant.backed:
            return True
        choice = journey.choice
        cut = choice.chosen.max_tokens if choice is not None else None
        return worst(journey.call, model, seen, cut) <= grant.claim.amount

    def settle(self, journey: Journey) -> None:
        """Settle what a call cost; a call that was never routed leaves no trace."""
        if journey.tier is None and journey.grant is None:
            return
        account = self._account(journey)
        paid = journey.cache not in ("hit", "shared")
        charge = Charge(account, journey.cost, journey.usage, journey.saved)
        if not paid:
            charge = Charge(account, saved=journey.saved)
        grant = journey.grant
        if grant is not None and grant.backed:
            self._tallies.held -= grant.claim.amount
        self._ledger.settle(grant, charge)

    def _account(self, journey: Journey) -> Account:
        principal, tier = journey.call.principal, journey.tier
        return Account(
            principal.organisation,
            principal.team,
            principal.key,
            journey.model,
            tier.label if tier is not None else "none",
        )

    async def _asked(self, journey: Journey, claim: Claim) -> Grant | Denial:
        began = self._now()
        try:
            return await self._ledger.hold(claim)
        except StoreUnavailable:
            if journey.call.principal.outage is Outage.CLOSED:
                raise
            return Grant(claim, self._wall(), backed=False)
        finally:
            journey.waited += self._now() - began

    def _claim(self, call: Call, candidate: Candidate, seen: Assessment) -> Claim:
        principal = call.principal
        amount = candidate.cost
        if principal.hold is HoldPolicy.WORST:
            amount = worst(call, model_of(candidate, self._catalog), seen, candidate.max_tokens)
        tokens = seen.text_tokens + seen.completion_tokens
        expected = min(candidate.cost, amount)
        return Claim(call.id, principal.root, principal.levels, amount, expected, tokens)

    def _shortened(
        self, call: Call, candidate: Candidate, seen: Assessment, denial: Denial, room: int
    ) -> Candidate | None:
        """The candidate with an answer as short as the allowances demand, if that is an answer."""
        uncut = not (call.principal.clamp and APIS[call.api].limits)
        if uncut or not denial.standing.allowances:
            return None
        left = min(stand.remaining for stand in denial.standing.allowances)
        model = model_of(candidate, self._catalog)
        rates = dearest(model, seen)
        each = rates.completion * choices(call)
        if not each:
            return None
        affordable = (left - prompt_at_most(model, seen) * rates.prompt) // each
        most = limit_of(model, seen, candidate.max_tokens)
        if not min(room, most) <= affordable < most:
            return None
        return candidate._replace(max_tokens=int(affordable))


def worst(call: Call, model: Model, seen: Assessment, cut: int | None) -> NanoUSD:
    """The most a call can cost on a model: its prompt's upper bound, the longest answers."""
    completion = limit_of(model, seen, cut) * choices(call)
    rates = dearest(model, seen)
    return NanoUSD(prompt_at_most(model, seen) * rates.prompt + completion * rates.completion)


def dearest(model: Model, seen: Assessment) -> Price | Rates:
    """The most that a token of a call may cost: its sound, its way of processing considered."""
    return model.price if seen.manner is PLAIN else model.price.bound(seen.manner)


def prompt_at_most(model: Model, seen: Assessment) -> int:
    """The prompt's tokens at most, its images counted as the model counts them."""
    return seen.text_bounds[1] + sum([image_tokens(model, image) for image in seen.images])


def limit_of(model: Model, seen: Assessment, cut: int | None) -> int:
    """The longest answer of one choice, in tokens."""
    limits = (model.max_output, seen.max_completion, cut)
    return min([limit for limit in limits if limit is not None])


def choices(call: Call) -> int:
    """How many answers a call asks for at once."""
    asked = call.looked_at().get("n")
    return min(asked, MOST_CHOICES) if isinstance(asked, int) and asked > 1 else 1


def model_of(candidate: Candidate, catalog: Catalog) -> Model:
    """The model a candidate stands for."""
    found = catalog.by_model.get(candidate.model)
    return catalog.models_by_tier[candidate.tier] if found is None else found[1]


def _tries(choice: Choice, seen: Assessment, *, routed: bool) -> Iterator[Try]:
    expected = max(seen.completion_tokens, LEAST_TOKENS)
    yield Try(choice.chosen, 2 * expected)
    if routed:
        smaller = [c for c in choice.candidates if c.tier < choice.chosen.tier and not c.refused]
        for candidate in reversed(smaller):
            yield Try(candidate, 2 * expected)
        for candidate in reversed(smaller):
            yield Try(candidate, expected)
    yield Try(choice.chosen, expected)


def _lowered(choice: Choice, held: Candidate) -> Choice:
    chosen = choice.chosen
    if held is chosen:
        return choice
    if held.tier is chosen.tier:
        words = f"the answer is cut to {held.max_tokens} tokens, as the allowance has no more"
        return choice._replace(chosen=held, reasons=(words, *choice.reasons))
    words = f"the allowance does not hold {chosen.tier.label}"
    return choice._replace(chosen=held, code="budget", reasons=(words, *choice.reasons))
