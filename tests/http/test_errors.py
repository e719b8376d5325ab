"""Every error leaves in OpenAI's envelope, with a request id, and is booked."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.call import Assessment
from gateway.errors import UpstreamTimeout, UpstreamUnreachable
from gateway.flow.parts import Rules
from gateway.ports import Request
from tests.fakes import FakeReply, catalog
from tests.flow.replies import error, never, stream, whole
from tests.http.edge import asking, edge, get, post, streaming
from tests.http.wires import Said

REFUSED = {
    "no JSON": (post(b"{"), 400, "invalid_json", None),
    "nothing": (post(b""), 400, "invalid_json", None),
    "an array": (post(b"[]"), 400, "invalid_json", None),
    "a number": (post(b"1"), 400, "invalid_json", None),
    "NaN": (post(b'{"model":NaN}'), 400, "invalid_json", None),
    "too deep": (post(b'{"a":' * 200 + b"1" + b"}" * 200), 400, "invalid_json", None),
    "invalid UTF-8": (post(b'{"model":"\xff"}'), 400, "invalid_json", None),
    "no model": (post(b'{"messages":[]}'), 400, "invalid_value", "model"),
    "an empty model": (post(asking("")), 400, "invalid_value", "model"),
    "a model that is a number": (post(b'{"model":1}'), 400, "invalid_value", "model"),
    "an unknown model": (post(asking("gpt-9")), 404, "model_not_found", None),
    "half a surrogate": (post(b'{"model":"\\ud83d"}'), 404, "model_not_found", None),
    "a bad dial": (
        post(None, "x-gateway-quality: 7"),
        400,
        "invalid_value",
        "x-gateway-quality",
    ),
    "a bad tier": (
        post(None, "x-gateway-tier: huge"),
        400,
        "invalid_value",
        "x-gateway-tier",
    ),
    "a bad cap": (
        post(None, "x-gateway-max-cost-usd: -1"),
        400,
        "invalid_value",
        "x-gateway-max-cost-usd",
    ),
    "a cap below all": (
        post(None, "x-gateway-max-cost-usd: 0.000000001"),
        400,
        "no_feasible_tier",
        None,
    ),
    "text": (
        post().replace(b"application/json", b"text/plain"),
        415,
        "unsupported_media_type",
        None,
    ),
    "a form": (
        post().replace(b"application/json", b"multipart/form-data; boundary=x"),
        415,
        "unsupported_media_type",
        None,
    ),
    "a compressed body": (
        post(None, "Content-Encoding: gzip"),
        415,
        "unsupported_media_type",
        None,
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_served_is_refused_and_the_connection_stays(
    case: tuple[bytes, int, str, str | None],
) -> None:
    ask, status, code, param = case
    async with edge() as e:
        wire = await e.dial()
        said = await wire.ask(ask)
        after = await wire.ask(post())

        assert len(e.requests) == 1
        (refused, _) = e.recorder.calls
        assert refused.id == said.headers["x-request-id"]
        assert refused.status == status
    assert said.status == status
    assert said.error["type"] == "invalid_request_error"
    assert said.error["code"] == code
    assert said.error["param"] == param or param is None
    assert said.headers["x-should-retry"] == "false"
    assert after.status == 200


PAGES = {
    "an unknown address": (get("/v2/chat"), 404, "unknown_url"),
    "the root": (get("/"), 404, "unknown_url"),
    "an embedding without v1": (post(path="/embeddings"), 404, "unknown_url"),
    "a path that climbs": (get("/v1/files/../models"), 404, "unknown_url"),
    "one without v1": (get("/chat/completions"), 405, "method_not_allowed"),
    "a list that is posted": (post(path="/v1/models"), 405, "method_not_allowed"),
    "an unknown method": (get("/healthz", method="PROPFIND"), 405, "method_not_allowed"),
    "a model nobody has": (get("/v1/models/gpt-9"), 404, "model_not_found"),
    "an address that acts": (get("/%0d%0aset-cookie:a=b"), 404, "unknown_url"),
}


@pytest.mark.parametrize("case", PAGES.values(), ids=PAGES.keys())
async def test_pages_refuse_in_the_same_envelope(case: tuple[bytes, int, str]) -> None:
    ask, status, code = case
    async with edge() as e:
        wire = await e.dial()
        said = await wire.ask(ask)
        after = await wire.ask(post())

    assert said.status == status
    assert said.error["type"] == "invalid_request_error"
    assert said.error["code"] == code
    assert said.headers["x-request-id"].startswith("req_tg")
    assert "set-cookie" not in said.headers
    assert after.status == 200


@pytest.mark.parametrize(
    ("path", "allowed"), [("/chat/completions", "POST"), ("/v1/models", "GET"), ("/metrics", "GET")]
)
async def test_a_method_that_is_not_allowed_is_told_which_are(path: str, allowed: str) -> None:
    async with edge() as e:
        said = await e.ask(get(path, method="PUT"))

    assert said.status == 405
    assert said.headers["allow"] == allowed


class Defect:
    """An assessor with a bug, whose message no client may see."""

    def assess(self, document: Mapping[str, Any]) -> Assessment:
        message = "secret detail"
        raise RuntimeError(message)

    def count(self, document: Mapping[str, Any]) -> int:
        raise NotImplementedError


def says_nothing(said: Said) -> bool:
    return said.status == 500 and said.error == {
        "message": "Something went wrong in the gateway.",
        "type": "server_error",
        "param": None,
        "code": "internal_error",
    }


async def test_a_defect_is_a_500_that_tells_the_log_and_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with edge(assessor=Defect()) as e:
        wire = await e.dial()
        said = await wire.ask(post())
        after = await wire.ask(post(asking("gpt-4.1")))

        assert e.recorder.calls[0].outcome == "gateway_internal"
    assert says_nothing(said)
    assert b"secret" not in said.body
    (record,) = [r for r in caplog.records if r.name == "tiergate.http"]
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"call {said.headers['x-request-id']} failed"
    assert record.exc_info is not None
    assert after.status == 200


async def test_a_page_with_a_defect_is_a_500_of_the_same_kind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_accept: str) -> bytes:
        message = "secret detail"
        raise RuntimeError(message)

    async with edge(render=broken) as e:
        said = await e.ask(get("/metrics"))

    assert says_nothing(said)
    assert any(record.exc_info for record in caplog.records)


async def test_too_many_calls_are_shed_at_once() -> None:
    async with edge(never, rules=Rules(max_in_flight=1)) as e:
        (await e.dial()).send(post(asking(temperature=1)))
        await e.until(lambda: bool(e.requests))
        said = await e.ask(post(asking(temperature=1)))

    assert said.status == 503
    assert said.error["code"] == "gateway_overloaded"
    assert said.error["type"] == "server_error"
    assert said.headers["retry-after"] == "1"
    assert said.headers["x-should-retry"] == "true"


@pytest.mark.parametrize("ask", [post(), streaming()], ids=["whole", "stream"])
async def test_upstreams_that_are_all_gone_are_a_503(ask: bytes) -> None:
    async with edge(lambda _: UpstreamUnreachable("secret address"), where=catalog(spares=1)) as e:
        said = await e.ask(ask)

        assert len(e.requests) > 1
    assert said.status == 503
    assert said.error["type"] == "upstream_error"
    assert said.error["code"] == "upstreams_exhausted"
    assert said.headers["retry-after"].isdigit()
    assert said.headers["x-should-retry"] == "false"
    assert b"secret" not in said.body


async def test_one_upstream_that_is_too_slow_is_a_504() -> None:
    slow = UpstreamTimeout("The upstream did not answer in time.")
    async with edge(lambda _: slow, rules=Rules(max_attempts=1)) as e:
        said = await e.ask(post(asking("gpt-4.1")))

    assert said.status == 504
    assert said.error["code"] == "upstream_timeout"


@pytest.mark.parametrize("ask", [post(asking("gpt-4.1")), streaming(model="gpt-4.1")])
async def test_an_upstream_that_talks_nonsense_is_a_502(ask: bytes) -> None:
    def nonsense(request: Request) -> FakeReply:
        return stream(b"data: <html>\n\n") if request.stream else whole(b"<html>")

    async with edge(nonsense, rules=Rules(max_attempts=1)) as e:
        said = await e.ask(ask)

    assert said.status == 502
    assert said.error["code"] == "upstream_broken"


async def test_a_stream_that_is_refused_is_refused_in_json() -> None:
    async with edge(lambda _: error(429, "rate_limit_exceeded")) as e:
        said = await e.ask(streaming(model="gpt-4.1"))

    assert said.status == 429
    assert said.error["code"] == "rate_limit_exceeded"
    assert "transfer-encoding" not in said.headers
