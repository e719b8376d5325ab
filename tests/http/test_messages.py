"""Anthropic's API through the edge: their own client, their errors, their streams."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import orjson
import pytest

from gateway.errors import UpstreamTruncated, UpstreamUnreachable
from tests.flow.replies import CLOSING, DONE, OPENING, error, stream, whole
from tests.http.edge import HOST, Edge, edge, post

HI: list[Any] = [{"role": "user", "content": "Hi"}]
ASKED = {"model": "claude-sonnet-4-5", "max_tokens": 50, "messages": HI}


@asynccontextmanager
async def client(e: Edge) -> AsyncIterator[anthropic.AsyncAnthropic]:
    url = f"http://{HOST}:{e.port}"
    async with anthropic.AsyncAnthropic(base_url=url, api_key="any", max_retries=0) as made:
        yield made


async def test_its_client_reads_a_whole_message_and_our_fields() -> None:
    async with edge() as e, client(e) as made:
        raw = await made.messages.with_raw_response.create(
            model="claude-any", max_tokens=50, messages=HI
        )
        ended = (await e.recorder.after(1))[0]

    message = await raw.parse()
    assert [block.type for block in message.content] == ["text"]
    assert (raw.headers["x-gateway-tier"], message.stop_reason) == ("nano", "end_turn")
    assert raw.headers["request-id"] == raw.headers["x-gateway-decision-id"]
    assert (ended.requested, ended.outcome) == ("auto", "ok")


async def test_its_client_reads_a_stream() -> None:
    async with (
        edge(lambda _: stream(OPENING, CLOSING + DONE)) as e,
        client(e) as made,
        made.messages.stream(model="mini", max_tokens=50, messages=HI) as events,
    ):
        text = "".join([piece async for piece in events.text_stream])
        last = await events.get_final_message()

    assert (text, last.stop_reason) == ("Paris.", "end_turn")


async def test_a_stream_that_was_cut_is_an_error_and_no_end() -> None:
    cut = UpstreamTruncated("The upstream's stream ended.")
    async with edge(lambda _: stream(OPENING, cut)) as e:
        body = orjson.dumps({**ASKED, "stream": True})
        said = await e.ask(post(body, path="/v1/messages"))

    assert b"event: error\n" in said.body
    assert b"message_stop" not in said.body


async def test_what_is_no_message_is_refused_in_its_own_words() -> None:
    async with edge() as e, client(e) as made:
        with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
            await made.post("/v1/messages", cast_to=object, body={"model": "x", "messages": HI})
        with pytest.raises(anthropic.NotFoundError, match="does not exist"):
            await made.messages.create(model="no-such", max_tokens=5, messages=HI)


async def test_an_error_of_the_upstream_is_told_in_its_own_words() -> None:
    async with edge(lambda _: error(400, "invalid_value")) as e:
        said = await e.ask(post(orjson.dumps(ASKED), path="/messages"))

    assert said.status == 400
    assert orjson.loads(said.body)["error"]["type"] == "invalid_request_error"


async def test_an_outage_is_overloaded() -> None:
    async with edge(lambda _: UpstreamUnreachable("gone")) as e:
        said = await e.ask(post(orjson.dumps(ASKED), path="/v1/messages"))

    assert said.status == 529
    assert orjson.loads(said.body)["error"]["type"] == "overloaded_error"


async def test_a_prompt_is_counted_without_being_sent() -> None:
    async with edge() as e, client(e) as made:
        counted = await made.messages.count_tokens(model="auto", messages=HI)

    assert counted.input_tokens > 0
    assert e.recorder.calls == []


async def test_a_kept_message_serves_again() -> None:
    answers = iter([whole()])
    async with edge(lambda _: next(answers)) as e, client(e) as made:
        first = await made.messages.create(model="auto", max_tokens=50, messages=HI)
        again = await made.messages.with_raw_response.create(
            model="auto", max_tokens=50, messages=HI
        )

    assert again.headers["x-gateway-cache"] == "hit"
    assert (await again.parse()).content == first.content


async def test_the_decision_is_told_in_a_message_and_in_a_streams_last_words() -> None:
    asked = {"x-gateway-explain": "1"}
    async with (
        edge(lambda request: stream(OPENING, CLOSING + DONE) if request.stream else whole()) as e,
        client(e) as made,
    ):
        message = await made.messages.create(
            model="auto", max_tokens=50, messages=HI, extra_headers=asked
        )
        events = await made.messages.create(
            model="auto", max_tokens=50, messages=HI, stream=True, extra_headers=asked
        )
        told = [event.to_dict() async for event in events]

    assert message.to_dict()["gateway"]["tier"] == "nano"  # type: ignore[index]  # ours
    assert [event["type"] for event in told][-2:] == ["message_delta", "message_stop"]
    assert told[-2]["gateway"]["tier"] == "nano"  # type: ignore[index]  # ours
