"""A dry run: where a call would go now and why, or how long it is: nothing is sent, held or learnt.

What it says holds for this moment: paces, breakers, conversations and allowances move on. Whether
an allowance holds the call is the ledger's word, and the ledger is not asked; what it said last is
considered.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from gateway.call import Assessment, Call
from gateway.classify.images import tokens as image_tokens
from gateway.flow.explain import Row, decided, limits, predicted
from gateway.flow.life import Flow
from gateway.flow.pinning import stays
from gateway.flow.reaching import allowed
from gateway.route.plan import Step
from gateway.route.reasons import Choice
from gateway.route.target import Target, resolve


class Weighed(NamedTuple):
    """What would become of a call: where it may go, what it is, the choice, its attempts."""

    target: Target
    seen: Assessment
    choice: Choice
    plan: Iterator[Step]


async def considered(flow: Flow, call: Call) -> Row:
    """The whole decision on a call.

    Raises:
        GatewayError: what the call itself would be refused with.
    """
    target, seen, choice, plan = await weighed(flow, call)
    chosen = choice.chosen
    return {
        "id": call.id,
        "object": "route",
        "api": call.api,
        "requested": call.model,
        "limits": limits(call.wishes),
        "tier": chosen.tier.label,
        "model": target.model or chosen.model,
        "reason": choice.code,
        **decided(choice, seen),
        "predicted": predicted(chosen),
        "plan": [_planned(step) for step in islice(plan, flow.rules.max_attempts)],
    }


async def weighed(flow: Flow, call: Call) -> Weighed:
    """Choose for a call of which nothing will come.

    Raises:
        GatewayError: what the call itself would be refused with.
    """
    catalog = flow.parts.catalog
    target = allowed(call, resolve(call.model, call.wishes, catalog), catalog)
    home = await flow.pinning.found(call)
    if home is not None:
        target = allowed(call, flow.pinning.narrowed(target, home), catalog)
    seen = await flow.assess(call)
    choice = (await flow.recall.choose(call, seen, target, dry=True)).turn.choice
    if home is not None and target.model is None:
        choice = stays(choice)
    return Weighed(target, seen, choice, flow.plan(choice, target, home))


async def counted(flow: Flow, document: Mapping[str, Any]) -> int:
    """How many tokens a prompt has, its images as the largest tier counts them."""
    parts = flow.parts
    count: int = await parts.in_thread(parts.assessor.count, document)
    seen: Assessment = await parts.in_thread(parts.assessor.assess, document)
    models = parts.catalog.models_by_tier
    largest = models[max(models)]
    return count + sum(image_tokens(largest, image) for image in seen.images)


def _planned(step: Step) -> Row:
    return {
        "tier": step.tier.label,
        "deployment": step.deployment.name,
        "model": step.model,
        "max_tokens": step.max_tokens,
    }
