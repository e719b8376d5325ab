"""What a reply looks like on the wire."""

import asyncio
import re
import socket

import pytest

from gateway.call import Headers
from tests.fakes import FakeAssessor, assessment
from tests.flow.replies import (
    CLOSING,
    DONE,
    OPENING,
    STREAMED,
    body,
    error,
    stream,
    usage_frame,
    whole,
)
from tests.http.edge import HOST, asking, edge, post, streaming
from tests.http.wires import PATIENCE

UPSTREAMS_OWN: Headers = (
    (b"x-request-id", b"req_upstream"),
    (b"openai-processing-ms", b"123"),
    (b"openai-version", b"2020-10-01"),
    (b"x-ratelimit-remaining-tokens", b"149984"),
    (b"x-ratelimit-reset-requests", b"8.64s"),
    (b"content-language", b"en"),
)
UPSTREAMS_BUSINESS: Headers = (
    (b"set-cookie", b"__cf_bm=1"),
    (b"openai-organization", b"org-1"),
    (b"openai-project", b"proj_1"),
    (b"cf-ray", b"1"),
    (b"server", b"cloudflare"),
    (b"connection", b"keep-alive"),
    (b"keep-alive", b"timeout=5"),
    (b"transfer-encoding", b"gzip, chunked"),
    (b"strict-transport-security", b"max-age=1"),
    (b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
)
DECISION_ID = "req_tg012345678900000001"


async def test_a_whole_reply_keeps_the_upstreams_bytes() -> None:
    odd = b'{"choices": [],\n "id":"\\ud83d", "n":1.0e2, "unknown":null }\n'
    async with edge(lambda _: whole(odd)) as e:
        said = await e.ask(post())

    assert said.status == 200
    assert said.body == odd
    assert said.headers["content-length"] == str(len(odd))
    assert said.headers["content-type"] == "application/json"
    assert "transfer-encoding" not in said.headers


async def test_a_stream_keeps_the_upstreams_frames() -> None:
    async with edge(lambda _: stream()) as e:
        said = await e.ask(streaming())

    assert said.status == 200
    assert said.body == STREAMED
    assert said.headers["transfer-encoding"] == "chunked"
    assert said.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert said.headers["cache-control"] == "no-cache"
    assert said.headers["x-accel-buffering"] == "no"
    assert "content-length" not in said.headers


async def test_a_stream_ends_with_its_usage_if_the_client_asked_for_it() -> None:
    async with edge(lambda _: stream()) as e:
        said = await e.ask(streaming(stream_options={"include_usage": True}))

    assert said.body == OPENING + CLOSING + usage_frame() + DONE


async def test_every_piece_of_a_stream_leaves_when_it_comes() -> None:
    more = asyncio.Event()
    async with edge(lambda _: stream(OPENING, more.wait, CLOSING + DONE)) as e:
        wire = (await e.dial()).send(streaming())
        await wire.head()
        first = await wire.chunk()
        more.set()
        second = await wire.chunk()
        end = await wire.chunk()

    assert (first, second, end) == (OPENING, CLOSING + DONE, b"")


async def test_head_and_first_chunk_leave_in_one_segment() -> None:
    loop, never = asyncio.get_running_loop(), asyncio.Event()
    async with edge(lambda _: stream(OPENING, never.wait)) as e:
        with socket.create_connection((HOST, e.port), PATIENCE) as client:
            client.setblocking(False)
            await loop.sock_sendall(client, streaming())
            segment = await loop.sock_recv(client, 65536)

        await e.recorder.after(1)

    assert segment.startswith(b"HTTP/1.1 200 OK\r\n")
    assert segment.endswith(b"\r\n\r\n%x\r\n%b\r\n" % (len(OPENING), OPENING))


async def test_a_clients_head_and_body_leave_as_one_segment_too() -> None:
    loop = asyncio.get_running_loop()
    async with edge() as e:
        with socket.create_connection((HOST, e.port), PATIENCE) as client:
            client.setblocking(False)
            await loop.sock_sendall(client, post())
            segment = await loop.sock_recv(client, 65536)

    assert segment.endswith(b"\r\n\r\n" + body())


@pytest.mark.parametrize("ask", [post(), streaming()], ids=["whole", "stream"])
async def test_the_upstreams_fields_survive_by_allow_list(ask: bytes) -> None:
    given = UPSTREAMS_OWN + UPSTREAMS_BUSINESS
    async with edge(lambda r: stream(headers=given) if r.stream else whole(headers=given)) as e:
        said = await e.ask(ask)

    shown = dict(said.fields)
    for name, value in UPSTREAMS_OWN:
        assert shown[name.decode()] == value.decode()
    for name, value in UPSTREAMS_BUSINESS:
        assert (name.decode(), value.decode()) not in said.fields
    assert len(shown) == len(said.fields)


async def test_a_reply_is_dated() -> None:
    async with edge() as e:
        said = await e.ask(post())
        refused = await e.ask(post(b"{"))

    stamp = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    assert re.fullmatch(stamp, said.headers["date"])
    assert re.fullmatch(stamp, refused.headers["date"])


async def test_the_gateways_own_fields_are_exact() -> None:
    thinks = assessment(quality=(0.8, 0.80625, 0.8125))
    async with edge(assessor=FakeAssessor(thinks)) as e:
        said = await e.ask(post(asking(temperature=0.7)))

    ours = {name: value for name, value in said.fields if name.startswith("x-gateway-")}
    assert float(ours.pop("x-gateway-overhead-ms")) >= 0
    assert ours == {
        "x-gateway-model": "gpt-4.1-nano",
        "x-gateway-tier": "nano",
        "x-gateway-reason": "adequate; a larger model promises only +0.01 quality",
        "x-gateway-cache": "bypass; temperature",
        "x-gateway-cost-usd": "0.000018",
        "x-gateway-saved-usd": "0.000342",
        "x-gateway-attempts": "1",
        "x-gateway-score": "0.0125",
        "x-gateway-quality": "0.8000,0.8063,0.8125",
        "x-gateway-decision-id": DECISION_ID,
    }


async def test_a_pinned_call_was_not_scored_and_says_no_score() -> None:
    async with edge() as e:
        said = await e.ask(post(asking("gpt-4.1")))

    assert said.headers["x-gateway-reason"] == "pinned; the caller named the model"
    assert said.headers["x-gateway-tier"] == "full"
    assert "x-gateway-score" not in said.headers
    assert "x-gateway-quality" not in said.headers


async def test_a_reply_from_memory_says_so() -> None:
    ask = post(asking(temperature=0, seed=1))
    async with edge() as e:
        first = await e.ask(ask)
        again = await e.ask(ask)

    assert first.headers["x-gateway-cache"] == "miss"
    assert again.headers["x-gateway-cache"] == "hit"
    assert again.headers["x-gateway-cost-usd"] == "0"
    assert again.body == first.body


async def test_a_stream_from_memory_is_a_stream() -> None:
    ask = streaming(temperature=0, seed=1)
    async with edge(lambda _: stream()) as e:
        first = await e.ask(ask)
        again = await e.ask(ask)

        assert len(e.requests) == 1
    assert again.headers["x-gateway-cache"] == "hit"
    assert again.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert again.body == first.body


async def test_the_upstreams_request_id_is_kept_and_ours_is_the_decision() -> None:
    async with edge(lambda _: whole(headers=((b"x-request-id", b"req_theirs"),))) as e:
        said = await e.ask(post())

    assert said.headers["x-request-id"] == "req_theirs"
    assert said.headers["x-gateway-decision-id"] == DECISION_ID


async def test_without_one_from_upstream_the_request_id_is_ours() -> None:
    async with edge() as e:
        said = await e.ask(post())

    assert said.headers["x-request-id"] == DECISION_ID


async def test_a_shared_reply_has_one_request_id() -> None:
    waiting, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        waiting.set()
        await go.wait()

    given = ((b"x-request-id", b"req_theirs"),)
    ask = post(asking(temperature=0, seed=1))
    async with edge(lambda _: whole(wait, body(), headers=given)) as e:
        leader, follower = (await e.dial()).send(ask), await e.dial()
        await waiting.wait()
        follower.send(ask)
        await e.until(lambda: e.flow.in_flight == 2)
        go.set()
        said = [await leader.reply(), await follower.reply()]

        assert len(e.requests) == 1
    assert [one.headers["x-gateway-cache"] for one in said] == ["miss", "shared"]
    for one in said:
        assert len([name for name, _ in one.fields if name == "x-request-id"]) == 1
        assert one.body == body()


async def test_an_upstreams_refusal_passes_with_its_status_and_words() -> None:
    async with edge(lambda _: error(400, "bad_thing", message="You erred.")) as e:
        said = await e.ask(post())

    assert said.status == 400
    assert said.error["message"] == "You erred."
    assert said.headers["x-gateway-cost-usd"] == "0"


async def test_a_status_that_http_does_not_know_leaves_as_a_bad_gateway() -> None:
    async with edge(lambda _: error(722)) as e:
        said = await e.ask(post(asking("gpt-4.1")))

    assert said.status == 502
    assert said.error["message"] == "No."


async def test_a_sdk_may_retry_what_was_tried_once() -> None:
    told = ((b"x-should-retry", b"true"),)
    async with edge(lambda _: error(400, headers=told)) as e:
        plain = await e.ask(post())

        assert plain.headers["x-gateway-attempts"] == "1"
    assert plain.headers["x-should-retry"] == "true"


async def test_a_sdk_must_not_multiply_our_retries() -> None:
    told = ((b"x-should-retry", b"true"),)
    async with edge(lambda _: error(500, headers=told)) as e:
        said = await e.ask(post())

    assert int(said.headers["x-gateway-attempts"]) > 1
    assert [value for name, value in said.fields if name == "x-should-retry"] == ["false"]
