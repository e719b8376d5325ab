"""Responses pass byte for byte, both ways, streamed and not."""

from itertools import pairwise

import orjson
import pytest

from tests.fidelity.asked import MEMBERS, PLACED, REFUSED, request
from tests.fidelity.typed import CUT, ERRORS, PASSES, SHORT, typed_streams, whole_responses
from tests.fidelity.world import Got, Said, World, chunked, events, whole

PATH = "/v1/responses"
ANSWER = b'{"object":"response"}'
CALL = b'{"model":"gpt-4.1-mini","input":"x"}'
ROUTED = b'{"model":"auto","input":"x"}'
STREAMED = b'{"model":"auto","input":"x","stream":true}'
REPLIES = whole_responses()
STREAMS = typed_streams()


def ask(world: World, body: bytes, said: Said) -> Got:
    return world.post(body, said, path=PATH)


def split(body: bytes, *cuts: int) -> Said:
    bounds = sorted({0, len(body), *cuts})
    return events(*(body[low:high] for low, high in pairwise(bounds)))


def test_the_corpus_is_large() -> None:
    assert len(set(REPLIES.values())) > 150
    assert len(set(STREAMS.values())) > 100


@pytest.mark.parametrize("where", PLACED)
def test_a_request_arrives_with_its_model_replaced_at_most(world: World, where: str) -> None:
    frame = PLACED[where].replace("messages", "input")
    for name, member in MEMBERS.items():
        shape = request(name, frame.format(member=member))

        named = ask(world, shape.sent(b"gpt-4.1"), whole(ANSWER))
        arrived = world.arrived
        routed = ask(world, shape.sent(b"auto"), whole(ANSWER))

        assert (named.body, arrived) == (ANSWER, shape.sent(b"gpt-4.1")), name
        chosen = routed.field("x-gateway-model") or ""
        assert (routed.body, world.arrived) == (ANSWER, shape.arrives(chosen.encode())), name


def test_a_stream_is_asked_for_as_it_was(world: World) -> None:
    for text in ("true", 'true,"stream_options":{ "include_obfuscation":false }'):
        body = f'{{ "stream" :{text},"model":"gpt-4.1","input":[]}}\n'.encode()

        ask(world, body, events(STREAMS["short"]))

        assert world.arrived == body


def test_a_response_passes_as_it_came(world: World) -> None:
    for name, body in REPLIES.items():
        cuts = [0, 1, len(body) // 2, len(body)]

        got = ask(world, CALL, whole(body))
        pieces = ask(world, ROUTED, chunked(body[low:high] for low, high in pairwise(cuts)))

        assert (got.status, got.body, got.torn) == (200, body, False), name
        assert (pieces.status, pieces.body) == (200, body), name


@pytest.mark.parametrize("call", [CALL, STREAMED], ids=["whole", "streamed"])
def test_an_error_passes_as_it_came(world: World, call: bytes) -> None:
    for name, body in ERRORS.items():
        got = ask(world, call, whole(body, 400))

        assert (got.status, got.body) == (400, body), name


def test_a_stream_passes_as_it_came(world: World) -> None:
    for name, body in STREAMS.items():
        step = max(17, len(body) // 50)

        got = ask(world, STREAMED, events(body))
        pieces = ask(world, STREAMED, split(body, *range(0, len(body), step)))

        assert (got.status, got.body, got.torn) == (200, body, False), name
        assert (pieces.status, pieces.body) == (200, body), name


def test_a_short_stream_may_be_cut_at_any_byte(world: World) -> None:
    body = SHORT.encode()

    for cut in range(1, len(body)):
        assert ask(world, STREAMED, split(body, cut)).body == body, cut


@pytest.mark.parametrize("name", CUT)
def test_a_stream_that_ends_badly_passes_up_to_there_and_says_so(world: World, name: str) -> None:
    got = ask(world, STREAMED, events(CUT[name].encode()))

    passed = PASSES.encode()
    assert (got.status, got.torn) == (200, False)
    assert got.body.startswith(passed)
    event, data, *rest = got.body.removeprefix(passed).split(b"\n")
    assert (event, rest) == (b"event: error", [b"", b""])
    assert orjson.loads(data.removeprefix(b"data: "))["error"]["type"] == "upstream_error"


def test_what_is_no_call_is_refused_and_never_sent(world: World) -> None:
    for name, body in REFUSED.items():
        got = ask(world, body, whole(ANSWER))

        assert got.status == 400, name
        assert got.body.startswith(b'{"error":{"message":"'), name
        assert world.heard == [], name
