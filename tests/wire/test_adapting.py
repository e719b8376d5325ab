"""What is changed for a model that does not take all parameters, and that nothing else is."""

import json

import orjson
import pytest
from hypothesis import given, strategies as st

from gateway.call import NO_WISHES, Call
from gateway.catalog import ALL_PARAMETERS, Parameters
from gateway.wire.adapting import adapt
from gateway.wire.responses.view import view

SAMPLING = frozenset({"temperature", "top_p", "logprobs"})
NEVER = Parameters(limit="max_completion_tokens", drops=SAMPLING)
IF_QUIET = Parameters(drops_reasoning=SAMPLING, tools_without_reasoning=True)
UNASKED = Parameters(drops_reasoning=SAMPLING, tools_without_reasoning=True, reasons=False)
OLD = Parameters(limit="max_tokens", role="system", stream_options=False)
MANY = b"""{"messages":[1,{"role": "ROLE","content":"\\"role\\":\\"developer\\""},
{"content":"x","role":"ODD"},{"role":"user"}],
"max_completion_tokens":9,"stream_options":{"include_usage":true}}"""


def asked(body: bytes, api: str = "chat") -> Call:
    document = orjson.loads(body)
    chat = None if api == "chat" else view(document)
    return Call("id", body, document, "auto", False, False, NO_WISHES, (), 0.0, api=api, view=chat)


@pytest.mark.parametrize(
    ("takes", "body", "sent", "words"),
    [
        (
            NEVER,
            b'{"model":"auto", "temperature" : 0.2,"max_tokens" : 5 ,"messages":[ ]}',
            b'{"model":"auto", "max_completion_tokens" : 5 ,"messages":[ ]}',
            ("temperature left out", "max_tokens sent as max_completion_tokens"),
        ),
        (NEVER, b'{"messages":[],"top_p":0.5}', b'{"messages":[]}', ("top_p left out",)),
        (NEVER, b'{"temperature":0}', b"{}", ("temperature left out",)),
        (
            NEVER,
            b'{"max\\u005ftokens":5,"max_tokens":6}',
            b'{"max_completion_tokens":5,"max_completion_tokens":6}',
            ("max_tokens sent as max_completion_tokens",),
        ),
        (IF_QUIET, b'{"top_p":0.1}', b"{}", ("top_p left out",)),
        (IF_QUIET, b'{"top_p":0.1,"reasoning_effort":"none"}', None, ()),
        (UNASKED, b'{"top_p":0.1}', None, ()),
        (
            UNASKED,
            b'{"top_p":0.1,"reasoning_effort":"low"}',
            b'{"reasoning_effort":"low"}',
            ("top_p left out",),
        ),
        (
            IF_QUIET,
            b'{"top_p":0.1,"tools":[{}]}',
            b'{"reasoning_effort":"none","top_p":0.1,"tools":[{}]}',
            ("reasoning_effort none, as there are tools",),
        ),
        (
            IF_QUIET,
            b'{"tools":[{}],"reasoning_effort": "high"}',
            b'{"tools":[{}],"reasoning_effort": "none"}',
            ("reasoning_effort none, as there are tools",),
        ),
        (UNASKED, b'{"tools":[{}]}', None, ()),
        (
            OLD,
            MANY.replace(b"ROLE", b"developer").replace(b"ODD", b"dev\\u0065loper"),
            MANY.replace(b"ROLE", b"system")
            .replace(b"ODD", b"system")
            .replace(b"max_completion_tokens", b"max_tokens")
            .replace(b',"stream_options":{"include_usage":true}', b""),
            (
                "stream_options left out",
                "max_completion_tokens sent as max_tokens",
                "role developer sent as system",
            ),
        ),
        (Parameters(role="developer"), b'{"messages":{"role":"system"}}', None, ()),
        (
            Parameters(role="developer"),
            b'{"messages":[{"role":"system"}]}',
            b'{"messages":[{"role":"developer"}]}',
            ("role system sent as developer",),
        ),
    ],
)
def test_only_what_a_model_would_refuse_is_changed(
    takes: Parameters, body: bytes, sent: bytes | None, words: tuple[str, ...]
) -> None:
    adapted = adapt(asked(body), takes)

    assert adapted.body == (body if sent is None else sent)
    assert adapted.document == orjson.loads(adapted.body)
    assert adapted.words == words


@pytest.mark.parametrize(
    "body",
    [
        b'{"temperature":1.0,"top_p":1,"logprobs":false}',
        b'{"temperature":null,"max_tokens":null}',
        b'{"max_tokens":5,"max_completion_tokens":6}',
        b'{"max_completion_tokens":5}',
    ],
)
def test_what_no_model_refuses_or_the_caller_contradicts_stays(body: bytes) -> None:
    assert adapt(asked(body), NEVER).body == body


def test_on_the_responses_api_only_members_are_left_out() -> None:
    body = b'{"input":"x","temperature":0.5,"max_tokens":3,"tools":[{"type":"function"}]}'

    adapted = adapt(asked(body, "responses"), IF_QUIET)
    quiet = b'{"input":"x","temperature":0.5,"reasoning":{"effort":"none"}}'

    assert adapted.body == b'{"input":"x","max_tokens":3,"tools":[{"type":"function"}]}'
    assert adapt(asked(quiet, "responses"), IF_QUIET).body == quiet


NAMES = st.sampled_from(
    ("temperature", "top_p", "max_tokens", "max_completion_tokens", "tools", "x", "messages")
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("role"), inner, max_size=1),
    max_leaves=6,
)


@given(
    st.dictionaries(NAMES, VALUES, max_size=6),
    st.sampled_from((NEVER, IF_QUIET, UNASKED, OLD, ALL_PARAMETERS)),
    st.sampled_from((None, 1)),
)
def test_whatever_is_sent_is_what_was_meant_and_the_rest_keeps_its_bytes(
    document: dict[str, object], takes: Parameters, indent: int | None
) -> None:
    body = json.dumps(document, indent=indent).encode()

    adapted = adapt(asked(body), takes)

    seen = json.loads(adapted.body)
    assert seen == adapted.document
    assert (adapted.body == body) == (not adapted.words)
    for name in set(document) - {"messages", "max_tokens", "max_completion_tokens"}:
        assert seen.get(name, document[name]) == document[name]
