from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.catalog import Capability
from gateway.classify.assess import Assessor
from gateway.classify.cues import script_of
from gateway.classify.tokens import Tokenizer
from tests.classify.assessing import PROSE, STEPS, Even, chat
from tests.classify.documents import (
    COOKBOOK_CHAT,
    COOKBOOK_TOOLS,
    WEATHER,
    ask,
)


# ── length ───────────────────────────────────────────────────────────────────
def test_a_short_plain_prompt_is_counted_exactly(assessor: Assessor) -> None:
    found = assessor.assess(ask("hello world"))

    assert found.text_tokens == 2 + 1 + 3 + 3
    assert found.text_bounds == (9, 9)
    assert assessor.count(ask("hello world")) == 9


def test_the_cookbook_example_is_counted_and_estimated(assessor: Assessor) -> None:
    found = assessor.assess(COOKBOOK_CHAT)

    assert assessor.count(COOKBOOK_CHAT) == 124
    assert found.text_bounds[0] < 124 < found.text_bounds[1]
    assert abs(found.text_tokens - 124) <= 20


def test_tools_are_counted_by_the_published_formula(assessor: Assessor) -> None:
    found = assessor.assess(COOKBOOK_TOOLS)

    assert assessor.count(COOKBOOK_TOOLS) == 101
    assert found.text_bounds[0] < 101 < found.text_bounds[1]
    assert abs(found.text_tokens - 101) <= 15


def test_a_schema_is_counted_too(assessor: Assessor) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    document = ask("Where?", response_format=form)

    assert assessor.count(document) > assessor.count(ask("Where?")) + 6
    assert assessor.assess(document).text_tokens > assessor.assess(ask("Where?")).text_tokens


@pytest.mark.parametrize(
    "text",
    [
        PROSE * 400,
        "def add(a, b):\n    return a + b\n\n" * 500,
        "请解释潮汐是如何运作的，为什么每天有两次潮汐，而月亮只在地球的一侧。" * 200,
        '{"id":17,"price":23.5,"tags":[1,2,3]},' * 400,
    ],
    ids=["prose", "code", "chinese", "json"],
)
def test_a_long_prompt_is_estimated_within_a_tenth(assessor: Assessor, text: str) -> None:
    exact = assessor.count(ask(text))

    found = assessor.assess(ask(text))

    assert found.text_bounds[0] <= exact <= found.text_bounds[1]
    assert found.text_bounds[0] < found.text_bounds[1]
    assert abs(found.text_tokens - exact) <= exact / 10


def test_a_long_chat_is_estimated_within_a_tenth(assessor: Assessor) -> None:
    document = {"messages": chat(*[PROSE * 6] * 30)}

    assert abs(assessor.assess(document).text_tokens / assessor.count(document) - 1) < 0.1


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(st.text(max_size=800), min_size=1, max_size=8), data=st.data())
def test_the_exact_count_lies_within_the_bounds(
    tokenizer: Tokenizer, texts: list[str], data: st.DataObject
) -> None:
    assessor = Assessor(tokenizer, Even())
    tools = [WEATHER] * data.draw(st.integers(0, 2))
    document = {"messages": chat(*texts), "tools": tools}

    low, high = assessor.assess(document).text_bounds

    assert low <= assessor.count(document) <= high


def test_counting_stops_above_a_limit(assessor: Assessor) -> None:
    document = {"messages": chat(*[PROSE * 2_000] * 4)}
    whole = assessor.count(document)

    assert 1_000 < assessor.count(document, stop_above=1_000) < whole / 4
    assert assessor.count(document, stop_above=whole) == whole


def test_files_and_unknown_parts_widen_the_bounds(assessor: Assessor) -> None:
    part = {"type": "file", "file": {"file_data": "A" * 16_000}}
    found = assessor.assess({"messages": [{"role": "user", "content": [part]}]})

    assert found.text_bounds[1] > 16_000
    assert 900 < found.text_tokens < 1_200


# ── completion ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("document", "expected", "allowed"),
    [
        (ask("hi there!"), 30, None),
        (ask("Tell me about tides."), 300, None),
        (ask("Tell me about tides.", max_tokens=50), 50, 50),
        (ask("Tell me about tides.", max_completion_tokens=60, max_tokens=50), 60, 60),
        ({"input": "Tell me about tides.", "max_output_tokens": 70}, 70, 70),
        (ask("Tell me about tides.", max_tokens=50, n=3), 150, 150),
        (ask("Tell me about tides.", n=10**30), 300 * 128, None),
        (ask("Tell me about tides.", n=True, best_of=2), 600, None),
        (ask("Tell me about tides.", max_tokens=0), 300, None),
        (ask("Tell me about tides.", max_tokens=True), 300, None),
        (ask("Tell me about tides.", max_tokens="9"), 300, None),
        (ask("Tell me about tides.", max_tokens=9), 9, 9),
        (ask("Classify the sentiment: what a day!"), 10, None),
        (ask("Write an essay on tides."), 1_000, None),
        (ask("Write an essay of 2000 words on tides."), 2_700, None),
        (ask("请写一篇800字的作文"), 1_080, None),
        (ask("Write a python function that adds."), 700, None),
        (ask("Prove that there is no largest prime."), 900, None),
        (ask("Weather?", tools=[WEATHER]), 120, None),
        (ask("Weather?", response_format={"type": "json_schema", "json_schema": {}}), 60, None),
        (ask("Tell me about tides.", reasoning_effort="low"), 600, None),
        (ask("Tell me about tides.", reasoning={"effort": "max"}), 6_300, None),
    ],
)
def test_the_answers_length_is_expected_from_what_is_asked(
    assessor: Assessor, document: dict[str, Any], expected: int, allowed: int | None
) -> None:
    found = assessor.assess(document)

    assert (found.completion_tokens, found.max_completion) == (expected, allowed)


def test_a_translation_is_as_long_as_its_text(assessor: Assessor) -> None:
    short = assessor.assess(ask("Translate into German: " + PROSE))
    long = assessor.assess(ask("Translate into German: " + PROSE * 100))

    assert short.completion_tokens == pytest.approx(40, abs=5)
    assert long.completion_tokens == pytest.approx(long.text_tokens, rel=0.1)


# ── signals ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (ask("Tell me about tides."), ()),
        (ask("Hello there!"), ("greeting",)),
        (ask("你好！"), ("greeting", "Han script")),
        (ask("¡Hola, buenos días!"), ("greeting",)),
        (ask("Prove that 2 is prime."), ("asks for a proof",)),
        (ask("Demuestra que no existe un primo máximo."), ("asks for a proof",)),
        (ask("请证明不存在最大的素数"), ("asks for a proof", "Han script")),
        (ask("Докажите, что простых чисел много."), ("asks for a proof", "Cyrillic script")),
        (ask("Fix the bug in this lock-free queue"), ("concurrency",)),
        (ask("这个无锁队列的代码有错误"), ("concurrency", "Han script")),
        (ask("Translate the proof into French."), ("translation",)),
        (ask("Classify this code."), ("classification",)),
        (ask("Write a Python script to classify mail."), ("code",)),
        (ask("Is it spam?", max_tokens=1), ("classification",)),
        (ask("Which one?", max_tokens=1), ("short answer",)),
        (ask("Why?\n```\nx\n```"), ("code",)),
        (ask("Explain: int f(){ return g(); }"), ("code",)),
        (ask("Explain: f(x) = 2"), ()),
        (ask("Summarize this:\n```\nx\n```"), ("summary", "code")),
        (ask("Who? What? When? Where?"), ("many demands",)),
        (ask(STEPS), ("many demands",)),
        (ask(STEPS.replace("\n4. close", "")), ()),
        (ask("Weather?", tools=[WEATHER]), ("1 tool",)),
        (ask("Weather?", tools=[WEATHER] * 12), ("12 tools",)),
        (ask("x", response_format={"type": "json_schema"}), ("json schema",)),
        (ask("καλημέρα κόσμε"), ("Greek script",)),
        ({"input": "go on", "conversation": "c"}, ("stored conversation",)),
        ({"messages": chat(*["more"] * 27)}, ("multi-turn 14",)),
        (ask("word " * 70_000), ("long context 70k",)),
    ],
)
def test_signals_are_facts_in_words(
    assessor: Assessor, document: dict[str, Any], words: tuple[str, ...]
) -> None:
    assert assessor.assess(document).signals == words


def test_what_a_call_carries_is_said_too(assessor: Assessor) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA"}}
    parts = [{"type": "text", "text": "Compare them."}, image, image, image, audio]
    rounds = [
        {"role": "user", "content": parts},
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
    ]

    assert assessor.assess({"messages": rounds}).signals == (
        "tool results",
        "3 images",
        "audio or files",
    )
    single = assessor.assess({"messages": [{"role": "user", "content": [image]}]})
    assert single.signals == ("1 image",)
    assert single.needs == Capability.VISION
    assert len(single.images) == 1


def test_a_system_prompt_may_define_small_work(assessor: Assessor) -> None:
    def with_system(text: str) -> tuple[str, ...]:
        messages = [{"role": "system", "content": text}, *chat("The food was cold.")]
        return assessor.assess({"messages": messages}).signals

    assert with_system("Classify the sentiment of reviews.") == ("classification",)
    assert with_system("You prove theorems and write code.") == ()


def test_the_script_is_that_of_most_letters() -> None:
    assert script_of("naïve café") == ""
    assert script_of("…—“”") == ""
    assert script_of("Erkläre 的 bitte noch einmal genau") == ""
    assert script_of("潮汐 tides") == ""
    assert script_of("ありがとうございます") == "Kana"
    assert script_of("ช่วยอธิบาย") == "Thai"


def test_only_so_much_of_a_text_is_looked_at(assessor: Assessor) -> None:
    buried = "lorem ipsum " * 60 + "prove it" + " dolor sit" * 60

    assert assessor.assess(ask(buried)).signals == ()
