"""Bad credentials are found at start and never shown."""

import pytest
from hypothesis import given, strategies as st

from gateway.catalog import Secret
from gateway.settings import keys

GOOD = [
    "sk-proj-Ab12_your9xYz-Ab12",  # a random key may contain any letters in a row
    "sk-test",
    "EMPTY",
    "dummy",
    "abc123",
    "org/key+with=padding==",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_key_is_taken_as_it_is(text: str) -> None:
    assert keys.key(text).reveal() == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("sk-abc\n", "line break"),
        ("sk abc", "space"),
        ("\tsk-abc", "space"),
        ("sk-abc\u200b", "characters"),
        ("sk-аbc", "characters"),
        ("sk-abc\x00", "characters"),
        ("'sk-abc'", "quotes"),
        ('"sk-abc', "quotes"),
        ("x" * 5000, "too long"),
        ("your-api-key", "placeholder"),
        ("sk-your_key_here", "placeholder"),
        ("YOUR_OPENAI_KEY", "placeholder"),
        ("changeme", "placeholder"),
        ("sk-...", "placeholder"),
        ("sk-xxxxxxxx", "placeholder"),
        ("<key>", "placeholder"),
        ("{{openai_key}}", "placeholder"),
        ("$OPENAI_API_KEY", "placeholder"),
        ("********", "placeholder"),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_showing_it(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        keys.key(text)

    assert len(text) < 5 or text not in str(refused.value)


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="must be text"):
        keys.key(12345)


def test_a_secret_is_left_as_it_is() -> None:
    assert keys.key(Secret("sk-abc")) == Secret("sk-abc")


@given(
    st.text(
        st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
        min_size=20,
    )
)
def test_no_random_key_is_mistaken_for_a_placeholder(random: str) -> None:
    if len(set(random)) > 2:
        assert keys.ill(f"sk-{random}") == ""
