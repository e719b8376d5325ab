"""Prices as the operator says them: of sound and images, of other ways of processing."""

from collections.abc import Callable

import pytest

from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.prices import Price
from gateway.settings.catalog import build
from gateway.settings.complaints import Complaint
from gateway.settings.schema import Settings

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]
KEY = {"OPENAI_API_KEY": "sk-abc"}


def price(configured: Load, said: str, name: str = "gpt-4.1") -> Price:
    found = build(configured(f"catalog: {{models: {{{name}: {{price: {said}}}}}}}", KEY)).price(
        name
    )
    assert found is not None
    return found


def nano(prompt: int, cached: int, completion: int) -> Price:
    return Price(NanoUSD(prompt), NanoUSD(cached), NanoUSD(completion))


def test_known_models_know_their_ways_of_processing(configured: Load) -> None:
    catalog = build(configured("", KEY))
    full = catalog.models_by_tier[Tier.FULL].price
    four_o, five = catalog.price("gpt-4o-mini"), catalog.price("gpt-5")

    assert full.at("priority").scaled(full.prompt) == 3_500
    assert full.at("batch").scaled(full.prompt) == 1_000
    assert five is not None
    assert five.at("flex").scaled(five.prompt) == 625
    assert four_o is not None
    assert four_o.at("priority").prompt == 250


@pytest.mark.parametrize("name", ["gpt-realtime", "gpt-audio", "gpt-4o-audio-preview"])
def test_sound_is_dearer_than_text(name: str, configured: Load) -> None:
    found = build(configured("", KEY)).price(name)

    assert found is not None
    assert found.audio is not None
    assert found.audio.prompt > 5 * found.prompt


def test_an_own_price_keeps_what_is_known_of_other_ways(configured: Load) -> None:
    own = price(configured, "{prompt: 1, completion: 4}")

    assert own.at("priority").scaled(own.prompt) == 1_750


def test_an_own_price_says_all_of_it(configured: Load) -> None:
    own = price(
        configured,
        "{prompt: 1, cached: 0.5, completion: 4, audio: {prompt: 10, completion: 20},"
        " images: {cached: 0.1}, services: {fast: {prompt: 3, completion: 9}, flex: '0.5'}}",
    )

    assert own.audio == nano(10_000, 10_000, 20_000)
    assert own.images == nano(1_000, 100, 4_000)
    fast = own.at("priority")
    assert (fast.prompt, fast.cached, fast.completion) == (3_000, 3_000, 9_000)
    assert fast.audio == own.audio
    assert own.at("flex").mille == 500
    assert own.at("batch") is own


def test_a_price_of_what_is_passed_on_keeps_its_kinds(configured: Load) -> None:
    said = "catalog: {prices: {gpt-realtime: {prompt: 1, completion: 4}}}"
    found = build(configured(said, KEY)).price("gpt-realtime")

    assert found is not None
    assert (found.prompt, found.audio) == (1_000, nano(32_000, 400, 64_000))


@pytest.mark.parametrize(
    ("services", "told"),
    [
        ("{auto: 2}", "other than the usual"),
        (f"{{{'x' * 40}: 2}}", "other than the usual"),
        ("{flex: 0}", "must be a number from 0.001"),
        ("{flex: 0.0005}", "must be a number from 0.001"),
        ("{flex: 0.12345}", "must be a number from 0.001"),
        ("{flex: much}", "must be a number from 0.001"),
        ("{flex: true}", "must be a number from 0.001"),
        ("{flex: {prompt: 1}}", "needs either"),
        ("{flex: {times: 1, prompt: 1, completion: 1}}", "needs either"),
        ("{flex: {times: 1, cached: 1}}", "needs either"),
        ("{flex: {}}", "needs either"),
    ],
)
def test_a_way_of_processing_without_a_clear_price_is_refused(
    services: str, told: str, complaints: Complain
) -> None:
    said = f"{{prompt: 1, completion: 4, services: {services}}}"
    found = complaints(f"catalog: {{models: {{gpt-4.1: {{price: {said}}}}}}}", KEY)

    assert any(told in complaint.message for complaint in found)
