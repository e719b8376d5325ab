import json
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from gateway.wire.body import _edited, _replace, _spelled, read, rewrite
from gateway.wire.members import Edit, members, splice
from tests.wire.spelling import NAMES, SPACE, TEXT, Spelled, member, object_of, pairs

TOP_NAMES = st.one_of(NAMES, st.sampled_from(["cache", "messages", "Model"]), TEXT)
MEMBERS = st.lists(member(TOP_NAMES), max_size=6)
PLAIN_MODEL = member(st.just("model"), TEXT)


@settings(deadline=None)
@given(MEMBERS, SPACE)
def test_every_top_level_model_is_replaced_and_no_other_byte(
    spelled: list[Spelled], outer: str
) -> None:
    body = object_of(spelled, outer.encode())

    found = rewrite(body, read(body), model="gpt-4.1-nano")

    renamed = [
        Spelled(m.name, m.value, m.key, m.colon, b'"gpt-4.1-nano"', m.before, m.after)
        if m.name == "model"
        else m
        for m in spelled
    ]
    assert found == object_of(renamed, outer.encode())


@settings(deadline=None)
@given(MEMBERS, PLAIN_MODEL, st.integers(0, 6))
def test_the_fast_way_does_what_the_scan_does(
    spelled: list[Spelled], model: Spelled, at: int
) -> None:
    body = object_of([*spelled[:at], model, *spelled[at:]])
    document = read(body)

    scanned = _edited(body, (), {"model": partial(_replace, _spelled("m"))}, [])
    assert rewrite(body, document, model="m") == scanned


@settings(deadline=None)
@given(MEMBERS, st.sets(st.sampled_from(["cache", "models", "messages", "usage"])))
def test_dropped_members_go_with_one_comma_each(spelled: list[Spelled], drop: set[str]) -> None:
    body = object_of(spelled)

    found = rewrite(body, read(body), model=None, drop=drop)

    kept = [m for m in spelled if m.name not in drop]
    assert pairs(found) == pairs(object_of(kept))
    position = 0
    for m in kept:
        position = found.index(m.bytes, position) + len(m.bytes)
    if len(kept) == len(spelled):
        assert found == body


OPTION_VALUES = st.one_of(
    st.none(),
    st.dictionaries(st.sampled_from(["include_usage", "other"]), st.sampled_from([True, False])),
    st.just("nonsense"),
)


@settings(deadline=None)
@given(
    st.lists(st.one_of(member(TOP_NAMES), member(st.just("stream_options"), OPTION_VALUES))),
    st.booleans(),
)
def test_a_stream_is_asked_for_its_usage(spelled: list[Spelled], rename: bool) -> None:
    body = object_of(spelled)
    document = read(body)

    found = rewrite(body, document, model="m" if rename else None, include_usage=True)

    expected: dict[str, Any] = dict(document)
    options = expected.get("stream_options")
    if options is None:
        expected["stream_options"] = {"include_usage": True}
    elif isinstance(options, dict):
        expected["stream_options"] = {**options, "include_usage": True}
    if rename and "model" in expected:
        expected["model"] = "m"
    assert json.loads(found) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"model":"a"}', b'{"stream_options":{"include_usage":true},"model":"b"}'),
        (b' { "model" : "a" } ', b' {"stream_options":{"include_usage":true}, "model" : "b" } '),
        (
            b'{"stream_options":null,"model":"a"}',
            b'{"stream_options":{"include_usage":true},"model":"b"}',
        ),
        (
            b'{"model":"a","stream_options": { } }',
            b'{"model":"b","stream_options": {"include_usage":true } }',
        ),
        (
            b'{"model":"a","stream_options":{"include_obfuscation":false}}',
            b'{"model":"b","stream_options":{"include_usage":true,"include_obfuscation":false}}',
        ),
        (
            b'{"model":"a","stream_options":{"include_usage": false , "x":1}}',
            b'{"model":"b","stream_options":{"include_usage": true , "x":1}}',
        ),
        (
            b'{"model":"a","stream_options":{"include_usage" :true}}',
            b'{"model":"b","stream_options":{"include_usage" :true}}',
        ),
        (b'{"model":"a","stream_options":7}', b'{"model":"b","stream_options":7}'),
        (b"{}", b'{"stream_options":{"include_usage":true}}'),
    ],
)
def test_asking_for_usage_is_a_minimal_splice(before: bytes, after: bytes) -> None:
    assert rewrite(before, read(before), model="b", include_usage=True) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"a":1, "cache":{} ,"b":2}', b'{"a":1, "b":2}'),
        (b'{ "cache":{},"b":2}', b'{ "b":2}'),
        (b'{"a":1 , "cache":{} }', b'{"a":1 }'),
        (b'{ "cache":{} }', b"{  }"),
        (b'{"cache":1,"cache":2,"a":3,"cache":4,"cache":5}', b'{"a":3}'),
        (b'{"c\\u0061che":[{"cache":1}],"a":{"cache":1}}', b'{"a":{"cache":1}}'),
    ],
)
def test_a_dropped_member_leaves_the_spaces_around_it(before: bytes, after: bytes) -> None:
    assert rewrite(before, read(before), model=None, drop=("cache",)) == after


def test_everything_at_once() -> None:
    body = b'{"cache":{}, "model":"auto","provider":{"sort":"price"},"messages":["\\u0060model"]}'

    found = rewrite(
        body,
        read(body),
        model="m",
        drop={"cache", "provider", "plugins"},
        include_usage=True,
        max_tokens=9,
    )

    assert found == (
        b'{"stream_options":{"include_usage":true},"max_completion_tokens":9,'
        b'"model":"m","messages":["\\u0060model"]}'
    )


def test_a_body_whose_members_all_go_can_still_be_asked_for_usage() -> None:
    found = rewrite(b'{"cache":1}', {"cache": 1}, model=None, drop=["cache"], include_usage=True)

    assert found == b'{"stream_options":{"include_usage":true}}'


@pytest.mark.parametrize("name", ['sa"y', "back\\slash", "größe", "模型", "half\ud800", "a\nb"])
def test_a_model_name_is_escaped(name: str) -> None:
    body = b'{"model":"auto"}'

    assert json.loads(rewrite(body, {"model": "auto"}, model=name)) == {"model": name}


def test_a_body_with_nothing_to_change_is_the_same_object() -> None:
    body = b'{"model":"a","stream_options":{"include_usage":true}}'

    assert rewrite(body, read(body), model=None, include_usage=True, drop=("cache",)) is body


@pytest.mark.parametrize("value", [b"7", b"null", b'["a"]', b'{"model":"x"}', b'"q\\"uote"'])
def test_a_model_of_any_kind_can_be_replaced(value: bytes) -> None:
    body = b'{"x":{"y":1},"model": ' + value + b' ,"z":[]}'

    assert rewrite(body, read(body), model="m") == b'{"x":{"y":1},"model": "m" ,"z":[]}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"n":1}', b'{"max_completion_tokens":50,"n":1}'),
        (b'{"max_tokens":51}', b'{"max_tokens":50}'),
        (b'{"max_tokens":50}', b'{"max_tokens":50}'),
        (b'{"max_tokens":1e9}', b'{"max_tokens":50}'),
        (b'{"max_tokens":"many"}', b'{"max_tokens":"many"}'),
        (b'{"max_tokens":null}', b'{"max_tokens":50}'),
        (
            b'{"max_completion_tokens":null,"max_tokens":null}',
            b'{"max_completion_tokens":50,"max_tokens":null}',
        ),
        (
            b'{"max_completion_tokens":null,"max_tokens":99}',
            b'{"max_completion_tokens":null,"max_tokens":50}',
        ),
        (
            b'{"max_completion_tokens":20,"max_tokens":99}',
            b'{"max_completion_tokens":20,"max_tokens":50}',
        ),
    ],
)
def test_an_answer_is_limited_by_the_smaller_of_two_limits(before: bytes, after: bytes) -> None:
    assert rewrite(before, read(before), model=None, max_tokens=50) == after


@settings(deadline=None, max_examples=30)
@given(MEMBERS)
def test_members_lie_where_they_are_said_to(spelled: list[Spelled]) -> None:
    body = object_of(spelled)

    for found, m in zip(members(body), spelled, strict=True):
        assert body[found.start : found.end] == m.bytes
        assert body[found.value : found.end] == m.text


def test_a_large_body_of_brackets_is_scanned_in_one_go() -> None:
    body = orjson.dumps({"a": [[]] * 100_000, "t": {"model": 1}, "model": "x" * 100_000})

    found = rewrite(body, read(body), model="m")

    assert found.endswith(b'{"model":1},"model":"m"}')


def test_edits_are_applied_in_the_order_of_their_places() -> None:
    edits = [Edit(4, 5, b"E"), Edit(0, 0, b"<"), Edit(1, 3, b"")]

    assert splice(b"abcdef", edits) == b"<adEf"
