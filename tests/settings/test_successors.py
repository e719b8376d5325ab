"""Which deployments go on with a successor, and with which."""

from collections.abc import Callable
from datetime import date

import pytest

from gateway.catalog import Deployment
from gateway.settings.advice import warnings
from gateway.settings.catalog import build
from gateway.settings.complaints import Complaint
from gateway.settings.schema import Settings
from tests.settings.test_tiers_built import KEY

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]


def nano(settings: Settings) -> Deployment:
    return next(build(settings).deployments())


def test_known_successors_are_for_openais_own_address(configured: Load) -> None:
    (now, then) = (nano(configured("", KEY)), nano(configured("", KEY)).successor)

    assert now.model.name == "gpt-4.1-nano"
    assert then is not None
    assert (then.model.name, then.instead_of, then.name) == ("gpt-6-luna", "gpt-4.1-nano", "nano")
    assert (then.key, then.base_url, then.successor) == (now.key, now.base_url, None)
    assert then.parameters.limit == "max_completion_tokens"


@pytest.mark.parametrize(
    "text",
    [
        "catalog: {follow_successors: false}",
        "catalog: {models: {gpt-4.1-nano: {successor: null}}}",
        "catalog: {base_url: 'http://localhost:8000'}",
        "catalog: {tiers: {nano: {model: gpt-4.1-nano, upstream_model: mine}}}",
        "simulate: true",
    ],
)
def test_others_stay(configured: Load, text: str) -> None:
    assert nano(configured(text, KEY)).successor is None


def test_a_declared_one_counts_anywhere(configured: Load) -> None:
    text = """
    catalog:
      base_url: http://localhost:8000
      models:
        gpt-4.1-nano: {successor: gpt-5.4-nano}
        gpt-5.4-nano: {successor: gpt-4.1-nano}
    """

    then = nano(configured(text)).successor

    assert then is not None
    assert then.model.name == "gpt-5.4-nano"
    assert then.successor is None


def test_a_successor_nobody_knows_is_complained_of(complaints: Complain) -> None:
    (found,) = complaints("catalog: {models: {gpt-4.1-nano: {successor: gpt-6-lune}}}", KEY)

    assert found.message == "is no known model (did you mean `gpt-6-luna`?)"


def test_azures_days_are_not_openais(configured: Load) -> None:
    where = "base_url: 'https://me.openai.azure.com', key: abcdefgh"
    said = nano(configured(f"catalog: {{{where}}}"))
    declared = f"catalog: {{{where}, models: {{gpt-4.1-nano: {{shutdown: 2027-04-14}}}}}}"

    assert said.model.shutdown is None
    assert nano(configured(declared)).model.shutdown == date(2027, 4, 14)


def test_the_warning_says_what_will_happen(configured: Load) -> None:
    settings = configured("", KEY)

    (warning,) = warnings(settings, build(settings), today=date(2026, 11, 1), environ={})

    assert warning.endswith("Its successor is gpt-6-luna, which takes its place.")
