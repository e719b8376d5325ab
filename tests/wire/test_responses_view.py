"""The same call is seen alike on both APIs, so that it gets the same tier."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.call import Assessment
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.wire.responses.view import view
from tests.wire.spelling import VALUES

TOOL = {"name": "weather", "description": "Tells it.", "parameters": {"type": "object"}}
FORM = {"name": "answer", "schema": {"type": "object"}, "strict": True}
CALL = {"name": "weather", "arguments": '{"city":"Paris"}'}
PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"

PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": (
        {"input": "Why is the sky blue?"},
        {"messages": [{"role": "user", "content": "Why is the sky blue?"}]},
    ),
    "instructions and limits": (
        {"instructions": "Be brief.", "input": "Prove it.", "max_output_tokens": 90},
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Prove it."},
            ],
            "max_completion_tokens": 90,
        },
    ),
    "parts": (
        {
            "input": [
                {
                    "type": "message",
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "What is this?"},
                        {"type": "input_image", "image_url": PNG, "detail": "low"},
                        {"type": "input_file", "file_data": "aGk=", "filename": "a.pdf"},
                    ],
                },
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                        {"type": "file", "file": {"file_data": "aGk=", "filename": "a.pdf"}},
                    ],
                }
            ]
        },
    ),
    "tools": (
        {
            "input": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "type": "message",
                    "content": [{"type": "output_text", "text": "Looking.", "annotations": []}],
                },
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"type": "function_call", "call_id": "call_1", **CALL},
                {"type": "function_call", "call_id": "call_2", **CALL},
                {"type": "function_call_output", "call_id": "call_1", "output": "Sun"},
                {"type": "function_call_output", "call_id": "call_2", "output": "Rain"},
            ],
            "tools": [{"type": "function", **TOOL}],
            "tool_choice": {"type": "function", "name": "weather"},
        },
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "content": "Looking.",
                    "tool_calls": [
                        {"id": "call_1", "type": "function", "function": CALL},
                        {"id": "call_2", "type": "function", "function": CALL},
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "Sun"},
                {"role": "tool", "tool_call_id": "call_2", "content": "Rain"},
            ],
            "tools": [{"type": "function", "function": TOOL}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
        },
    ),
    "custom tools": (
        {
            "input": [
                {"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "select 1"},
                {
                    "type": "custom_tool_call_output",
                    "call_id": "c",
                    "output": [{"type": "input_text", "text": "1"}],
                },
            ],
            "tools": [{"type": "custom", "name": "sql"}],
        },
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c",
                            "type": "custom",
                            "custom": {"name": "sql", "input": "select 1"},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "1"}]},
            ],
            "tools": [{"type": "custom", "custom": {"name": "sql"}}],
        },
    ),
    "form and effort": (
        {
            "input": "Who?",
            "text": {"format": {"type": "json_schema", **FORM}, "verbosity": "low"},
            "reasoning": {"effort": "high"},
            "include": ["message.output_text.logprobs"],
            "temperature": 0.2,
            "parallel_tool_calls": True,
        },
        {
            "messages": [{"role": "user", "content": "Who?"}],
            "response_format": {"type": "json_schema", "json_schema": FORM},
            "verbosity": "low",
            "reasoning_effort": "high",
            "logprobs": True,
            "temperature": 0.2,
            "parallel_tool_calls": True,
        },
    ),
    "json mode": (
        {"input": "Who?", "text": {"format": {"type": "json_object"}}, "model": "auto"},
        {
            "messages": [{"role": "user", "content": "Who?"}],
            "response_format": {"type": "json_object"},
            "model": "auto",
        },
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_request_looks_like_the_chat_call_that_says_the_same(name: str) -> None:
    asked, same = PAIRS[name]

    assert view(asked) == same


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(Tokenizer(), Difficulty.load())


@pytest.mark.parametrize("name", PAIRS)
def test_a_call_is_assessed_alike_on_both_apis(name: str, assessor: Assessor) -> None:
    asked, same = PAIRS[name]

    assert assessor.assess(view(asked)) == assessor.assess(same)


def test_what_chat_has_no_word_for_stays_to_be_weighed(assessor: Assessor) -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "role": "assistant"}
    call = {"type": "function_call", "call_id": "c", **CALL}
    asked = {"input": [search, call, 7, {"type": "item_reference", "id": "x"}], "tools": [search]}

    seen = view(asked)

    assert seen["messages"][0] == search
    assert "tool_calls" not in search
    assert seen["tools"] == [search]
    assert seen["messages"][2:] == [7]
    assert isinstance(assessor.assess(seen), Assessment)


def test_an_input_that_is_none_stays_to_be_weighed() -> None:
    assert view({"input": 7})["messages"] == [7]
    assert view({"input": [{"role": "user", "content": [7, {"type": "odd"}]}]})["messages"][0][
        "content"
    ] == [7, {"type": "odd"}]
    image = {"type": "input_image", "image_url": PNG}
    assert view({"input": [{"role": "user", "content": [image]}]})["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": PNG}}
    ]


def test_a_stored_conversation_is_told(assessor: Assessor) -> None:
    seen = view({"previous_response_id": "resp_1", "input": "And then?"})

    assert "stored conversation" in assessor.assess(seen).signals


NAMES = ("input", "instructions", "tools", "tool_choice", "text", "reasoning", "include")
ITEMS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["message", "function_call", "function_call_output", None, 1]),
            "role": st.sampled_from(["user", "assistant", None]),
            "content": VALUES,
            "output": VALUES,
        },
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES), ITEMS)
def test_any_document_has_a_view_and_stays_as_it_is(document: dict[str, Any], items: Any) -> None:
    for asked in (document, {**document, "input": items}):
        before = copy.deepcopy(asked)

        seen = view(asked)

        assert asked == before
        assert isinstance(seen["messages"], list)
