"""What a Messages request becomes on the chat endpoint."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.errors import InvalidValue
from gateway.wire.anthropic.request import (
    Terms,
    Translated,
    counted,
    from_request,
)
from tests.wire.spelling import VALUES

ASKED: dict[str, Any] = {"role": "user", "content": "Hi"}


def translated(terms: Terms | None = None, **members: Any) -> Translated:
    document = {"model": "auto", "max_tokens": 10, "messages": [ASKED], **members}
    return from_request(document, {}, terms or Terms())


def chat(terms: Terms | None = None, **members: Any) -> dict[str, Any]:
    made = translated(terms, **members)
    assert json.loads(made.body) == made.document
    return dict(made.document)


def turns(*content: Any, role: str = "user") -> Any:
    """What a turn of these blocks becomes, before another user turn."""
    return chat(messages=[{"role": role, "content": list(content)}, ASKED])["messages"][:-1]


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def test_the_least_request_says_no_more_than_it_did() -> None:
    assert chat() == {"model": "auto", "messages": [ASKED], "max_completion_tokens": 10}


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("claude-sonnet-5", "auto"),
        ("anthropic/claude-opus-5", "auto"),
        ("mini", "mini"),
        ("auto:floor", "auto:floor"),
        ("gpt-4.1", "gpt-4.1"),
    ],
)
def test_anthropics_models_are_routed_and_others_kept(model: str, asked: str) -> None:
    assert chat(model=model)["model"] == asked


def test_aliases_are_the_operators() -> None:
    terms = Terms(aliases=(("claude-*haiku*", "nano"), ("claude*", "full")))

    assert chat(terms, model="claude-haiku-4-5")["model"] == "nano"
    assert chat(terms, model="claude-opus-5")["model"] == "full"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 0.7, "top_p": 1}, {"temperature": 0.7, "top_p": 1}),
        ({"stop_sequences": ["END"]}, {"stop": ["END"]}),
        ({"stop_sequences": []}, {}),
        ({"service_tier": "auto"}, {}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"metadata": {"user_id": "u1"}}, {"user": "u1"}),
        ({"metadata": {}}, {}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        ({"stream": False}, {}),
        ({"top_k": None, "speed": "standard", "inference_geo": "global"}, {}),
        ({"cache_control": {"type": "ephemeral"}, "diagnostics": {}, "betas": ["x"]}, {}),
        ({"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}}, {}),
        ({"models": ["mini"], "cache": {"no-cache": True}},) * 2,
        ({"provider": {"sort": "price"}, "plugins": []},) * 2,
        ({"tools": []}, {}),
    ],
)
def test_an_option_says_the_same_there(members: dict[str, Any], said: dict[str, Any]) -> None:
    assert chat(**members) == {**chat(), **said}


def test_a_long_user_is_told_as_a_digest() -> None:
    one, two = (chat(metadata={"user_id": f"{'u' * 80}{n}"})["user"] for n in (1, 2))

    assert len(one) == len(two) == 64
    assert one != two


def test_a_limit_is_lowered_to_what_models_here_can_write() -> None:
    assert chat(Terms(max_output=32), max_tokens=64)["max_completion_tokens"] == 32
    assert chat(Terms(max_output=32), max_tokens=31)["max_completion_tokens"] == 31


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("Be brief.", "Be brief."),
        ([text("Be brief.")], "Be brief."),
        ([text("Be brief."), {**text("Be kind."), "cache_control": {}}], "Be brief.\n\nBe kind."),
        ([text("x-anthropic-billing-header: cch=ab12;"), text("Be brief.")], "Be brief."),
    ],
)
def test_the_system_prompt_comes_first(system: Any, said: str) -> None:
    assert chat(system=system)["messages"][0] == {"role": "system", "content": said}


def test_an_empty_system_prompt_is_none() -> None:
    assert chat(system="")["messages"] == chat(system=[])["messages"] == [ASKED]


def test_a_system_turn_stays_where_it_is() -> None:
    told = {"role": "system", "content": "Now be brief."}

    assert chat(messages=[ASKED, told, ASKED])["messages"] == [ASKED, told, ASKED]


def test_a_single_text_is_said_as_one() -> None:
    assert turns(text("Hi")) == [ASKED]


def test_documents_of_plain_text_are_told_with_their_titles() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "It rains."}

    assert turns({"type": "document", "source": source, "title": "Weather"}, text("So?")) == [
        {"role": "user", "content": [text("Weather\n\nIt rains."), text("So?")]}
    ]


def test_the_assistants_texts_are_one_and_its_thoughts_none() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    redacted = {"type": "redacted_thinking", "data": "x"}

    assert turns(thought, redacted, text("Pa"), text("ris"), role="assistant") == [
        {"role": "assistant", "content": "Paris"}
    ]
    assert turns(thought, role="assistant") == []
    assert turns(thought, text("Hi")) == [ASKED]
    assert turns(text(""), role="assistant") == []


def test_tool_results_come_before_the_rest_of_their_turn() -> None:
    png = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aa"}}
    shown = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aa"}}

    def result(content: Any, **more: Any) -> dict[str, Any]:
        return {"type": "tool_result", "tool_use_id": "call_1", "content": content, **more}

    def told(content: str) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": "call_1", "content": content}

    assert turns(text("Well?"), result("Sun")) == [told("Sun"), {**ASKED, "content": "Well?"}]
    assert turns(result([text("Sun"), text("Rain")])) == [told("Sun\nRain")]
    assert turns(result(None)) == [told("")]
    assert turns(result("No such city", is_error=True)) == [told("Error:\nNo such city")]
    assert turns(result([text("See"), png])) == [
        told("See\n(Its images follow.)"),
        {
            "role": "user",
            "content": [text("Images from the result of tool call call_1:"), shown],
        },
    ]


@pytest.mark.parametrize(
    ("members", "reasons", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2_000}}, True, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16_384}}, True, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 32_000}}, True, "high"),
        ({"thinking": {"type": "adaptive"}}, True, None),
        ({"thinking": {"type": "adaptive"}}, False, None),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, True, "max"),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}, True, None),
        ({"output_config": {"effort": "low"}}, True, "low"),
        ({"output_config": {"effort": "low"}}, False, None),
        ({"output_config": {}}, True, None),
    ],
)
def test_thinking_is_an_effort_where_a_model_reasons(
    members: dict[str, Any], reasons: bool, effort: str | None
) -> None:
    said = chat(Terms(reasons=reasons), **members)

    assert said.get("reasoning_effort") == effort


@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_a_format_is_a_response_format(place: str) -> None:
    form = {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {}}}}
    members: dict[str, Any] = {place: form if place == "output_format" else {"format": form}}

    assert chat(**members)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": form["schema"], "strict": False},
    }


@pytest.mark.parametrize(
    ("headers", "user", "session"),
    [
        ({b"x-claude-code-session-id": b"abc-1"}, "u", "abc-1"),
        ({b"x-claude-code-session-id": b"a b"}, "u", ""),
        ({}, '{"device_id":"d","session_id":"0ab1-2c3d-44"}', "0ab1-2c3d-44"),
        ({}, "user_ff_account__session_0ab12c3d", "0ab12c3d"),
        ({}, "u", ""),
    ],
)
def test_the_conversation_is_known_where_the_client_tells(
    headers: dict[bytes, bytes], user: str, session: str
) -> None:
    document = {"model": "auto", "max_tokens": 1, "messages": [ASKED]}

    assert from_request({**document, "metadata": {"user_id": user}}, headers).session == session


def test_half_a_surrogate_pair_passes() -> None:
    assert b"\\ud83d" in translated(messages=[{**ASKED, "content": "\ud83d"}]).body


def test_a_count_is_told_as_anthropic_tells_it() -> None:
    assert counted(12) == b'{"input_tokens":12}'


@settings(deadline=None, max_examples=120)
@given(st.dictionaries(st.sampled_from(sorted({
    *("model", "messages", "system", "max_tokens", "stop_sequences", "temperature", "tools"),
    *("tool_choice", "metadata", "thinking", "output_config", "context_management", "stream"),
})), VALUES))  # fmt: skip
def test_any_json_is_translated_or_refused(members: dict[str, Any]) -> None:
    try:
        body = translated(**members).body
    except InvalidValue:
        return
    assert json.loads(body)["messages"]
