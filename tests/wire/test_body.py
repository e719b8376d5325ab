import json
import math

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from gateway.errors import MalformedBody
from gateway.wire.body import read
from gateway.wire.reader import MAX_DEPTH
from tests.wire.spelling import VALUES

HALF = b'"\\ud83d"'


def nested(levels: int, leaf: bytes = b"1") -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + leaf + b"]" * (levels - 1) + b"}"


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES))
def test_any_object_is_read_as_the_standard_library_reads_it(document: dict[str, object]) -> None:
    assert read(json.dumps(document).encode()) == document


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text()))
def test_half_surrogate_pairs_survive_in_keys_and_values(document: dict[str, str]) -> None:
    assert read(json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":01}',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":1} x',
        b'{"a":1}\x00',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\\ud8zz"}',
        b"not json",
    ],
)
def test_what_is_no_json_is_refused_also_beside_half_a_surrogate_pair(broken: bytes) -> None:
    beside = broken.replace(b"{", b'{"h":' + HALF + b",", 1)

    for body in (broken, beside):
        with pytest.raises(MalformedBody, match=r"JSON body of your request: .+\."):
            read(body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[]", "an array"),
        (b'"text"', "a string"),
        (HALF, "a string"),
        (b"12", "a number"),
        (b"1.5", "a number"),
        (b"true", "a boolean"),
        (b"null", "null"),
        (b"[" + HALF + b"]", "an array"),
    ],
)
def test_a_body_that_is_no_object_is_told_what_it_is(body: bytes, kind: str) -> None:
    with pytest.raises(MalformedBody, match=f"must be an object, not {kind}"):
        read(body)


def test_a_refusal_says_where() -> None:
    with pytest.raises(MalformedBody, match="line 2, column"):
        read(b'{\n"a":tru}')
    with pytest.raises(MalformedBody, match="invalid UTF-8 at byte 6"):
        read(b'{"a":"\xff"}')
    with pytest.raises(MalformedBody, match="line 1, column 2"):
        read(b'{"a":"\\ud800","b":  tru}')


@pytest.mark.parametrize("leaf", [b"1", HALF])
@pytest.mark.parametrize("padding", [b"", b" " * 2000])
def test_nesting_is_read_to_the_limit_and_refused_beyond(leaf: bytes, padding: bytes) -> None:
    assert "a" in read(nested(MAX_DEPTH, leaf) + padding)

    for levels in (MAX_DEPTH + 1, 500, 2000, 200_000):
        with pytest.raises(MalformedBody):
            read(nested(levels, leaf) + padding)


def test_many_brackets_in_text_or_side_by_side_are_no_nesting() -> None:
    body = orjson.dumps({"text": "[{" * 400, "list": [[]] * 400})

    assert read(body)["text"] == "[{" * 400


def test_objects_count_as_levels_too() -> None:
    deep = b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1)

    with pytest.raises(MalformedBody, match="128 levels"):
        read(deep)


@pytest.mark.parametrize("beside", [b"", b',"h":' + HALF])
@pytest.mark.parametrize(
    ("digits", "value"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"18446744073709551616", 18446744073709551616.0),
        (b"-9223372036854775809", -9223372036854775809.0),
        (b"9" * 300, float("9" * 300)),
    ],
)
def test_integers_beyond_64_bits_are_floats(digits: bytes, value: float, beside: bytes) -> None:
    found = read(b'{"a":' + digits + beside + b"}")["a"]

    assert found == value
    assert type(found) is type(value)
    assert math.isfinite(found)


def test_of_a_name_given_twice_the_last_counts() -> None:
    assert read(b'{"a":1,"a":2}') == {"a": 2}
    assert read(b'{"a":1,"a":' + HALF + b"}") == {"a": "\ud83d"}
