from typing import Any

import pytest

from gateway.wire.template import Template, learn
from tests.wire.streams import chunk, frame, unasked, word


def learnt(document: dict[str, Any], chars: int) -> Template | None:
    return learn(frame(document), frame(unasked(document)), chars)


def other(template: Template | None, data: bytes) -> tuple[bytes, int, int]:
    assert template is not None
    return template.run(data)


def test_frames_that_differ_in_their_text_are_alike() -> None:
    template = learnt(word("hello", usage=None, obfuscation="aB1"), 5)
    data = frame(word("ä\n", usage=None, obfuscation="")) + frame(
        word("", usage=None, obfuscation="longer9")
    )

    sent = frame(word("ä\n", obfuscation="")) + frame(word("", obfuscation="longer9"))
    assert other(template, data) == (sent, 2, len(data))


def test_a_run_ends_where_a_frame_differs_or_is_cut() -> None:
    template = learnt(word("hello"), 5)
    one = frame(word("one"))

    for end in (frame(chunk({}, "stop")), one[:-1], one[:-30], one[: one.index(b"one") + 1], b""):
        assert other(template, one + one + end) == (one + one, 6, len(one) * 2)


@pytest.mark.parametrize(
    "text",
    [b'a"b', b"a\\", b"\\x", b"\\u12", b"\xff", b"\xed\xa0\x80", b"a\nb", b"\x01", b"\\ud83d"],
)
def test_text_that_is_no_string_or_half_a_pair_is_left_to_the_parser(text: bytes) -> None:
    template = learnt(word("hello"), 5)

    assert other(template, frame(word("hello")).replace(b"hello", text)) == (b"", 0, 0)


@pytest.mark.parametrize("letters", [b"a-b", b'a"b', b"\\n", b"\xc3\xa4", b"a b"])
def test_padding_is_letters_and_nothing_else(letters: bytes) -> None:
    document = word("hello", obfuscation="LETTERS")

    assert other(learnt(document, 5), frame(document).replace(b"LETTERS", letters))[2] == 0


def test_the_same_other_texts_count_in_every_frame() -> None:
    document = chunk({"content": "so", "reasoning_content": "hello"})
    template = learnt(document, 7)
    data = frame(chunk({"content": "now", "reasoning_content": "hello"}))

    assert other(template, data) == (data, 8, len(data))


@pytest.mark.parametrize("frame_of", [frame, lambda d: frame(dict(sorted(d.items())))])
def test_arguments_of_a_tool_are_text_too(frame_of: Any) -> None:
    def document(text: str) -> dict[str, Any]:
        return chunk({"tool_calls": [{"index": 0, "function": {"arguments": text}}]})

    data = frame_of(document('{"a":'))
    template = learn(frame_of(document("hello")), frame_of(document("hello")), 5)

    assert other(template, data) == (data, 5, len(data))


@pytest.mark.parametrize(
    ("data", "chars"),
    [
        (frame(word("")), 0),
        (frame({"x": {"content": "hello"}, **word("hi")}), 2),
        (frame({"x": {"content": "hello"}, "choices": []}), 0),
        (frame(word("hi")).replace(b'"content":"', b'"content": "'), 2),
        (frame(word("x\ud83d")), 2),
        (frame(word("hi")).replace(b'"delta"', b'"delta":{"content":"a"},"delta"'), 2),
    ],
)
def test_a_string_that_is_not_surely_text_makes_no_template(data: bytes, chars: int) -> None:
    assert learn(data, data, chars) is None


def test_a_frame_cut_before_its_text_or_in_two_places_makes_no_template() -> None:
    document = word("hello", obfuscation="aB1")
    bare = frame(document)
    before = bare.replace(b'{"id"', b'{"usage":null,"id"')
    twice = bare.replace(b',"obf', b',"usage":null,"obf').replace(b"}\n\n", b',"usage":null}\n\n')

    assert learn(before, bare, 5) is None
    assert learn(twice, bare, 5) is None
