"""Choosing a tier: among those that fit, the one worth most (`gateway.route.weights`).

A tier fits when its window holds the prompt, its model can do what the call needs, a deployment of
it is up, and the caps hold: the worst case a cost cap and what the allowances still hold, the time
a deadline with the declared confidence. What does not fit is kept as a candidate with the reason,
so that every choice can be explained.

No cap is broken knowingly. Where no tier keeps a deadline with confidence, the likeliest one is
tried as long as there is hope; without any the call is refused with the figures.

The same inputs give the same choice; nothing here knows the time or draws a number.
"""

from collections.abc import Mapping
from math import sqrt

from gateway.call import Assessment, Sort, Wishes
from gateway.catalog import Catalog, Tier
from gateway.money import FREE
from gateway.prices import PLAIN
from gateway.route.fit import SPENT, Goods, goods, in_manner
from gateway.route.latency import Speed
from gateway.route.look import DOWN, LATE, Look, Policy
from gateway.route.outlook import Outlook
from gateway.route.reasons import Candidate, Choice, only, refusal, why
from gateway.route.target import ALL_TIERS, Target
from gateway.route.weights import dial_lambda, steepness

__all__ = [
    "DOWN",
    "Chooser",
    "Policy",
    "Speed",
    "choose",
    "dial_lambda",
    "keep_to",
    "needs_exact_count",
    "taken_by_name",
]

# A member looked up on its class takes ten times as long as a name of the module.
_FLOOR, _BALANCED = Sort.FLOOR, Sort.BALANCED


def needs_exact_count(assessment: Assessment, wishes: Wishes, catalog: Catalog) -> bool:
    """Whether the prompt's bounds leave a decision open, so that its tokens must be counted."""
    low, high = assessment.text_bounds
    if low == high:
        return False
    if wishes.max_cost is not None:
        return True
    return any(low <= model.context_window < high for _, model in catalog.models())


class Chooser:
    """Chooses among a catalog's tiers by a policy; one a catalog."""

    __slots__ = ("_all", "_goods", "_version", "catalog", "policy")

    def __init__(self, catalog: Catalog, policy: Policy) -> None:
        self.catalog = catalog
        self.policy = policy
        self._look()

    def _look(self) -> None:
        """What the catalog's version offers."""
        self._version = self.catalog.version
        self._goods = {
            tier: goods(tier, model, barred=tier in self.policy.no_tools)
            for tier, model in self.catalog.models_by_tier.items()
        }
        self._all = self._of(ALL_TIERS)

    def choose(self, seen: Assessment, target: Target, wishes: Wishes, outlook: Outlook) -> Choice:
        """Choose a tier.

        Raises:
            ContextLengthExceeded: the prompt fits no window in reach.
            Infeasible: the caller's own limits leave nothing; the message gives the figures.
        """
        if self._version is not self.catalog.version:
            self._look()
        # Hashing tiers takes longer than looking at one.
        tiers = self._all if target.tiers is ALL_TIERS else self._of(target.tiers)
        if seen.manner is not PLAIN:
            tiers = tuple([in_manner(one, seen.manner) for one in tiers])
        look = Look(seen, wishes, outlook, self.policy, routed=target.routed)
        candidates = tuple([look.at(tier) for tier in tiers])
        fitting = [c for c in candidates if not c.refused]
        if not fitting:
            return self._last_resort(candidates, seen, target)
        if len(fitting) == 1 or not target.routed:
            return only(fitting[0], candidates, target, seen.signals)
        sort = target.sort if target.sort is not _BALANCED else wishes.sort
        if sort is not _BALANCED:
            return self._sorted(fitting, candidates, sort, seen.signals)
        return self._best(fitting, candidates, wishes.quality, outlook.price, seen.signals)

    def _of(self, tiers: tuple[Tier, ...]) -> tuple[Goods, ...]:
        return tuple([self._goods[tier] for tier in tiers if tier in self._goods])

    def _last_resort(
        self, candidates: tuple[Candidate, ...], seen: Assessment, target: Target
    ) -> Choice:
        """What becomes of a call that no tier fits.

        A deadline that none keeps with confidence is left to the likeliest. What only rests is no
        fault of the caller's: the plan decides. What an allowance may not hold, its ledger says.
        """
        late = [c for c in candidates if c.refused.endswith(LATE) and c.within >= self.policy.hope]
        if late:
            likeliest = max(late, key=lambda c: c.within)
            words = f"no tier is sure to be in time; {likeliest.tier.label} is the likeliest"
            reasons = (f"{words} ({likeliest.within:.0%})", *seen.signals)
            return Choice(likeliest._replace(refused=""), candidates, "deadline", reasons)
        for excuse in (DOWN, SPENT):
            if excused := [c for c in candidates if c.refused == excuse]:
                return only(excused[0], candidates, target, seen.signals)
        raise refusal(candidates, seen, self.catalog)

    def _sorted(
        self,
        fitting: list[Candidate],
        candidates: tuple[Candidate, ...],
        sort: Sort,
        signals: tuple[str, ...],
    ) -> Choice:
        """The cheapest acceptable, or the fastest."""
        if sort is _FLOOR:
            least = self.policy.acceptable
            acceptable = [c for c in fitting if c.quality >= least] or fitting[-1:]
            chosen = min(acceptable, key=lambda c: c.cost)
            return Choice(chosen, candidates, "floor", ("cheapest acceptable", *signals))
        chosen = min(fitting, key=lambda c: c.total)
        return Choice(chosen, candidates, "nitro", ("fastest", *signals))

    def _best(
        self,
        fitting: list[Candidate],
        candidates: tuple[Candidate, ...],
        dial: float | None,
        price: float,
        signals: tuple[str, ...],
    ) -> Choice:
        policy = self.policy
        if dial is None:
            dial = policy.quality
        weight, second, middle = dial_lambda(dial, policy.doubling), policy.second, policy.doubling
        steep = weight * steepness([c.cost for c in fitting])
        best, most, highest = fitting[0], -1e12, 0.0
        for candidate in fitting:
            # What comes too late is worth nothing.
            quality, cost = candidate.quality * candidate.within, candidate.cost
            # `Weights.worth`, written out: three calls would cost as much as the rest of this.
            worth = quality - steep * sqrt(cost + 1) - price * cost - second * candidate.total
            if worth > most:
                best, most = candidate, worth
            if quality > highest:
                highest = quality
        code, words = why(best, fitting[0], highest)
        if len(fitting) != len(candidates):
            refused = [f"{c.tier.label}: {c.refused}" for c in candidates if c.refused]
            signals = (*signals, *refused)
        words_all = (words, *signals)
        return Choice(best, candidates, code, words_all, weight, second, price, dial, middle)


def choose(
    assessment: Assessment,
    target: Target,
    wishes: Wishes,
    *,
    catalog: Catalog,
    speeds: Mapping[Tier, Speed],
    policy: Policy,
) -> Choice:
    """Choose a tier once, for anyone, knowing only the speeds (as `Chooser.choose`)."""
    return Chooser(catalog, policy).choose(assessment, target, wishes, Outlook(speeds))


def taken_by_name(target: Target, catalog: Catalog) -> Choice:
    """What the caller chose by name, without looking at the call."""
    tier = target.tiers[0]
    model = catalog.models_by_tier[tier]
    chosen = Candidate(tier, target.model or model.name, 0.0, FREE, 0.0, 0.0)
    return only(chosen, (chosen,), target, ())


def keep_to(choice: Choice, tier: Tier, words: str = "") -> Choice:
    """The choice for a conversation that stays on a tier, if that tier fits."""
    if tier is choice.chosen.tier:
        return choice
    stays = [c for c in choice.candidates if c.tier is tier and not c.refused]
    if not stays:
        return choice
    words = words or f"the conversation stays on {tier.label}"
    return choice._replace(chosen=stays[0], code="sticky", reasons=(words, *choice.reasons))
