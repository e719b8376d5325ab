"""What would have changed a choice is said truly: done, it changes it."""

import re
from typing import Any

from hypothesis import given, strategies as st

from gateway.call import Assessment, Wishes
from gateway.catalog import Capability, Tier
from gateway.money import NanoUSD, usd
from gateway.route.choose import Chooser, Policy, Speed, keep_to
from gateway.route.counterfactual import flips
from gateway.route.length import Length
from gateway.route.outlook import Outlook
from gateway.route.reasons import Choice
from gateway.route.target import resolve
from tests.fakes import assessment, catalog, wishes

CATALOG = catalog()
CHOOSER = Chooser(CATALOG, Policy())
SPEEDS = {
    Tier.NANO: Speed(0.4, 0.007, 0.2, 0.2),
    Tier.MINI: Speed(0.6, 0.013, 0.2, 0.2),
    Tier.FULL: Speed(0.7, 0.013, 0.2, 0.2),
}
MIDDLING = assessment(quality=(0.6, 0.75, 0.8))


def chosen(seen: Assessment, said: Wishes | None = None, **more: Any) -> Choice:
    said = said or wishes()
    outlook = Outlook(SPEEDS)._replace(**more)
    return CHOOSER.choose(seen, resolve("auto", said, CATALOG), said, outlook)


def about(tier: str, choice: Choice) -> str:
    return next((words for words in flips(choice) if words.startswith(f"{tier} ")), "")


def test_a_tier_that_lost_would_need_a_gain_or_a_dial() -> None:
    choice = chosen(MIDDLING)

    assert choice.chosen.tier is Tier.MINI
    assert re.fullmatch(
        r"full would need \+0\.1\d predicted gain, or a dial of 0\.8\d", about("full", choice)
    )


def test_a_tier_over_the_cap_would_need_a_higher_one() -> None:
    said = wishes(max_cost=usd("0.0005"), quality=0.9)
    words = about("full", chosen(MIDDLING, said))

    assert words == "full would need a cap of $0.001"
    enough = wishes(max_cost=usd("0.001"), quality=0.9)
    assert not chosen(MIDDLING, enough).candidates[2].refused


def test_a_tier_too_slow_would_need_a_later_deadline() -> None:
    choice = chosen(MIDDLING, wishes(deadline=1.5, quality=1.0))
    words = about("full", choice)

    found = re.search(r"deadline of ([\d.]+) s", words)
    assert found is not None
    later = wishes(deadline=float(found[1]) * 1.01, quality=1.0)
    assert chosen(MIDDLING, later).chosen.tier is Tier.FULL


def test_a_first_byte_too_late_says_when_it_comes() -> None:
    choice = chosen(MIDDLING, wishes(ttft=0.65))

    assert about("full", choice) == "full would need more time to the first byte than 0.7 s"


def test_what_is_down_or_spent_says_so() -> None:
    down = chosen(MIDDLING, speeds={Tier.NANO: SPEEDS[Tier.NANO], Tier.MINI: SPEEDS[Tier.MINI]})
    length = Length((100.0,) * 3, (200.0,) * 3, 0.4)
    spent = chosen(MIDDLING, length=length, left=NanoUSD(500_000))

    assert about("full", down) == "full would need a deployment that is up"
    assert about("full", spent) == "full would need more left of the allowance"


def test_nothing_helps_a_tier_that_cannot() -> None:
    assert about("nano", chosen(assessment(needs=Capability.TOOLS))) == ""


def test_nothing_is_said_where_nothing_was_weighed() -> None:
    said = wishes()
    named = CHOOSER.choose(MIDDLING, resolve("mini", said, CATALOG), said, Outlook(SPEEDS))

    assert flips(named) == ()
    nitro = CHOOSER.choose(MIDDLING, resolve("auto:nitro", said, CATALOG), said, Outlook(SPEEDS))
    assert flips(nitro) == ()


def test_a_conversation_that_stays_would_have_to_be_a_new_one() -> None:
    stays = keep_to(chosen(MIDDLING), Tier.FULL)

    assert about("mini", stays) == "mini would need a new conversation"


unit = st.floats(0, 1)
rising = st.tuples(unit, unit, unit).map(sorted).map(tuple)


@given(rising, st.floats(0.05, 0.95), st.floats(0, 1e-7))
def test_the_gain_said_is_enough(
    quality: tuple[float, float, float], dial: float, price: float
) -> None:
    said = wishes(quality=dial)
    choice = chosen(assessment(quality=quality), said, price=price)
    words = about("full", choice)
    found = re.search(r"\+(\d+\.\d+) predicted", words)
    if found is None:
        return

    nano, mini, full = quality
    better = assessment(quality=(nano, mini, full + float(found[1]) + 0.0051))

    assert chosen(better, said, price=price).chosen.tier is Tier.FULL


@given(rising, st.floats(0.05, 0.95), st.floats(0, 1e-7))
def test_the_dial_said_is_the_one(
    quality: tuple[float, float, float], dial: float, price: float
) -> None:
    seen = assessment(quality=quality)
    choice = chosen(seen, wishes(quality=dial), price=price)

    for words in flips(choice):
        if (found := re.match(r"(\w+) .* a dial of ([\d.]+)", words)) is not None:
            there = chosen(seen, wishes(quality=float(found[2])), price=price)
            assert there.chosen.tier.label == found[1]


def test_no_gain_outweighs_the_cheapest_dial_but_another_dial_does() -> None:
    choice = chosen(MIDDLING, wishes(quality=0.0))

    assert re.fullmatch(r"full would need a dial of 0\.\d\d", about("full", choice))
    best = chosen(MIDDLING, wishes(quality=1.0))
    assert re.fullmatch(r"nano would need \+0\.\d\d .*, or a dial of 0\.\d\d", about("nano", best))
