import orjson
import pytest
from hypothesis import given, settings, strategies as st

from gateway.catalog import Secret
from gateway.observe.text import Scrubber, in_json, on_a_line

OURS = Secret("upstream-password-1")
scrub = Scrubber([OURS, Secret("upstream-password-1-longer"), Secret("")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key upstream-password-1 is wrong", "key *** is wrong"),
        ("(upstream-password-1-longer)", "(***)"),
        ("upstream-password-1", "***"),
        ("Incorrect API key provided: sk-proj-Ab3_x-9Zz8.", "Incorrect API key provided: ***."),
        ("key=sk-1234567890&x", "key=***&x"),
        ("tg-0123456789abcdef", "***"),
        ("_sk-1234567890", "_***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("bearer\tabcdefgh=", "bearer ***"),
        ("b'BEARER abcdefgh'", "b'BEARER ***'"),
    ],
)
def test_what_is_or_looks_like_a_key_is_hidden(text: str, expected: str) -> None:
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text", ["task-oriented-dialogue", "sk-short", "gpt-4.1-mini", "a bearer of news", "", "risk-x"]
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert scrub(text) == text


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_text_around_a_secret_uncovers_it(before: str, after: str) -> None:
    assert OURS.reveal() not in scrub(before + OURS.reveal() + after)


def test_hiding_takes_time_in_proportion_to_the_text() -> None:
    hostile = "bearer" + " " * 200_000 + "sk-" * 100_000 + "bearer " * 50_000

    assert scrub(hostile)


def test_a_line_cannot_be_forged_or_act_on_a_terminal() -> None:
    hostile = 'gpt\r\n{"level":"info"}\x1b[2J\x9b1m\x7f\u2028\u202egnp.exe\ud800 é→'

    assert on_a_line(hostile) == (
        'gpt\\x0d\\x0a{"level":"info"}\\x1b[2J\\x9b1m\\x7f\\u2028\\u202egnp.exe\\ud800 é→'
    )


@settings(deadline=None)
@given(st.text(st.characters()))
def test_whatever_a_text_holds_it_stays_one_line(text: str) -> None:
    assert len(f"<{on_a_line(text)}>".splitlines()) == 1
    on_a_line(text).encode()


@settings(deadline=None)
@given(st.text(st.characters()))
def test_whatever_a_text_holds_json_can_carry_it_on_one_line(text: str) -> None:
    line = orjson.dumps(in_json(text)).decode()

    assert len(line.splitlines()) == 1
    if text.isascii() and "\x7f" not in text:
        assert orjson.loads(line) == text
