"""Anthropic's own client against the translation, over real sockets."""

import json
from typing import Any

import anthropic
import pytest
from pydantic import BaseModel

from tests.wire.anthropic_end import client
from tests.wire.streams import DONE, HEAD, USAGE, chunk, frame, word

HI: list[Any] = [{"role": "user", "content": "Capital of France?"}]
WEATHER: Any = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
LAST = frame({**HEAD, "choices": [], "usage": USAGE}) + DONE


def completion(message: dict[str, Any], finish: str = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 4}}
    document = {"id": "chatcmpl-1", "model": "gpt-4.1-nano", "choices": [choice], "usage": usage}
    return json.dumps({**document, **more}).encode()


def called(place: int, **function: Any) -> dict[str, Any]:
    given = {"id": f"call_{place}"} if "name" in function else {}
    return chunk({"tool_calls": [{"index": place, **given, "function": function}]})


async def test_it_reads_a_whole_reply() -> None:
    asked: list[dict[str, Any]] = []

    def upstream(document: dict[str, Any]) -> tuple[int, bytes]:
        asked.append(document)
        return 200, completion({"content": "Paris."})

    async with client(upstream) as made:
        message = await made.messages.create(
            model="claude-any", max_tokens=100, system="Be brief.", messages=HI
        )

    assert [block.to_dict() for block in message.content] == [
        {"type": "text", "text": "Paris.", "citations": None}
    ]
    assert (message.id, message.model, message.stop_reason) == ("msg_1", "gpt-4.1-nano", "end_turn")
    assert message.usage.input_tokens == 5
    assert message.usage.cache_read_input_tokens == 4
    assert message.usage.output_tokens == 3
    assert asked == [
        {
            "model": "auto",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Capital of France?"},
            ],
            "max_completion_tokens": 100,
        }
    ]


async def test_it_reads_a_stream() -> None:
    pieces = [frame(word("Par")), frame(word("is.")), frame(chunk({}, "stop")), LAST]

    async with (
        client(lambda _: (200, pieces)) as made,
        made.messages.stream(model="auto", max_tokens=9, messages=HI) as stream,
    ):
        text = "".join([piece async for piece in stream.text_stream])
        message = await stream.get_final_message()

    assert text == "Paris."
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (9, 3)


async def test_it_calls_a_tool_and_gives_the_result() -> None:
    asked: list[dict[str, Any]] = []

    def upstream(document: dict[str, Any]) -> tuple[int, bytes]:
        asked.append(document)
        if len(asked) > 1:
            return 200, completion({"content": "Sunny in Paris."})
        call = {"name": "weather", "arguments": '{"city":"Paris"}'}
        said = {"content": None, "tool_calls": [{"id": "call_1", "function": call}]}
        return 200, completion(said, "tool_calls")

    async with client(upstream) as made:
        first = await made.messages.create(model="auto", max_tokens=9, messages=HI, tools=[WEATHER])
        result: Any = {"type": "tool_result", "tool_use_id": first.content[0].id, "content": "Sun"}  # type: ignore[union-attr] # the fake calls a tool
        turns: Any = [*HI, first.to_param(), {"role": "user", "content": [result]}]
        second = await made.messages.create(
            model="auto", max_tokens=9, messages=turns, tools=[WEATHER]
        )

    assert first.stop_reason == "tool_use"
    assert first.content[0].to_dict() == {
        "type": "tool_use",
        "id": "call_1",
        "name": "weather",
        "input": {"city": "Paris"},
    }
    assert second.content[0].to_dict()["text"] == "Sunny in Paris."
    assert asked[1]["messages"][1:] == [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Sun"},
    ]


async def test_it_reads_streamed_calls_of_two_tools() -> None:
    pieces = [
        frame(word("Looking.")),
        frame(called(0, name="weather", arguments="")),
        frame(called(0, arguments='{"city":')),
        frame(called(0, arguments='"Paris"}')),
        frame(called(1, name="weather", arguments='{"city":"Rome"}')),
        frame(chunk({}, "tool_calls")),
        LAST,
    ]

    async with (
        client(lambda _: (200, pieces)) as made,
        made.messages.stream(model="auto", max_tokens=9, messages=HI, tools=[WEATHER]) as stream,
    ):
        message = await stream.get_final_message()

    assert message.stop_reason == "tool_use"
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    assert [block.to_dict()["input"] for block in message.content[1:]] == [
        {"city": "Paris"},
        {"city": "Rome"},
    ]


async def test_it_sends_images() -> None:
    asked: list[dict[str, Any]] = []

    def upstream(document: dict[str, Any]) -> tuple[int, bytes]:
        asked.append(document)
        return 200, completion({"content": "A cat."})

    png: Any = {"type": "base64", "media_type": "image/png", "data": "aGk="}
    blocks: Any = [
        {"type": "image", "source": png},
        {"type": "image", "source": {"type": "url", "url": "https://cats.example/1.png"}},
        {"type": "text", "text": "What is this?"},
    ]
    async with client(upstream) as made:
        await made.messages.create(
            model="auto", max_tokens=9, messages=[{"role": "user", "content": blocks}]
        )

    assert asked[0]["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "image_url", "image_url": {"url": "https://cats.example/1.png"}},
        {"type": "text", "text": "What is this?"},
    ]


class City(BaseModel):
    name: str
    country: str


async def test_it_parses_structured_output() -> None:
    asked: list[dict[str, Any]] = []

    def upstream(document: dict[str, Any]) -> tuple[int, bytes]:
        asked.append(document)
        return 200, completion({"content": '{"name":"Paris","country":"France"}'})

    async with client(upstream) as made:
        message = await made.messages.parse(
            model="auto", max_tokens=9, messages=HI, output_format=City
        )

    assert message.parsed_output == City(name="Paris", country="France")
    assert asked[0]["response_format"]["json_schema"]["strict"] is True


async def test_it_counts_tokens() -> None:
    async with client(lambda _: (500, b"")) as made:
        count = await made.messages.count_tokens(model="auto", messages=HI)

    assert count.input_tokens > 0


@pytest.mark.parametrize(
    ("status", "raised", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (503, anthropic.APIStatusError, "overloaded_error"),
    ],
)
async def test_it_raises_the_error_that_is_meant(
    status: int, raised: type[anthropic.APIStatusError], kind: str
) -> None:
    said = json.dumps({"error": {"message": "Not so.", "type": "x", "code": None}}).encode()

    async with client(lambda _: (status, said)) as made:
        with pytest.raises(raised) as failure:
            await made.messages.create(model="auto", max_tokens=9, messages=HI)

    assert failure.value.request_id == "req_1"
    assert failure.value.body == {
        "type": "error",
        "error": {"type": kind, "message": "Not so."},
        "request_id": "req_1",
    }


async def test_it_raises_on_a_request_that_cannot_be_translated() -> None:
    search: Any = {"type": "web_search_20250305", "name": "web_search"}

    async with client(lambda _: (500, b"")) as made:
        with pytest.raises(anthropic.BadRequestError, match="runs on Anthropic's servers"):
            await made.messages.create(model="auto", max_tokens=9, messages=HI, tools=[search])


async def _note(events: Any, seen: list[str]) -> None:
    async for event in events:
        seen.append(event.type)  # noqa: PERF401 - a comprehension would lose what came before


async def test_it_raises_on_a_stream_that_was_cut() -> None:
    pieces = [frame(word("Par")), frame(word("is."))]

    async with client(lambda _: (200, pieces)) as made:
        events = await made.messages.create(model="auto", max_tokens=9, messages=HI, stream=True)
        seen: list[str] = []
        with pytest.raises(anthropic.APIStatusError, match="before the reply was finished"):
            await _note(events, seen)

    assert seen[-1] == "content_block_delta"
