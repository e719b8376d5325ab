"""The order of attempts, the error table, the retry budget."""

import pytest

from gateway.catalog import Catalog, Deployment, Tier
from gateway.route.choose import Policy, Speed, choose
from gateway.route.plan import Next, RetryBudget, after, order, steps, upstream_outcome
from gateway.route.reasons import Choice
from gateway.route.target import Target, resolve
from tests.fakes import MINI, assessment, catalog, deployment, wishes

SPEEDS = {tier: Speed(0.5, 0.01) for tier in Tier}
EASY = assessment(quality=(0.8, 0.8, 0.8))


def planned(
    where: Catalog, name: str = "auto", *, models: tuple[str, ...] = (), down: tuple[str, ...] = ()
) -> list[str]:
    said = wishes(models=models) if models else wishes()
    target, choice = decided(where, name, said)
    plan = steps(
        choice,
        target,
        catalog=where,
        admits=lambda d: d.name not in down,
        in_flight={},
    )
    return list(dict.fromkeys(step.deployment.name for step in plan))


def decided(where: Catalog, name: str, said: object) -> tuple[Target, Choice]:
    target = resolve(name, said, where)  # type: ignore[arg-type]  # Wishes, from `planned`
    choice = choose(
        EASY,
        target,
        said,  # type: ignore[arg-type]  # as above
        catalog=where,
        speeds=SPEEDS,
        policy=Policy(quality=0.4),
    )
    return target, choice


def test_the_chosen_tier_comes_first_then_its_spares_then_the_tiers_above() -> None:
    assert planned(catalog(spares=1)) == [
        "gpt-4.1-nano",
        "gpt-4.1-nano-spare0",
        "gpt-4.1-mini",
        "gpt-4.1-mini-spare0",
        "gpt-4.1",
        "gpt-4.1-spare0",
    ]


def test_a_named_tier_is_not_left() -> None:
    assert planned(catalog(spares=1), "mini") == ["gpt-4.1-mini", "gpt-4.1-mini-spare0"]


def test_what_rests_behind_its_breaker_is_left_out() -> None:
    assert planned(catalog(), down=("gpt-4.1-nano",)) == ["gpt-4.1-mini", "gpt-4.1"]


def test_the_callers_further_models_come_last_and_nothing_comes_twice() -> None:
    assert planned(catalog(), "mini", models=("gpt-4.1", "auto")) == [
        "gpt-4.1-mini",
        "gpt-4.1",
        "gpt-4.1-nano",
    ]


def test_the_least_loaded_for_its_weight_goes_first_and_full_ones_are_left_out() -> None:
    light = deployment(MINI, "light", weight=1)
    heavy = deployment(MINI, "heavy", weight=3)
    full = deployment(MINI, "full", max_parallel=2)
    flying = {"light": 1, "heavy": 2, "full": 2}

    assert [d.name for d in order((light, heavy, full), flying, alike)] == ["heavy", "light"]
    assert order((full,), flying, alike) == []
    assert order((full,), {}, alike) == [full]


@pytest.mark.parametrize(
    ("status", "code", "named", "means"),
    [
        (200, None, True, Next.DONE),
        (400, "invalid_value", True, Next.STOP),
        (400, "context_length_exceeded", False, Next.NEXT),
        (401, "invalid_api_key", False, Next.NEXT),
        (403, None, False, Next.NEXT),
        (404, "model_not_found", True, Next.STOP),
        (404, "model_not_found", False, Next.NEXT),
        (422, None, False, Next.STOP),
        (429, "rate_limit_exceeded", False, Next.NEXT),
        (429, "insufficient_quota", False, Next.NEXT),
        (500, None, False, Next.NEXT),
        (503, None, True, Next.NEXT),
    ],
)
def test_the_error_table(status: int, code: str | None, named: bool, means: Next) -> None:
    assert after(status, code, named=named) is means


def test_error_statuses_have_four_names() -> None:
    assert [upstream_outcome(s) for s in (401, 403, 404, 429, 500, 529)] == [
        "upstream_auth",
        "upstream_auth",
        "upstream_4xx",
        "upstream_rate_limited",
        "upstream_5xx",
        "upstream_5xx",
    ]


def test_retries_stay_a_fifth_of_the_calls_in_a_lasting_outage() -> None:
    budget = RetryBudget(per_second=0.0)
    granted = 0
    for _ in range(10_000):
        budget.called()
        granted += budget.withdraw(0.0)

    assert granted <= 10_000 * 0.2 + 20


def test_a_quiet_gateway_may_always_retry_a_little() -> None:
    budget = RetryBudget()
    while budget.withdraw(0.0):
        pass

    assert not budget.withdraw(0.1)
    assert budget.withdraw(0.4)


def test_a_slow_deployment_comes_first_only_when_the_others_are_that_much_busier() -> None:
    fast, slow = deployment(MINI, "fast"), deployment(MINI, "slow")
    takes = {"fast": 1.0, "slow": 3.0}

    def first(flying: dict[str, int]) -> str:
        return order((slow, fast), flying, lambda d: takes[d.name])[0].name

    assert first({}) == "fast"
    assert first({"fast": 1}) == "fast"
    assert first({"fast": 3}) == "slow"


def alike(_: Deployment) -> float:
    return 1.0
