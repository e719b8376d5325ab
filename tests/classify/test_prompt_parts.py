"""What a prompt asks for beside its texts: the task, images, files, needs; and odd documents."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from gateway.call import ImageSize
from gateway.catalog import Capability
from gateway.classify.functions import pieces, utf8_length, weigh
from gateway.classify.prompt import measure
from tests.classify.documents import (
    ANY_DOCUMENT,
    ANYTHING,
    WEATHER,
    ask,
    nested,
)
from tests.classify.prompts import PNG, said


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
    assert 250 < audio.media_bytes < 500
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
