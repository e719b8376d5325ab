"""The predicted quality of each tier, and documents that nobody would send."""

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.call import Assessment
from gateway.classify import signals
from gateway.classify.assess import Assessor
from gateway.classify.cues import Kind
from gateway.classify.difficulty import HEAD, TAIL
from gateway.classify.prompt import measure
from gateway.classify.signals import Signals
from gateway.classify.tokens import Tokenizer
from tests.classify.assessing import _SMALL_WORK, PROSE, STEPS, UNMOVED, Even, chat, near
from tests.classify.documents import (
    ANY_DOCUMENT,
    WEATHER,
    ask,
    nested,
)

# ── quality ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("document", "quality"),
    [
        (ask("Tell me about tides."), UNMOVED),
        (ask("hi"), (0.74, 0.77, 0.8)),
        (ask("Classify it."), (0.72, 0.76, 0.8)),
        (ask("Weather?", tools=[WEATHER]), (0.8 * 0.23, 0.8 * 0.77, 0.8)),
        (ask("潮汐是什么"), (0.56, 0.68, 0.8)),
        (ask("word " * 70_000), (0.8 * 0.40, 0.8 * 0.83, 0.8)),
        (ask("word " * 400_010), (0.8 * 0.21, 0.8 * 0.65, 0.8)),
        ({"messages": chat(*["more"] * 23)}, (0.8 * 0.60, 0.7, 0.8)),
        (ask("```\nx\n```" + " word" * 2_500), (0.8 * 0.32, 0.8 * 0.80, 0.8)),
    ],
)
def test_priors_shift_what_each_tier_is_trusted_with(
    assessor: Assessor, document: dict[str, Any], quality: tuple[float, float, float]
) -> None:
    found = assessor.assess(document)

    assert near(found.quality, quality)
    assert found.score == found.quality[2] - found.quality[0]


@pytest.mark.parametrize(
    "document",
    [ask("Prove that 2 is prime."), ask(STEPS), {"messages": chat(*["more"] * 9)}],
)
def test_other_priors_only_matter_where_the_text_seemed_easy(
    tokenizer: Tokenizer, document: dict[str, Any]
) -> None:
    class Easy(Even):
        def estimate(self, ids: Any, task: str) -> tuple[float, float, float]:
            return 0.9, 0.9, 0.9

    assert 0 < Assessor(tokenizer, Easy()).assess(document).score <= 0.9 * 0.2 + 1e-9
    assert Assessor(tokenizer, Even()).assess(document).quality == UNMOVED


@given(
    quality=st.tuples(*[st.floats(-0.5, 1.5)] * 3),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    gap=st.floats(0, 3),
)
def test_tempered_quality_is_ordered_and_bounded(
    quality: tuple[float, float, float], shares: tuple[float, float], gap: float
) -> None:
    nano, mini, full = signals.temper(quality, Signals((), Kind.OTHER, shares, gap, 0))

    assert 0 <= nano <= mini <= full <= 1


def test_a_short_follow_up_is_judged_with_the_turn_before(assessor: Assessor, even: Even) -> None:
    assessor.assess({"messages": chat("Prove Fermat's little theorem.", "Done.", "and why?")})
    assessor.assess({"messages": chat("Prove Fermat's little theorem.", "Done.", "Thank you!")})

    assert even.asked[0] == (11, "Prove Fermat's little theorem.\nand why?")
    assert even.asked[1][1] == "Thank you!"


def test_the_model_sees_the_head_and_tail_only(assessor: Assessor, even: Even) -> None:
    assessor.assess(ask(f"Once more: {PROSE * 1_000}"))

    tokens, task = even.asked[0]
    assert len(task) == HEAD + TAIL
    assert tokens < 250


# ── hostile documents ────────────────────────────────────────────────────────


@settings(max_examples=200, deadline=None)
@given(document=ANY_DOCUMENT)
def test_any_document_is_assessed_and_counted_within_its_bounds(
    tokenizer: Tokenizer, document: dict[str, Any]
) -> None:
    assessor = Assessor(tokenizer, Even())

    found = assessor.assess(document)

    low, high = found.text_bounds
    assert isinstance(found, Assessment)
    assert low <= found.text_tokens <= high
    assert low <= assessor.count(document) <= high
    assert 0 <= found.score <= 1
    assert found.completion_tokens >= 0
    assert measure(document).plain or low < high or high == 0


@pytest.fixture(scope="module")
def experienced(tokenizer: Tokenizer) -> Assessor:
    return Assessor(tokenizer, Even())


@settings(max_examples=100, deadline=None)
@given(context=_SMALL_WORK, text=st.text(max_size=40), document=ANY_DOCUMENT)
def test_what_an_assessor_remembers_changes_no_answer(
    tokenizer: Tokenizer,
    experienced: Assessor,
    context: str,
    text: str,
    document: dict[str, Any],
) -> None:
    system = {"role": "system", "content": context}
    fresh = Assessor(tokenizer, Even())

    for call in (document, {"messages": [system, *chat(text)]}):
        assert experienced.assess(call) == fresh.assess(call)


def test_numbers_too_large_to_spell_are_numbers(assessor: Assessor) -> None:
    huge = 10**5_000
    document = ask("x", max_tokens=huge, n=huge, logprobs=huge)
    document["messages"] += [huge, {"role": huge, "content": [huge]}]

    found = assessor.assess(document)

    assert found.max_completion == huge * 128
    assert found.completion_tokens == 300 * 128
    assert found.text_bounds[1] > 10_000 / 3


def test_great_depth_and_long_runs_are_assessed(assessor: Assessor) -> None:
    deep = ask("x", tools=[{"function": {"parameters": nested(5_000)}}])
    noise = hashlib.shake_256(b"noise").digest(200_000).decode("latin-1")

    assert assessor.count(deep) <= assessor.assess(deep).text_bounds[1]
    for text in (" " * 1_100_000, "\ud800" * 70_000, noise):
        low, high = assessor.assess(ask(text)).text_bounds
        assert low <= assessor.count(ask(text)) <= high
