"""The client most calls come from, against the edge and the real upstream client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from gateway.errors import UpstreamTruncated, UpstreamUnreachable
from gateway.flow.parts import Rules
from gateway.upstream.client import DirectUpstream
from tests.fakes import catalog
from tests.flow.replies import CLOSING, DONE, OPENING, body, error, stream, whole
from tests.http.edge import HOST, Edge, edge
from tests.upstream.far_end import says, serving

HI: list[Any] = [{"role": "user", "content": "Hi"}]


@asynccontextmanager
async def client(e: Edge, **more: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    url = f"http://{HOST}:{e.port}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key="any", **more) as made:
        yield made


async def test_it_reads_a_whole_reply_and_our_fields() -> None:
    async with edge() as e, client(e) as openai_client:
        raw = await openai_client.chat.completions.with_raw_response.create(
            model="auto", messages=HI
        )

    assert raw.parse().choices[0].message.content == "Paris."
    assert raw.headers["x-gateway-tier"] == "nano"
    assert raw.request_id == raw.headers["x-gateway-decision-id"]


async def test_it_reads_a_stream_through_the_real_upstream_client() -> None:
    frames = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (OPENING, CLOSING + DONE))
    upstream = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-request-id: req_theirs\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + frames + b"0\r\n\r\n"
    )
    async with (
        serving(says(upstream)) as far,
        edge(upstream=DirectUpstream(), where=catalog(url=f"http://{HOST}:{far.port}/v1")) as e,
        client(e) as openai_client,
    ):
        pieces = await openai_client.chat.completions.create(model="auto", messages=HI, stream=True)
        text = "".join([piece.choices[0].delta.content or "" async for piece in pieces])

    assert text == "Paris."


async def test_it_raises_on_a_stream_that_was_cut() -> None:
    cut = UpstreamTruncated("The upstream's stream ended.")
    async with edge(lambda _: stream(OPENING, cut)) as e, client(e) as openai_client:
        pieces = await openai_client.chat.completions.create(model="auto", messages=HI, stream=True)
        with pytest.raises(openai.APIError, match="stream ended"):
            [piece async for piece in pieces]


async def test_it_knows_our_errors_by_their_kind() -> None:
    async with edge() as e, client(e) as openai_client:
        with pytest.raises(openai.NotFoundError) as not_found:
            await openai_client.chat.completions.create(model="gpt-9", messages=HI)
        with pytest.raises(openai.BadRequestError) as bad:
            await openai_client.chat.completions.create(
                model="auto", messages=HI, extra_headers={"x-gateway-quality": "7"}
            )

    assert not_found.value.code == "model_not_found"
    assert bad.value.param == "x-gateway-quality"
    assert bad.value.request_id


async def test_it_does_not_multiply_our_retries() -> None:
    async with (
        edge(lambda _: UpstreamUnreachable("down"), where=catalog(spares=1)) as e,
        client(e, max_retries=5) as openai_client,
    ):
        with pytest.raises(openai.InternalServerError):
            await openai_client.chat.completions.create(model="auto", messages=HI)

        assert len(e.recorder.calls) == 1
        assert len(e.requests) <= Rules().max_attempts


async def test_it_lists_models() -> None:
    async with edge() as e, client(e) as openai_client:
        listed = [one.id async for one in openai_client.models.list()]
        one = await openai_client.models.retrieve("auto:nitro")

    assert {"auto", "nano", "gpt-4.1"} <= set(listed)
    assert one.id == "auto:nitro"


async def test_it_may_ask_for_the_decision_in_the_body() -> None:
    async with edge(lambda _: whole(body())) as e, client(e) as openai_client:
        said = await openai_client.chat.completions.create(
            model="auto", messages=HI, extra_headers={"x-gateway-explain": "1"}
        )

    assert said.model_extra is not None
    assert said.model_extra["gateway"]["tier"] == "nano"


async def test_it_reads_an_upstreams_refusal() -> None:
    async with (
        edge(lambda _: error(400, "context_length_exceeded", message="Too long.")) as e,
        client(e) as openai_client,
    ):
        with pytest.raises(openai.BadRequestError, match="Too long"):
            await openai_client.chat.completions.create(model="gpt-4.1", messages=HI)
