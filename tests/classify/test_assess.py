import hashlib
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.call import Assessment
from gateway.catalog import Capability
from gateway.classify import signals
from gateway.classify.assess import Assessor
from gateway.classify.cues import Kind, script_of
from gateway.classify.prompt import measure
from gateway.classify.signals import Signals
from gateway.classify.tokens import Tokenizer
from tests.classify.documents import (
    ANY_DOCUMENT,
    COOKBOOK_CHAT,
    COOKBOOK_TOOLS,
    WEATHER,
    ask,
    nested,
)

PROSE = "Explain how the tides work, and why there are two of them each day. "
_SMALL_WORK = st.sampled_from(
    ["Classify the text.", "Translate it.", "You are kind.", "Prove it.", "x" * 600, "翻译"]
)
UNMOVED = (0.6, 0.7, 0.8)


class Even:
    """Finds everything equally difficult, and remembers what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def estimate(self, ids: Any, task: str) -> tuple[float, float, float]:
        self.asked.append((len(ids), task))
        return UNMOVED


@pytest.fixture
def even() -> Even:
    return Even()


@pytest.fixture
def assessor(tokenizer: Tokenizer, even: Even) -> Assessor:
    return Assessor(tokenizer, even)


def chat(*turns: str) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]


def near(quality: tuple[float, float, float], expected: tuple[float, float, float]) -> bool:
    return all(abs(a - b) < 1e-9 for a, b in zip(quality, expected, strict=True))


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


def test_long_bodies_belong_in_a_thread(assessor: Assessor) -> None:
    assert not assessor.is_long(64 * 1024)
    assert assessor.is_long(64 * 1024 + 1)


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

STEPS = "Do this:\n1. open\n2. read\n3. write\n4. close"


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


# ── quality ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("document", "quality"),
    [
        (ask("Tell me about tides."), UNMOVED),
        (ask("hi"), (0.74, 0.77, 0.8)),
        (ask("Classify it."), (0.66, 0.73, 0.8)),
        (ask("Weather?", tools=[WEATHER]), (0.8 * 0.23, 0.8 * 0.77, 0.8)),
        (ask("潮汐是什么"), (0.5, 0.65, 0.8)),
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

    assert 0 < Assessor(tokenizer, Easy()).assess(document).score <= 0.9 * 0.19 + 1e-9
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
    assessor.assess(ask(PROSE * 1_000))

    tokens, task = even.asked[0]
    assert len(task) == 2_000
    assert tokens < 600


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
