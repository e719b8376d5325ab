"""What tokens cost: every token once, at its kind's price, and never more than was held for it."""

import pytest
from hypothesis import given, strategies as st

from gateway.call import Counts, Usage
from gateway.money import NanoUSD
from gateway.prices import PLAIN, Manner, Price, service_named

TEXT = Price(NanoUSD(2_500), NanoUSD(1_250), NanoUSD(10_000))
SOUND = Price(NanoUSD(40_000), NanoUSD(2_500), NanoUSD(80_000))
AUDIO = Price(TEXT.prompt, TEXT.cached, TEXT.completion, SOUND)
counts = st.integers(0, 5_000)
kinds = st.none() | st.builds(Counts, counts, counts, counts)


def plain(prompt: int, less: int, completion: int) -> Price:
    return Price(NanoUSD(prompt), NanoUSD(min(less, prompt)), NanoUSD(completion))


def priced(text: Price, audio: Price | None, images: Price | None, times: int, own: Price) -> Price:
    usual = Price(text.prompt, text.cached, text.completion, audio, images)
    ways = (("flex", usual.times(500)), ("priority", usual.times(times)), ("own", own))
    return Price(text.prompt, text.cached, text.completion, audio, images, ways)


def used(told: tuple[int, int, int], service: str, kinds: tuple[Counts | None, ...]) -> Usage:
    return Usage(*told, 0, False, service, kinds[0], kinds[1])


amounts = st.integers(0, 100_000)
plains = st.builds(plain, amounts, amounts, amounts)
maybe = st.none() | plains
prices = st.builds(priced, plains, maybe, maybe, st.integers(1, 3_000), plains)
services = st.sampled_from(("", "flex", "priority", "own", "new"))
usages = st.builds(used, st.tuples(counts, counts, counts), services, st.tuples(kinds, kinds))


@given(prices, usages)
def test_the_parts_sum_to_the_whole_and_every_token_is_charged_once(
    price: Price, usage: Usage
) -> None:
    at = price.at(usage.service)
    parts = list(usage.parts(at))

    assert sum(tokens for tokens, _ in parts) == usage.prompt + usage.completion
    assert all(tokens >= 0 for tokens, _ in parts)
    assert usage.cost(price) == at.scaled(sum(tokens * each for tokens, each in parts))


@given(prices, usages)
def test_no_use_costs_more_than_was_held_for_it(price: Price, usage: Usage) -> None:
    """Whatever way it asked for, it may be processed in that or the usual one."""
    asked = Manner(usage.service, hears=usage.audio is not None, speaks=usage.audio is not None)
    most = price.bound(asked)
    held = usage.prompt * most.prompt + usage.completion * most.completion

    assert usage.cost(price) <= held
    assert usage._replace(service="").cost(price) <= held


@given(usages.map(lambda usage: usage._replace(audio=None, images=None)), prices)
def test_text_alone_costs_what_it_always_did(usage: Usage, price: Price) -> None:
    cached = min(usage.cached, usage.prompt)
    amount = (usage.prompt - cached) * price.prompt + cached * price.cached

    assert usage._replace(service="").cost(price) == amount + usage.completion * price.completion


def test_sound_is_priced_apart_from_text() -> None:
    usage = Usage(1_000, 300, audio=Counts(600, 0, 250))

    assert usage.cost(AUDIO) == 400 * 2_500 + 600 * 40_000 + 50 * 10_000 + 250 * 80_000
    assert usage.cost(TEXT) == 1_000 * 2_500 + 300 * 10_000


def test_cached_sound_is_not_billed_twice() -> None:
    usage = Usage(1_000, 0, cached=700, audio=Counts(600, 500))

    assert usage.cost(AUDIO) == 200 * 2_500 + 200 * 1_250 + 100 * 40_000 + 500 * 2_500


def test_half_a_nano_dollar_is_rounded_up_once_a_call() -> None:
    cheap = Price(NanoUSD(25), NanoUSD(25), NanoUSD(25)).times(500)

    assert cheap.scaled(25) == 13
    assert Usage(1, 2).cost(cheap) == 38


def test_what_no_price_knows_is_held_at_the_dearest_and_charged_as_usual() -> None:
    price = Price(
        TEXT.prompt, TEXT.cached, TEXT.completion, services=(("priority", TEXT.times(2_000)),)
    )

    assert price.bound(Manner("ultrafast")).prompt == 5_000
    assert price.bound(Manner("priority")).completion == 20_000
    assert price.bound(PLAIN) == (2_500, 10_000)
    assert Usage(1, 0, service="ultrafast").cost(price) == 2_500


@pytest.mark.parametrize(
    ("said", "named"),
    [
        *((usual, "") for usual in (None, "", "auto", "default", "standard")),
        *(("flex", "flex"), ("priority", "priority"), ("fast", "priority"), ("ultra", "ultra")),
        *(("Flex", ""), ("sk-canary-1", ""), ("x" * 33, ""), (["flex"], ""), (True, ""), ({}, "")),
    ],
)
def test_ways_of_processing_are_told_apart(said: object, named: str) -> None:
    assert service_named(said) == named


def test_use_adds_up() -> None:
    one = Usage(3, 2, 1, 1, service="flex", audio=Counts(1, 1, 1))
    other = Usage(30, 20, 10, 10, estimated=True, images=Counts(5, 4, 3))

    assert one.plus(other) == Usage(33, 22, 11, 11, True, "flex", Counts(1, 1, 1), Counts(5, 4, 3))
    assert one.plus(one).audio == Counts(2, 2, 2)
