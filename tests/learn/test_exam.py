"""The exam's door: decisions in the shape it asks for, and a knob that turns one way."""

from gateway.learn.exam import route
from gateway.learn.excerpt import excerpt

PROMPTS = [
    "Hi!",
    "What is the capital of France?",
    "Prove that every finite integral domain is a field.",
    "用C++实现无锁MPMC队列并解释内存序",
    "",
]


def test_a_decision_has_a_tier_a_score_and_a_quality_per_tier() -> None:
    for decision in route(PROMPTS):
        quality = decision["quality"]
        assert isinstance(quality, list)
        assert decision["tier"] in {0, 1, 2}
        assert decision["score"] == quality[2] - quality[0]
        assert isinstance(decision["doubt"], float)


def test_turning_the_knob_up_never_lowers_a_tier() -> None:
    knobs = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)

    columns = [[decision["tier"] for decision in route(PROMPTS, knob)] for knob in knobs]

    for tiers in zip(*columns, strict=True):
        assert list(tiers) == sorted(tiers)
    assert set(columns[0]) == {0}
    assert set(columns[-1]) == {2}


def test_the_middle_of_the_knob_tells_prompts_apart() -> None:
    tiers = [decision["tier"] for decision in route(PROMPTS, 0.4)]

    assert tiers[0] == 0
    assert tiers[2] in {1, 2}


def test_an_excerpt_keeps_both_ends() -> None:
    assert excerpt("A" + "a" * 799) == "A" + "a" * 799
    assert excerpt("A" + "a" * 5_000 + "b" * 500) == "A" + "a" * 599 + "b" * 200
