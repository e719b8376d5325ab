"""What a token looks like to training."""

import pytest

from gateway.learn.vectors import TABLE, glosses, script, surface, token_texts


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" prime", "latin"),
        ("42", "latin"),
        ("número", "latin extended"),
        ("证明", "CJK"),
        ("ありがとう", "HIRAGANA"),
        ("Докажите", "CYRILLIC"),
        ("\ufffd", "bytes"),
        ("ⴰ", "other"),
    ],
)
def test_a_token_has_a_script(text: str, name: str) -> None:
    assert script(text) == name


def test_surface_facts_are_facts() -> None:
    digits, bracket, word = surface("42", 1), surface(" (", 2), surface(" Prove", 3)

    assert [digits[0], bracket[0], word[0]] == [True, False, False]
    assert [digits[11], bracket[11], word[11]] == [False, True, False]
    assert [digits[6], bracket[6], word[6]] == [False, True, True]
    assert word[4]
    assert not surface("", 4)[11]


def test_every_id_has_a_text() -> None:
    texts = token_texts()

    assert len(texts) == TABLE
    assert texts[:3] == ["!", '"', "#"]


def test_glosses_give_ten_languages_an_english_meaning() -> None:
    found = dict(glosses())

    assert found["证明"] in {"prove", "proof"}
    assert found["demuestra"] == "prove"
    assert len(glosses()) % 10 == 0
