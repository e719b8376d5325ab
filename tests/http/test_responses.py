"""OpenAI's Responses through the edge: bytes untouched, ids remembered, errors as spelled there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import orjson
import pytest

from gateway.errors import UpstreamTruncated
from gateway.ports import Request
from tests.fakes import FakeReply
from tests.flow.replies import stream
from tests.http.edge import HOST, Edge, edge, post

MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Paris.", "annotations": []}],
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-4.1-nano-2025-04-14",
    "output": [MESSAGE],
    "usage": {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 12,
    },
}


def event(number: int, kind: str, **more: Any) -> bytes:
    data = orjson.dumps({"type": kind, "sequence_number": number, **more})
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


CREATED = event(
    0, "response.created", response={**RESPONSE, "status": "in_progress", "usage": None}
)
DELTA = event(1, "response.output_text.delta", item_id="msg_1", delta="Paris.")
COMPLETED = event(2, "response.completed", response=RESPONSE)


def answered(_request: Request) -> FakeReply:
    headers = ((b"content-type", b"application/json"),)
    return FakeReply(200, headers, (orjson.dumps(RESPONSE),))


@asynccontextmanager
async def client(e: Edge) -> AsyncIterator[openai.AsyncOpenAI]:
    url = f"http://{HOST}:{e.port}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as made:
        yield made


async def test_its_client_reads_a_whole_response_and_the_books_its_usage() -> None:
    async with edge(answered) as e, client(e) as made:
        raw = await made.responses.with_raw_response.create(model="auto", input="Capital?")
        ended = (await e.recorder.after(1))[0]

    assert raw.parse().output_text == "Paris."
    assert raw.headers["x-gateway-tier"] == "nano"
    assert raw.headers["x-gateway-cache"] == "bypass; state"
    assert (ended.usage.prompt, ended.usage.completion, ended.usage.cached) == (9, 3, 4)


async def test_bytes_go_both_ways_untouched_but_for_the_model() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> FakeReply:
        asked.append(request)
        return answered(request)

    body = b'{ "input" :"Hi",  "model":"auto", "store":false,"x":1.50 }'
    async with edge(answer) as e:
        said = await e.ask(post(body, path="/v1/responses"))

    assert said.body == orjson.dumps(RESPONSE)
    assert asked[0].path == "/responses"
    assert asked[0].body == body.replace(b'"auto"', b'"gpt-4.1-nano"')


async def test_a_stream_passes_event_for_event() -> None:
    async with edge(lambda _: stream(CREATED, DELTA + COMPLETED)) as e:
        body = orjson.dumps({"model": "auto", "input": "Hi", "stream": True})
        said = await e.ask(post(body, path="/v1/responses"))
        ended = (await e.recorder.after(1))[0]

    assert said.body == CREATED + DELTA + COMPLETED
    assert (ended.outcome, ended.usage.completion) == ("ok", 3)


async def test_a_stream_that_was_cut_ends_with_the_next_number() -> None:
    cut = UpstreamTruncated("The upstream's stream ended.")
    async with edge(lambda _: stream(CREATED + DELTA, cut)) as e:
        body = orjson.dumps({"model": "auto", "input": "Hi", "stream": True})
        said = await e.ask(post(body, path="/responses"))

    last = said.body.removeprefix(CREATED + DELTA)
    assert last.startswith(b"event: error\n")
    assert b'"sequence_number":2' in last


async def test_an_unknown_model_is_spelled_as_there() -> None:
    async with edge(answered) as e, client(e) as made:
        with pytest.raises(openai.BadRequestError) as refused:
            await made.responses.create(model="no-such", input="Hi")

    assert (refused.value.param, refused.value.code) == ("model", "model_not_found")


async def test_what_refers_to_an_answer_goes_where_that_was_made() -> None:
    tiers = []

    def answer(request: Request) -> FakeReply:
        tiers.append(request.deployment.name)
        return answered(request)

    async with edge(answer) as e, client(e) as made:
        await made.responses.create(model="full", input="Hi")
        raw = await made.responses.with_raw_response.create(
            model="auto", input="And?", previous_response_id="resp_1"
        )

    assert tiers[1] == tiers[0]
    assert raw.headers["x-gateway-reason"].startswith("sticky")


async def test_an_id_from_a_stream_is_remembered_too() -> None:
    tiers = []

    def answer(request: Request) -> FakeReply:
        tiers.append(request.deployment.name)
        return stream(CREATED, COMPLETED) if request.stream else answered(request)

    async with edge(answer) as e, client(e) as made:
        pieces = await made.responses.create(model="mini", input="Hi", stream=True)
        assert [piece.type async for piece in pieces][-1] == "response.completed"
        await made.responses.create(model="auto", input="And?", previous_response_id="resp_1")

    assert tiers[1] == tiers[0]


async def test_an_unknown_id_pins_nothing() -> None:
    async with edge(answered) as e, client(e) as made:
        raw = await made.responses.with_raw_response.create(
            model="auto", input="And?", previous_response_id="resp_elsewhere"
        )

    assert raw.headers["x-gateway-tier"] == "nano"


async def test_the_decision_is_told_in_a_streams_last_event_and_its_client_can_read_it() -> None:
    explain = {"x-gateway-explain": "1"}
    async with edge(lambda _: stream(CREATED, DELTA, COMPLETED)) as e, client(e) as made:
        events = await made.responses.create(
            model="auto", input="Capital?", stream=True, extra_headers=explain
        )
        seen = [event async for event in events]
        ended = (await e.recorder.after(1))[0]

    assert [event.type for event in seen] == [
        "response.created",
        "response.output_text.delta",
        "response.completed",
    ]
    told = seen[-1].to_dict()["gateway"]
    assert isinstance(told, dict)
    assert (told["decision_id"], told["tier"]) == (ended.id, "nano")
    assert told["usage"]["completion"] == 3
    assert seen[-1].to_dict()["response"] == RESPONSE


async def test_a_stream_that_came_at_once_is_told_too() -> None:
    async with edge(lambda _: stream(CREATED + DELTA + COMPLETED)) as e:
        asked = {"model": "auto", "input": "Hi", "stream": True}
        said = await e.ask(post(orjson.dumps(asked), "x-gateway-explain: 1", path="/v1/responses"))

    assert said.body.startswith(CREATED + DELTA + COMPLETED[:-3] + b',"gateway":{')
    assert said.body.endswith(b"}}\n\n")
