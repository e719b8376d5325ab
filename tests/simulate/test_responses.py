"""The simulated `/responses` as the official client and the gateway's own readers see it."""

import json
from typing import Any

import openai
import pydantic
import pytest

from gateway.errors import UpstreamTruncated
from gateway.simulate import responses_memory
from gateway.simulate.refusals import Refusal
from gateway.simulate.responses_memory import Memory, Stored
from gateway.wire.responses.reply import inspect
from gateway.wire.responses.stream import ResponseStream
from tests.simulate.world import Raw, ask, send, serving, simulation

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
NOTE: Any = {"type": "custom", "name": "take_note", "description": "Write it down."}
QUESTION = "What is the weather in Paris?"
LONG = "word " * 3_000


def create(client: openai.OpenAI, said: Any = "What is inflation?", **fields: Any) -> Any:
    return client.responses.create(**{"model": "small", "input": said, **fields})


def post(port: int, said: object = "What is inflation?", **fields: Any) -> Raw:
    return send(port, "POST", "/v1/responses", {"model": "small", "input": said, **fields})


def refused(port: int, **fields: Any) -> tuple[int, str | None, str | None]:
    raw = post(port, **fields)
    error = json.loads(raw.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return raw.status, error["param"], error["code"]


def test_it_says_what_chat_says_and_that_it_is_simulated(client: openai.OpenAI) -> None:
    raw = client.responses.with_raw_response.create(model="small", input="What is inflation?")
    reply = raw.parse()
    chat: Any = client.chat.completions.create(**ask())

    assert raw.headers["x-tiergate-simulated"] == "1"
    assert reply.output_text.startswith("[simulated] ")
    assert reply.to_dict()["system_fingerprint"] == chat.system_fingerprint
    assert (reply.status, reply.model, reply.service_tier) == ("completed", "small", "default")
    assert reply.usage is not None
    assert reply.usage.input_tokens == chat.usage.prompt_tokens
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
    assert create(client).output == reply.output


def test_a_long_prompt_said_before_is_cached() -> None:
    with serving(simulation()) as port:
        first, second = (json.loads(post(port, LONG).body)["usage"] for _ in range(2))

    assert first["input_tokens_details"] == {"cached_tokens": 0}
    assert second["input_tokens_details"]["cached_tokens"] >= 1_024


def test_a_stream_says_what_the_whole_reply_says(client: openai.OpenAI) -> None:
    whole = create(client)
    events = list(create(client, stream=True))
    kinds = [event.type for event in events]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]

    assert [kind for kind in kinds if not kind.endswith(".delta")] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(deltas) == whole.output_text
    assert len(deltas) == whole.usage.output_tokens
    assert events[-1].response.output == whole.output
    assert events[-1].response.usage == whole.usage


def test_a_tool_is_called_and_its_result_answered(client: openai.OpenAI) -> None:
    called = create(client, QUESTION, tools=[WEATHER])
    call = called.output[0]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}
    given = [{"role": "user", "content": QUESTION}, call.to_dict(), result]

    repeated = create(client, given, tools=[WEATHER])
    continued = create(client, [result], tools=[WEATHER], previous_response_id=called.id)

    assert (call.type, call.name) == ("function_call", "get_weather")
    assert json.loads(call.arguments) == {"city": "Paris"}
    assert "`get_weather` returned 18 degrees" in repeated.output_text
    assert continued.output_text == repeated.output_text


@pytest.mark.parametrize(
    ("tool", "kind", "field"),
    [(WEATHER, "function_call_arguments", "arguments"), (NOTE, "custom_tool_call_input", "input")],
)
def test_streamed_calls_join_to_the_whole_ones(
    client: openai.OpenAI, tool: Any, kind: str, field: str
) -> None:
    fields: Any = {"tools": [tool], "tool_choice": {"type": tool["type"], "name": tool["name"]}}
    whole = create(client, QUESTION, **fields).output[0]
    events = list(create(client, QUESTION, stream=True, **fields))
    deltas = [event.delta for event in events if event.type == f"response.{kind}.delta"]
    (done,) = [event for event in events if event.type == f"response.{kind}.done"]

    assert "".join(deltas) == getattr(done, field) == getattr(whole, field)
    assert events[-1].response.output == [whole]


def test_the_caller_chooses_among_tools_and_built_in_ones_pass(client: openai.OpenAI) -> None:
    tools = [WEATHER, NOTE, {"type": "web_search"}]
    listed = {"type": "allowed_tools", "mode": "required", "tools": [NOTE]}

    by_list = create(client, tools=tools, tool_choice=listed)
    built_in = create(client, tools=tools[2:], tool_choice={"type": "web_search"})

    assert by_list.output[0].name == "take_note"
    assert built_in.output_text.startswith("[simulated] ")


class Solution(pydantic.BaseModel):
    steps: list[str] = pydantic.Field(min_length=2)
    answer: str


def test_structured_output_parses_into_its_model(client: openai.OpenAI) -> None:
    reply = client.responses.parse(model="small", input="Solve x + 1 = 3.", text_format=Solution)

    assert reply.output_parsed is not None
    assert len(reply.output_parsed.steps) == 2


def test_thinking_is_an_item_and_a_limit_leaves_it_incomplete(client: openai.OpenAI) -> None:
    thought = create(client, model="thinker", reasoning={"effort": "high"})
    starved = list(create(client, model="thinker", max_output_tokens=16, stream=True))
    cut = create(client, max_output_tokens=16, input="Write an essay on rivers.")

    assert [item.type for item in thought.output] == ["reasoning", "message"]
    assert thought.usage.output_tokens_details.reasoning_tokens >= 64
    assert starved[-1].type == "response.incomplete"
    assert [item.type for item in starved[-1].response.output] == ["reasoning"]
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert cut.usage.output_tokens == 16


def test_logprobs_come_with_their_tokens(client: openai.OpenAI) -> None:
    fields: Any = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    events = list(create(client, stream=True, **fields))
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    part = events[-1].response.output[0].content[0]

    assert all(event.logprobs[0].token == event.delta for event in deltas)
    assert "".join(each.token for each in part.logprobs) == part.text


def test_stored_responses_are_fetched_continued_and_deleted(client: openai.OpenAI) -> None:
    first = create(client, "Remember the river.", instructions="Be brief.")
    fetched = client.responses.retrieve(first.id)
    second = create(client, "And now?", previous_response_id=first.id)
    client.responses.delete(first.id)

    assert fetched == first
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > create(client, "And now?").usage.input_tokens
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(first.id)
    with pytest.raises(openai.BadRequestError) as unknown:
        create(client, previous_response_id=first.id)
    assert unknown.value.code == "previous_response_not_found"


def test_a_response_that_is_not_to_be_stored_is_not(client: openai.OpenAI) -> None:
    reply = create(client, "A secret question.", store=False)

    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(reply.id)


def test_refusals_name_this_apis_parameters(port: int) -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": ""}
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    low = "integer_below_min_value"

    assert refused(port, said=None) == (400, "input", "missing_required_parameter")
    assert refused(port, said=5) == (400, "input", "invalid_type")
    assert refused(port, said=[]) == (400, "input", "empty_array")
    assert refused(port, said=[{}]) == (400, "input[0].role", "missing_required_parameter")
    assert refused(port, said=[{"type": "web_search_call"}]) == (400, "input", "empty_array")
    assert refused(port, said=[output]) == (400, "input", None)
    assert refused(port, said=[call]) == (400, "input", None)
    assert refused(port, max_output_tokens=5) == (400, "max_output_tokens", low)
    assert refused(port, max_output_tokens=5_000)[1] == "max_output_tokens"
    assert refused(port, text={"format": {"type": "x"}})[1] == "text.format.type"
    assert refused(port, tools=[{"type": "function"}])[1] == "tools[0].name"
    assert refused(port, tools=[{"type": []}])[1] == "tools[0].type"
    assert refused(port, stream_options={})[1] == "stream_options"
    assert refused(port, previous_response_id=5)[2] == "invalid_type"
    assert refused(port, said="word " * 30_000) == (400, "input", "context_length_exceeded")
    assert refused(port, model="gpt-0") == (400, "model", "model_not_found")
    assert send(port, "POST", "/v1/responses", [1]).status == 400


@pytest.mark.parametrize("fields", [{}, {"tools": [WEATHER]}, {"model": "thinker"}])
def test_the_gateway_accepts_its_streams_and_replies(port: int, fields: Any) -> None:
    whole, raw = post(port, QUESTION, **fields), post(port, QUESTION, stream=True, **fields)
    told = inspect(whole.body)
    stream = ResponseStream()
    body = b"".join(frame + b"\n\n" for frame in unchunked(raw.body).split(b"\n\n")[:-1])

    assert stream.feed(body) == body
    stream.end()
    assert stream.done
    assert stream.facts == told
    assert stream.usage == told.usage
    assert b"[DONE]" not in body


def test_an_error_in_a_stream_is_an_event_of_its_type(port: int) -> None:
    raw = post(port, "[[fault:error_event after=4]] Hi", stream=True)
    stream = ResponseStream()
    stream.feed(unchunked(raw.body))

    assert stream.error is not None
    assert stream.error["type"] == "error"
    assert stream.sequence == 4


def test_a_silent_end_is_noticed(port: int) -> None:
    raw = post(port, "[[fault:silent]] Hi", stream=True)
    stream = ResponseStream()
    stream.feed(unchunked(raw.body))

    with pytest.raises(UpstreamTruncated):
        stream.end()


def test_padding_is_left_out_if_declined(port: int) -> None:
    raw = post(port, stream=True, stream_options={"include_obfuscation": False})

    assert b"obfuscation" not in raw.body


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_memory, "MOST_STORED", 2)
    memory = Memory()
    for name in ("a", "b", "a", "c"):
        memory.keep(Stored({"id": name}, []))

    assert memory.fetch("a") == {"id": "a"}
    assert memory.find("b") is None
    with pytest.raises(Refusal):
        memory.fetch("b")


def unchunked(body: bytes) -> bytes:
    """A chunked body without its framing."""
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole
