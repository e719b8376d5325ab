"""What was predicted of calls, beside what they took."""

from typing import Any

import pytest

from gateway.call import Usage
from gateway.money import NanoUSD
from gateway.observe.labels import PREDICTED
from tests.observe.counting import fresh_metrics
from tests.observe.events import Foreseen, an_ended, samples


def test_what_was_predicted_is_compared_with_what_came() -> None:
    metrics = fresh_metrics()
    expected = Foreseen()

    metrics.ended(
        an_ended(stream=True, ttft=0.2, seconds=1.0, cost=NanoUSD(22_000), expected=expected)
    )

    seen = samples(metrics)
    found = {of: seen[f"gateway_prediction_ratio_sum{{of={of},tier=nano}}"] for of in PREDICTED}
    assert found == pytest.approx({"cost": 1.1, "completion": 0.5, "ttft": 2.0, "total": 0.5})
    assert seen["gateway_prediction_ratio_bucket{le=1.0,of=cost,tier=nano}"] == 0
    assert seen["gateway_prediction_ratio_bucket{le=1.25,of=cost,tier=nano}"] == 1


@pytest.mark.parametrize(
    ("changes", "compared"),
    [
        ({"attempts": 2}, {"cost", "completion"}),
        ({"usage": Usage(100, 40, estimated=True)}, {"total"}),
        ({"stream": False}, {"cost", "completion", "total"}),
        ({"expected": None}, set()),
        ({"outcome": "upstream_timeout"}, set()),
        ({"cache": "hit"}, set()),
        ({"expected": Foreseen(NanoUSD(0), 0.0, 0.0, 0.0)}, set()),
    ],
)
def test_only_what_a_prediction_spoke_of_is_compared(
    changes: dict[str, Any], compared: set[str]
) -> None:
    metrics = fresh_metrics()
    expected = Foreseen()

    metrics.ended(an_ended(**{"stream": True, "expected": expected, **changes}))

    seen = samples(metrics)
    assert {
        of for of in PREDICTED if f"gateway_prediction_ratio_count{{of={of},tier=nano}}" in seen
    } == (compared | ({"ttft"} if "total" in compared and changes.get("stream", True) else set()))


def test_kept_and_missed_deadlines_are_counted() -> None:
    metrics = fresh_metrics()

    for in_time in (True, True, False, None):
        metrics.ended(an_ended(in_time=in_time))

    seen = samples(metrics)
    assert seen["gateway_deadline_total{kept=true}"] == 2
    assert seen["gateway_deadline_total{kept=false}"] == 1
