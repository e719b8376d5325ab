"""What a collector answers, as the sending of traces understands it."""

from dataclasses import replace

import pytest

from gateway.app.traces import tracing
from gateway.clock import SystemClock
from gateway.errors import UpstreamError, UpstreamUnreachable
from gateway.observe.tracing import Tracing
from gateway.settings.schema import Settings
from gateway.spans import Trace
from tests.fakes import FakeReply, FakeUpstream
from tests.observe.events import USUAL


async def sent(answer: FakeReply | UpstreamError) -> tuple[Tracing, FakeUpstream]:
    upstream = FakeUpstream(lambda _: answer)
    settings = Settings.model_validate({"tracing": {"endpoint": "http://collector:4318"}})
    made = tracing(settings, SystemClock(), upstream)
    assert made is not None
    made.ended(replace(USUAL, trace=Trace("1" * 32, "2" * 16)))
    await made.look()
    await made.look()
    return made, upstream


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        *((b"", 0), (b"{}", 0), (b"[]", 0), (b'{"partialSuccess":null}', 0), (b"\x0a\x02", 0)),
        (b'{"partialSuccess":{"errorMessage":"slow down"}}', 0),
        (b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}', 1),
        (b'{"partialSuccess":{"rejectedSpans":1}}', 1),
        (b'{"partialSuccess":{"rejectedSpans":"-1"}}', 0),
    ],
)
async def test_a_collector_says_how_much_it_did_not_keep(body: bytes, refused: int) -> None:
    made, upstream = await sent(FakeReply(200, (), (body,)))

    assert made.spans() == {"sent": 1 - refused, "dropped": 0, "refused": refused}
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", [b"30", b"Wed, 21 Oct 2026 07:28:00 GMT", b"\xb2"])
async def test_a_collector_that_has_no_time_is_asked_later(status: int, wait: bytes) -> None:
    made, upstream = await sent(FakeReply(status, ((b"retry-after", wait),), (b"busy",)))

    assert (len(upstream.requests), made.waiting()) == (1, 1)


async def test_a_collector_that_is_not_there_is_asked_later() -> None:
    made, upstream = await sent(UpstreamUnreachable("refused"))

    assert (len(upstream.requests), made.waiting()) == (1, 1)
