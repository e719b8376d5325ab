"""What must not cross the gateway, whatever happens."""

import logging

import orjson
import pytest

from gateway.ended import Ended
from gateway.observe.lines import Format, spelling
from gateway.observe.text import Scrubber
from tests.flow.replies import error, stream
from tests.http.edge import asking, edge, get, post, streaming
from tests.http.wires import Said

CANARY = "sk-canary-0123456789abcdef"
THEIRS = (
    f"Authorization: Bearer {CANARY}",
    f"api-key: {CANARY}",
    f"Cookie: session={CANARY}",
    f"OpenAI-Organization: {CANARY}",
    f"x-gateway-note: {CANARY}",
    f"X-Forwarded-For: {CANARY}",
    f"Proxy-Authorization: Basic {CANARY}",
)


def lines(calls: list[Ended]) -> bytes:
    """What the log says of these calls."""
    spelt = spelling(Format.JSON, Scrubber(()), terminal=False)
    return b"".join(spelt.call(0.0, call) for call in calls)


ASKS = {
    "whole": post(None, *THEIRS),
    "stream": streaming(*THEIRS),
    "no JSON": post(b"{", *THEIRS),
    "a bad knob": post(None, *THEIRS, "x-gateway-tier: no"),
    "a page": get("/v1/models", *THEIRS),
    "no page": get("/v1/nothing", *THEIRS),
    "too much": post(b"", *THEIRS).replace(b"Length: 0", b"Length: 99999999"),
    "no HTTP": post(None, *THEIRS, "\x01"),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
async def test_a_clients_credentials_stay_at_the_edge(
    ask: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with edge(lambda r: stream() if r.stream else error(400)) as e:
        said = await e.ask(ask)
        page = await e.ask(get("/metrics"))

        upstream = repr([(request.headers, request.body) for request in e.requests])
        logged = lines(e.recorder.calls)
    assert CANARY not in upstream
    assert CANARY.encode() not in said.body + logged + page.body
    assert CANARY not in repr(said.fields) + caplog.text


async def test_an_upstreams_key_that_an_error_quotes_is_hidden() -> None:
    quoting = "Incorrect API key provided: sk-upstream-secret."
    async with edge(lambda _: error(400, message=quoting)) as e:
        said = await e.ask(post())

    assert b"sk-upstream-secret" not in said.body
    assert said.status == 400


@pytest.mark.parametrize("status", [401, 403])
async def test_an_upstream_that_refuses_our_key_is_a_bad_gateway(status: int) -> None:
    async with edge(lambda _: error(status, message="Your key sk-upstr*** is wrong.")) as e:
        said = await e.ask(post(asking("gpt-4.1")))

    assert said.status == 502
    assert b"sk-upstr" not in said.body


def echoes_nothing(said: Said) -> bool:
    return not any("evil" in name or "evil" in value for name, value in said.fields)


@pytest.mark.parametrize(
    "field",
    ["x-session-id: evil\ttab", "x-request-id: evil", "Origin: https://evil", "Host: evil"],
)
async def test_what_a_client_says_in_its_head_is_not_echoed(field: str) -> None:
    async with edge() as e:
        said = await e.ask(post(None, field))
        page = await e.ask(get("/v1/models", field))

    assert echoes_nothing(said)
    assert echoes_nothing(page)


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b[2J", "\x7f", "\r", "\n"])
async def test_control_characters_in_a_head_are_refused(control: str) -> None:
    async with edge() as e:
        said = await e.ask(post(None, f"x-session-id: evil{control}x"))

        assert e.requests == []
    assert said.status == 400
    assert echoes_nothing(said)


async def test_a_name_that_acts_is_quoted_as_json_and_in_no_field() -> None:
    name = "evil\r\nset-cookie: a=b\x1b[2J"
    async with edge() as e:
        said = await e.ask(post(asking(name)))
        logged = lines(e.recorder.calls)

    assert said.status == 404
    assert echoes_nothing(said)
    assert name in orjson.loads(said.body)["error"]["message"]
    assert logged.count(b"\n") == 1
    assert b"\x1b" not in logged
