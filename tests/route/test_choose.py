"""The choice of a tier: laws, caps and reasons."""

import pytest

from gateway.call import ImageSize
from gateway.catalog import Capability, Tier
from gateway.errors import ContextLengthExceeded
from gateway.route.choose import (
    Policy,
)
from tests.fakes import FULL, NANO, assessment, catalog, model, wishes
from tests.route.choosing import EASY, HARD, chosen


def test_an_easy_call_goes_to_the_smallest_and_a_hard_one_up() -> None:
    easy, hard = chosen(EASY), chosen(HARD)

    assert (easy.chosen.tier, easy.code) == (Tier.NANO, "adequate")
    assert (hard.chosen.tier, hard.code) == (Tier.FULL, "quality")
    assert "larger model promises only" in easy.reasons[0]
    assert "+0.45" in hard.reasons[0]


def test_every_candidate_is_shown_with_its_figures() -> None:
    choice = chosen(HARD)

    assert [c.tier for c in choice.candidates] == list(Tier)
    assert all(c.cost > 0 and c.ttft > 0 and c.total > c.ttft for c in choice.candidates)
    assert [c.cost for c in choice.candidates] == [50_000, 200_000, 1_000_000]


def test_the_dial_at_its_ends_is_cheapest_and_best() -> None:
    assert chosen(HARD, wishes(quality=0.0)).chosen.tier is Tier.NANO
    assert (
        chosen(assessment(quality=(0.5, 0.5, 0.52)), wishes(quality=1.0)).chosen.tier is Tier.FULL
    )


def test_the_callers_dial_wins_over_the_operators() -> None:
    cheap = Policy(quality=0.0)

    assert chosen(HARD, policy=cheap).chosen.tier is Tier.NANO
    assert chosen(HARD, wishes(quality=0.9), policy=cheap).chosen.tier is Tier.FULL


def test_tools_never_go_to_nano_by_our_choice_but_do_by_the_callers() -> None:
    with_tools = assessment(quality=(0.8, 0.8, 0.8), needs=Capability.TOOLS)

    routed = chosen(with_tools)

    assert routed.chosen.tier is not Tier.NANO
    assert routed.candidates[0].refused == "not trusted with tools"
    assert chosen(with_tools, name="nano").chosen.tier is Tier.NANO


def test_a_tier_that_cannot_do_what_is_needed_is_passed_over() -> None:
    blind = catalog({Tier.NANO: model("n", NANO.price, can=Capability.NONE), Tier.FULL: FULL})
    seen = assessment(needs=Capability.VISION, images=(ImageSize(1024, 1024),))

    choice = chosen(seen, among=blind)

    assert choice.chosen.tier is Tier.FULL
    assert choice.code == "capability"
    assert choice.candidates[0].refused == "cannot do images"


def test_images_are_charged_by_each_tiers_own_formula() -> None:
    with_image = chosen(assessment(images=(ImageSize(1024, 1024),)))
    plain = chosen(assessment())

    extra = [a.cost - b.cost for a, b in zip(with_image.candidates, plain.candidates, strict=True)]
    assert extra[2] == 765 * FULL.price.prompt


def test_a_prompt_over_a_window_goes_to_a_larger_one() -> None:
    small = catalog({Tier.NANO: model("n", NANO.price, window=1_000), Tier.FULL: FULL})

    choice = chosen(assessment(2_000), among=small)

    assert choice.chosen.tier is Tier.FULL
    assert choice.code == "context"


def test_a_prompt_over_every_window_is_refused_in_openais_words() -> None:
    with pytest.raises(ContextLengthExceeded) as refusal:
        chosen(assessment(1_100_000))

    assert "maximum context length is 1047576 tokens" in refusal.value.message
    assert refusal.value.param == "messages"
