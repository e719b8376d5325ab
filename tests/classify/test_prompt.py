import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings

from gateway.call import ImageSize
from gateway.catalog import Capability
from gateway.classify.functions import pieces, schema_pieces, utf8_length, weigh
from gateway.classify.prompt import Prompt, measure
from gateway.classify.tokens import Tokenizer
from tests.classify.documents import (
    ANY_DOCUMENT,
    ANYTHING,
    COOKBOOK_CHAT,
    COOKBOOK_TOOLS,
    WEATHER,
    ask,
    nested,
)

PNG = (
    "data:image/png;base64,"
    + base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480)).decode()
)


def said(role: str, content: Any, **more: Any) -> Prompt:
    return measure({"messages": [{"role": role, "content": content, **more}]})


def test_a_chat_costs_what_the_cookbook_says(tokenizer: Tokenizer) -> None:
    prompt = measure(COOKBOOK_CHAT)

    assert prompt.overhead + sum(map(tokenizer.count, prompt.texts)) == 124
    assert prompt.plain


def test_tools_cost_what_the_cookbook_says(tokenizer: Tokenizer) -> None:
    prompt = measure(COOKBOOK_TOOLS)
    texts, overhead = pieces(COOKBOOK_TOOLS["tools"])

    total = prompt.overhead + overhead + sum(map(tokenizer.count, (*prompt.texts, *texts)))

    assert total == 101
    assert not prompt.plain
    assert prompt.tools == 1


def test_tools_are_read_nested_flat_and_bare() -> None:
    function = WEATHER["function"]

    assert pieces([WEATHER]) == pieces([function]) == pieces([{"type": "function", **function}])
    assert pieces([]) == pieces(["x", None, {"function": 3}]) == ([], 0)


def test_nested_schemas_are_counted_like_flat_ones() -> None:
    leaf = {"a": {"type": ["string", "null"], "description": "An a.", "enum": [1, True, None, 1.5]}}
    texts, overhead = schema_pieces({"properties": leaf})
    wrapped = {"anyOf": [{"items": {"properties": leaf}}], "$defs": {"d": {"properties": {"b": 1}}}}

    assert texts == ["a:string,null:An a", "1", "true", "", "1.5"]
    assert overhead == 3 + 3 - 3 + 4 * 3
    assert sorted(schema_pieces(wrapped)[0]) == sorted([*texts, "b::"])
    assert schema_pieces({"properties": {"k": {"enum": [10**5_000]}}})[0] == ["k::", ""]


def test_texts_are_found_wherever_a_model_reads_them() -> None:
    prompt = measure(
        {
            "messages": [
                {"role": "developer", "content": "rules"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "one"}, {"text": "two"}, "three"],
                },
                {"role": "assistant", "content": None, "refusal": "no"},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "never"}]},
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "result"},
                {"role": "assistant", "function_call": {"name": "g", "arguments": "[]"}},
                {"role": "critic", "content": "hm", "name": "Bob"},
                {"role": "assistant", "tool_calls": ["odd"], "content": ""},
                {"type": "odd"},
                "odd",
                None,
            ]
        }
    )

    assert prompt.texts == (
        *("rules", "one", "two", "three", "no", "never", "f", "{}", "result", "g", "[]"),
        *("hm", "critic", "Bob", ""),
    )
    assert prompt.context == "rules"
    assert prompt.task == "one\ntwo\nthree"
    assert prompt.turns == 1
    assert prompt.needs == Capability.TOOLS
    assert prompt.uses_tools
    assert prompt.tools == 0


def test_a_responses_input_is_read_like_a_chat() -> None:
    prompt = measure(
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "a"}],
                },
                {"type": "message", "content": "who?"},
                {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"},
                {"type": "function_call_output", "call_id": "1", "output": "42"},
                {"type": "custom_tool_call_output", "call_id": "2", "output": [{"text": "43"}]},
                {"type": "reasoning", "encrypted_content": "x" * 100},
                {"type": 7},
            ],
        }
    )

    assert prompt.texts == ("Be brief.", "hi", "a", "who?", "f", "{}", "42", "43")
    assert prompt.context == "Be brief."
    assert prompt.unread_bytes > 100
    assert prompt.uses_tools


@pytest.mark.parametrize(
    ("document", "texts", "overhead"),
    [
        ({"input": "hello"}, ("hello",), 7),
        ({"input": "hello", "instructions": "be brief"}, ("be brief", "hello"), 11),
        ({"instructions": "be brief"}, ("be brief",), 7),
        ({"prompt": "once"}, ("once",), 0),
        ({"prompt": ["once", "twice"]}, ("once", "twice"), 0),
        ({"prompt": [1, 2, 3]}, (), 3),
        ({"prompt": [[1, 2], [3]]}, (), 3),
        ({"prompt": [None, 1]}, (), 1),
        ({}, (), 0),
        ({"messages": []}, (), 3),
        ({"messages": "hello"}, ("hello",), 7),
    ],
)
def test_every_endpoint_has_its_overhead(
    document: dict[str, Any], texts: tuple[str, ...], overhead: int
) -> None:
    prompt = measure(document)

    assert prompt.texts == texts
    assert prompt.overhead == overhead
    assert prompt.plain
    assert prompt.task == (texts[-1] if texts else "")


def test_shapes_of_no_known_kind_are_weighed_and_passed_over() -> None:
    odd: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": [{"type": ["text"]}, {"type": "video"}, {"text": 1}, 7]},
            {"role": "user", "content": 7},
        ]
    }

    assert measure(odd).unread_bytes > 30
    assert not measure(odd).plain
    assert measure({"prompt": {"id": "pmpt_1"}}).unread_bytes > 10
    assert measure({**ask("x"), "tools": [1], "functions": [2]}).tools == 2


def test_a_kept_conversation_cannot_be_counted() -> None:
    prompt = measure({"input": "and why?", "previous_response_id": "resp_1"})

    assert prompt.stored
    assert not prompt.plain
    assert not measure({"input": "and why?", "previous_response_id": None}).stored


def test_the_task_is_the_head_and_tail_of_the_last_user_turn() -> None:
    long = "h" * 1_500 + "m" * 5_000 + "t" * 500
    prompt = measure(
        {
            "messages": [
                {"role": "system", "content": "s" * 600},
                {"role": "user", "content": "b" * 600},
                {"role": "user", "content": long},
                {"role": "assistant", "content": "last"},
            ]
        }
    )

    assert prompt.task == "h" * 1_500 + "t" * 500
    assert prompt.before == "b" * 500
    assert prompt.context == "s" * 500
    assert prompt.turns == 2


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": PNG},
        {"type": "input_image", "image_url": PNG, "detail": "high"},
    ],
)
def test_an_image_is_measured_and_needs_vision(part: dict[str, Any]) -> None:
    prompt = said("user", [{"type": "text", "text": "what is it?"}, part])

    assert prompt.images == (ImageSize(640, 480),)
    assert prompt.needs == Capability.VISION
    assert prompt.texts == ("what is it?",)


def test_an_image_nobody_can_see_from_here_has_no_size() -> None:
    low = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}
    prompt = said(
        "user", [low, {"type": "input_image", "file_id": "file-1"}, {"type": "image_url"}]
    )

    assert prompt.images == (ImageSize(0, 0, low=True), ImageSize(0, 0), ImageSize(0, 0))


def test_audio_and_files_are_weighed() -> None:
    audio = said("user", [{"type": "input_audio", "input_audio": {"data": "A" * 4_000}}])
    file = said("user", [{"type": "file", "file": {"file_data": "A" * 4_000}}])

    assert audio.needs == Capability.AUDIO
    assert file.needs == Capability.NONE
    assert audio.media_bytes > 4_000
    assert file.media_bytes > 4_000
    assert not audio.plain
    assert not file.plain
    assert said("assistant", None, audio={"id": "a"}).needs == Capability.AUDIO


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, Capability.NONE),
        ({"tools": []}, Capability.NONE),
        ({"tools": "x"}, Capability.NONE),
        ({"tools": [WEATHER]}, Capability.TOOLS),
        ({"tools": [WEATHER], "functions": [{}]}, Capability.TOOLS),
        ({"functions": [{}]}, Capability.TOOLS),
        ({"tools": [WEATHER], "tool_choice": "none"}, Capability.NONE),
        ({"functions": [{}], "function_call": "none"}, Capability.NONE),
        ({"parallel_tool_calls": True}, Capability.PARALLEL_TOOLS),
        ({"parallel_tool_calls": False}, Capability.NONE),
        ({"response_format": {"type": "json_object"}}, Capability.NONE),
        ({"response_format": {"type": "json_schema"}}, Capability.JSON_SCHEMA),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, Capability.JSON_SCHEMA),
        ({"text": {"format": {"type": "text"}}}, Capability.NONE),
        ({"logprobs": True}, Capability.LOGPROBS),
        ({"logprobs": 0}, Capability.LOGPROBS),
        ({"logprobs": False}, Capability.NONE),
        ({"logprobs": None}, Capability.NONE),
        ({"reasoning_effort": "low"}, Capability.REASONING),
        ({"reasoning_effort": "minimal"}, Capability.NONE),
        ({"reasoning_effort": "none"}, Capability.NONE),
        ({"reasoning": {"effort": "high"}}, Capability.REASONING),
        ({"reasoning": {"summary": "auto"}}, Capability.NONE),
        ({"modalities": ["text", "audio"]}, Capability.AUDIO),
        ({"modalities": ["text"]}, Capability.NONE),
        ({"audio": {"voice": "alloy"}}, Capability.AUDIO),
    ],
)
def test_what_a_call_needs(fields: dict[str, Any], needs: Capability) -> None:
    assert measure({**ask("hello"), **fields}).needs == needs


def test_tools_that_may_not_be_called_are_still_read() -> None:
    prompt = measure(ask("hello", tools=[WEATHER], tool_choice="none"))

    assert prompt.tool_bytes > 300
    assert not prompt.uses_tools


def test_bytes_are_those_of_utf8() -> None:
    assert measure(ask("héllo 世界")).text_bytes == 13
    assert utf8_length("\ud83d\ude00") == 4
    assert utf8_length("\ud800") == 3


@settings(max_examples=150, deadline=None)
@given(value=ANYTHING)
def test_the_weight_of_any_value_is_about_its_json(value: Any) -> None:
    if len(spelled := _spell(value)) < 4_000:
        assert 0.3 * len(spelled) <= weigh(value) <= 2 * len(spelled) + 32


def _spell(value: Any) -> str:
    """JSON as it is counted: compact, and not escaped; too large for words, it is not compared."""
    try:
        return json.dumps(value, separators=(",", ":"))
    except ValueError:
        return " " * 4_000


def test_what_orjson_refuses_is_weighed_by_hand() -> None:
    assert weigh({"a": ["\ud800", 1.5, None]}) > 10
    assert weigh(10**5_000) > 5_000
    assert weigh(nested(2_000)) > 2_000


@settings(max_examples=150, deadline=None)
@given(document=ANY_DOCUMENT)
def test_any_document_is_measured(document: dict[str, Any]) -> None:
    prompt = measure(document)

    assert prompt.text_bytes >= prompt.chars
    assert len(prompt.task) <= 2_000
    assert prompt.overhead >= 0


@settings(max_examples=200, deadline=None)
@given(document=ANY_DOCUMENT)
def test_a_message_is_read_alike_the_short_way_and_the_long(document: dict[str, Any]) -> None:
    messages = document.get("messages")
    listed = messages if isinstance(messages, list) else [messages]
    # A message of more than two members is never read the short way.
    longer = [
        {**message, "x": 1, "y": 2}
        if isinstance(message, dict) and message.get("role") is not None
        else message
        for message in listed
    ]

    assert measure({**document, "messages": listed}) == measure({**document, "messages": longer})


def test_great_depth_is_measured() -> None:
    deep = nested(5_000)
    document = ask("x", tools=[{"function": {"name": "f", "parameters": deep}}])
    document["messages"].append({"role": "user", "content": [{"type": "odd", "value": deep}]})

    assert measure(document).unread_bytes > 5_000
    assert len(pieces(document["tools"])[0]) == 2_501
