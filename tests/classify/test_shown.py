"""A task as its reader takes it in."""

import pytest
from hypothesis import given, strategies as st

from gateway.classify.shown import LEAST, shown

PLAIN = "Explain how the tides work, and why there are two of them each day."


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "¿Cuántos días tiene una semana?",
        "Combien de jours — « une » semaine ?",
        "ありがとう、元気ですか？",
        "Сколько дней в неделе и почему?",
        "नमस्ते, आप कैसे हैं?",
        "Tiếng Việt có dấu",
        "API-интерфейс и Python",
        "λ is the rate, Δt a step",
        "a b c",
        "",
    ],
)
def test_ordinary_text_is_given_back_as_it_came(text: str) -> None:
    assert shown(text) is text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("pro\u200bve\u2060 it", "prove it"),
        ("hi\U000e0070\U000e0072\U000e006f", "hi"),
        ("\u202ehello\u202c", "hello"),
        ("h\ufe0fi\ufe0f", "hi"),
        ("Ｈｅｌｌｏ　１２", "Hello　12"),
        ("𝐇𝐞𝐥𝐥𝐨 𝟙𝟚", "Hello 12"),
        ("ⓗⓘ", "hi"),
        ("Неllо thеre", "Hello there"),
        ("h\u0301\u0323e\u0301\u0323l\u0301l\u0323o", "hello"),
        ("cafe\u0301 au lait, s'il vous plai\u0302t, et un verre", "café au lait"),
        ("GOOD MORNING, 7 UP!", "good morning, 7 up!"),
        ("g o o d   m o r n i n g", "good morning"),
        (f"{PLAIN} {PLAIN} {PLAIN}", PLAIN),
        (f"{PLAIN}\n" * 30, PLAIN),
    ],
)
def test_what_nobody_sees_or_says_twice_is_not_read(written: str, read: str) -> None:
    assert shown(written).startswith(read)
    assert len(shown(written)) <= len(written)


def test_a_text_that_only_begins_alike_is_not_said_twice() -> None:
    verse = "The first of the days is grey; " + "the first of the days is long " * 1 + "."
    text = f"{verse} {verse[:LEAST]} and something else altogether follows here now."

    assert shown(text) is text


def test_an_accent_that_stands_alone_joins_its_letter() -> None:
    assert shown("cafe\u0301 for the two of us") == "café for the two of us"


@given(st.text(max_size=300))
def test_any_text_is_shown_and_showing_is_bounded(text: str) -> None:
    assert len(shown(text)) <= 18 * len(text)
