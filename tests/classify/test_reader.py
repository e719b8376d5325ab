"""An assessment at once in C is the one that Python's steps come to."""

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.classify.assess import Assessor
from gateway.classify.cues import CLOSED_ANSWERS, CUES, SMALL_TALK
from gateway.classify.difficulty import Difficulty
from gateway.classify.priors import Priors
from gateway.classify.reader import AtOnce, reader
from gateway.classify.signals import CODE_MARKS, EITHER, LENGTH_UNITS
from gateway.classify.tokens import Tokenizer
from tests.classify.assessing import PROSE, STEPS, chat

PRIORS = Priors(images=(0.7, 0.9), gap=0.9)

_PIECES = st.sampled_from(
    [
        *CUES,
        *SMALL_TALK,
        *CLOSED_ANSWERS,
        *CODE_MARKS,
        *EITHER,
        *(
            f"{n}{gap}{unit}"
            for n in (5, 70, 1234, 123456)
            for gap in "- "
            for unit in LENGTH_UNITS
        ),
        *(PROSE, PROSE * 4, STEPS, "```", "?", "？", "\n- a", "x" * 130, "Wie spät ist es?"),
        *("Докажите, что корней нет. " * 9, "证明它。", "سؤال قصير", "\x1f", "\u2003", "ΣΑΣ", "İ"),
        *("I\u212aNG", "🙂", "\u200b", "\ud800", "Ǆ", "ẞ", "ﬀ", "\U0001e900"),
        *(": ", "：", "“so it is said”", "red, green or blue?", "果物のどれ", "\n\n", "𝐇", "OH"),
    ]
)
_TEXTS = st.one_of(
    st.lists(_PIECES | st.text(max_size=8), max_size=9).map(" ".join),
    st.lists(_PIECES, min_size=1, max_size=4).map(lambda pieces: "".join(pieces) * 7),
    st.text(max_size=60),
)
_TEXT_PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "input_text", "output_text", "refusal", None])},
    optional={"text": _TEXTS, "refusal": _TEXTS},
)
_CONTENTS = _TEXTS | st.lists(_TEXT_PART | _TEXTS, max_size=3) | st.none()
_CALL = st.fixed_dictionaries({"name": _TEXTS, "arguments": _TEXTS})
_MORE: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["ada", "", None, 3]),
    "refusal": st.sampled_from(["I will not.", None]),
    "tool_calls": st.lists(_CALL | st.fixed_dictionaries({"function": _CALL}), max_size=2),
    "function_call": _CALL,
    "tool_call_id": st.sampled_from(["call_1", None]),
    "audio": st.sampled_from([None, {}, {"id": "a"}]),
}
_ROLES = st.sampled_from(
    ["user"] * 6 + ["system", "assistant", "developer", "tool", "narrator", None, 7]
)
_MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": _ROLES, "content": _CONTENTS}),
        st.fixed_dictionaries({"role": _ROLES, "content": _CONTENTS}, optional=_MORE),
        st.fixed_dictionaries({"type": st.sampled_from(["message", "function_call"])}),
        st.builds(lambda out: {"type": "function_call_output", "output": out}, _CONTENTS),
    ),
    max_size=16,
)
_NUMBERS = st.sampled_from([None, True, False, 0, 1, 5, 16, 300, 2**40, 2**80, -(2**80), "9"])
_BESIDE: dict[str, st.SearchStrategy[Any]] = {
    "max_tokens": _NUMBERS,
    "max_completion_tokens": _NUMBERS,
    "n": _NUMBERS,
    "best_of": _NUMBERS,
    "tools": st.lists(st.just({"type": "function", "function": {"name": "f"}}), max_size=3),
    "tool_choice": st.sampled_from(["none", "auto"]),
    "response_format": st.just({"type": "json_schema", "json_schema": {"schema": {"a": 1}}}),
    "reasoning_effort": st.sampled_from(["low", "high", "extreme", "minimal", None]),
    "service_tier": st.sampled_from(["auto", "flex", "priority", None, 3]),
    "logprobs": st.booleans(),
    "previous_response_id": st.sampled_from(["resp_1", None]),
    "instructions": _CONTENTS,
    "temperature": st.just(0),
}
_DOCUMENTS = st.one_of(
    st.fixed_dictionaries({"messages": _MESSAGES}, optional=_BESIDE),
    st.fixed_dictionaries({"input": _MESSAGES | _TEXTS}, optional=_BESIDE),
    st.fixed_dictionaries({"prompt": _TEXTS | st.lists(_TEXTS, max_size=3)}, optional=_BESIDE),
)


@pytest.fixture(scope="session")
def at_once(compiled: ModuleType | None) -> AtOnce:
    if compiled is None:
        pytest.skip("no C compiler here")
    return reader(compiled, Tokenizer(compiled.Encoder), Difficulty.load(), PRIORS)


@pytest.fixture(scope="session")
def step_by_step(tokenizer: Tokenizer) -> Assessor:
    return Assessor(tokenizer, Difficulty.load(), PRIORS)


@settings(max_examples=400)
@given(document=_DOCUMENTS)
def test_every_document_is_what_python_says_or_left_to_it(
    at_once: AtOnce, step_by_step: Assessor, document: dict[str, Any]
) -> None:
    seen, again = at_once(document), at_once(document)

    assert seen in (None, step_by_step.assess(document))
    assert seen == again


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"messages": []},
        {"messages": chat("Hello!")},
        {"messages": chat(PROSE), "max_tokens": 9, "n": 3},
        {"messages": chat(PROSE, "Yes.", "and why?")},
        {"messages": chat("Докажите, что корней нет.", "Да.", "почему?")},
        {"messages": chat(PROSE * 40, "Yes.", "thanks")},
        {"messages": chat(*["Write a poem of 200 words"] * 13), "tools": [{"name": "f"}]},
        {"messages": chat("Ответь мне, пожалуйста. " + "Сколько будет дважды два? " * 16_000)},
        {"messages": chat("Say what this means, please, word by word. " + "naïve " * 60_000)},
        {
            "messages": chat("What do they mean, all of them? " + "🙂🙂🙂 " * 9_000),
            "response_format": {"type": "json_schema"},
        },
        {"input": PROSE, "instructions": "You classify.\n- a\n- b", "reasoning": {"effort": "low"}},
        {"prompt": [PROSE, STEPS], "best_of": 500},
    ],
)
def test_ordinary_calls_are_assessed_at_once(
    at_once: AtOnce, step_by_step: Assessor, document: dict[str, Any]
) -> None:
    seen = at_once(document)

    assert seen == step_by_step.assess(document)
    assert type(seen) is type(step_by_step.assess(document))


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}],
        [{"type": "sketch"}],
        "half \ud800 a pair",
        "in\u200bvisible",
        7,
    ],
)
def test_what_is_not_ordinary_is_left_to_python(at_once: AtOnce, content: object) -> None:
    assert at_once({"messages": [{"role": "user", "content": content}]}) is None


def test_texts_that_push_one_another_out_of_the_memory_are_counted_again(
    at_once: AtOnce, step_by_step: Assessor
) -> None:
    calls = [{"messages": chat(f"Explain the number {n}, please.")} for n in range(3_000)]

    first = [at_once(call) for call in calls]

    assert [at_once(call) for call in calls] == first
    assert first[-1] == step_by_step.assess(calls[-1])


def test_a_reader_needs_all_its_figures(compiled: ModuleType | None) -> None:
    if compiled is None:
        pytest.skip("no C compiler here")

    for wrong in ((), (1, 2, 3), ((), (), ())):
        with pytest.raises(TypeError):
            compiled.Reader(*wrong)
