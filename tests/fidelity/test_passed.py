"""What is not routed passes byte for byte: any method, any body, both ways, at every split."""

from itertools import cycle, pairwise

import pytest

from tests.fidelity.answered import REFUSED as NO_REPLIES, error_replies, whole_replies
from tests.fidelity.asked import MEMBERS, PLACED, REFUSED as NO_CALLS, request
from tests.fidelity.streamed import streams
from tests.fidelity.world import JSON, Fields, Said, World, chunked, events, whole

# Where JSON goes that the gateway reads, and that which it does not know.
ENDPOINTS = {
    "/v1/completions": b"gpt-3.5-turbo-instruct",
    "/v1/embeddings": b"text-embedding-3-small",
    "/v1/moderations": b"omni-moderation-latest",
    "/v1/images/generations": b"gpt-image-1",
    "/v1/chat/completions/chatcmpl-1": b"gpt-4.1",
    "/v1/responses/resp_1/cancel": b"gpt-4.1",
    "/v1/responses/input_tokens": b"gpt-4.1",
    "/v1/not/invented/yet": b"gpt-9",
}
ERRORS = error_replies()
# Whatever the upstream says here is the client's, JSON or not.
REPLIES = {**whole_replies(), **ERRORS, **NO_REPLIES}
STATUSES = (200, 201, 202, 206, 302, 400, 402, 404, 405, 409, 413, 422, 429, 500, 503, 529)
STREAMS = streams()
# Its end is known, and so needed.
LEGACY = (
    b'data: {"choices":[{"text":"\xc3\xbc\\ud83d","index":0,"finish_reason":null}]}\n\n'
    b': c\r\n\r\ndata:{"choices":[ ],"x":1.0}\n\ndata: [DONE]\n\n'
)
STORED = (
    ("GET", "/v1/chat/completions?limit=2&order=desc&metadata[a]=b%20c&after="),
    ("GET", "/v1/chat/completions/chatcmpl-A1_%C3%BC"),
    ("GET", "/v1/chat/completions/chatcmpl-1/messages?after=x&after=y"),
    ("DELETE", "/v1/chat/completions/chatcmpl-1"),
    ("GET", "/v1/responses/resp_1?include[]=a.b&stream=false"),
    ("GET", "/v1/responses/resp_1/input_items?"),
    ("DELETE", "/v1/responses/resp_1"),
    ("GET", "/v1/files/file-1/content"),
    ("DELETE", "/v1/models/ft:gpt-4.1:org::1"),
    ("PUT", "/v1/not/invented/yet?x"),
    ("PATCH", "/v1/not/invented/yet"),
)
LINE = "a'b(c)+_,-./:=?"
FORM: Fields = (("content-type", f'multipart/form-data; boundary="{LINE}"; charset=x'),)
EVERY_BYTE = bytes(range(256))
PART = (
    f'--{LINE}\r\nContent-Disposition: form-data; name="file"; filename="ü \\"x\\".jsonl"\r\n'
    'X-Odd: {"model":"auto"}\r\n\r\n'
).encode()


def pieces(body: bytes, step: int) -> list[bytes]:
    return [body[low : low + step] for low in range(0, len(body), step)]


def cut(body: bytes, at: int) -> Said:
    return events(body[:at], body[at:])


@pytest.mark.parametrize("path", ENDPOINTS)
def test_json_arrives_as_it_was_written(world: World, path: str) -> None:
    for (name, member), (where, frame) in zip(MEMBERS.items(), cycle(PLACED.items()), strict=False):
        text = frame.replace("messages", "input").format(member=member)
        body = request(name, text).sent(ENDPOINTS[path])

        got = world.post(body, whole(b"{ }"), path=path)

        assert (got.status, got.body, world.arrived) == (200, b"{ }", body), (name, where)


@pytest.mark.parametrize("name", NO_CALLS)
def test_what_is_wrong_with_json_is_for_the_upstream_to_say(world: World, name: str) -> None:
    said = whole(b'{"error":{"message":"no","x":1.0}}', 400)
    body = NO_CALLS[name].replace(b'"auto"', b'"gpt-9"')

    got = world.post(body, said, path="/v1/not/invented/yet")

    assert (got.status, got.body) == (400, b'{"error":{"message":"no","x":1.0}}')
    assert world.arrived == body


def test_whatever_is_answered_passes_as_it_came(world: World) -> None:
    for (name, body), path in zip(REPLIES.items(), cycle(ENDPOINTS), strict=False):
        got = world.post(b'{"model":"%b"}' % ENDPOINTS[path], whole(body), path=path)

        assert (got.status, got.body, got.torn) == (200, body, False), (name, path)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_passes_with_its_body(world: World, status: int) -> None:
    for name in ("members beside", "half a surrogate", "html", "nothing", "broken utf-8"):
        got = world.post(b'{"model":"gpt-9"}', whole(REPLIES[name], status), path="/v1/batches")

        assert (got.status, got.body) == (status, REPLIES[name]), name


@pytest.mark.parametrize(("method", "target"), STORED)
def test_a_path_a_method_and_a_query_arrive_as_they_are(
    world: World, method: str, target: str
) -> None:
    body = REPLIES["lone high surrogate, behind"]

    got = world.ask(method, target, whole(body), (), ())

    assert (got.status, got.body, world.arrived) == (200, body, b"")
    assert world.heard[0].head.startswith(f"{method} {target} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("length", [True, False], ids=["of known length", "in chunks"])
@pytest.mark.parametrize("step", [1, 7, 65_536])
def test_a_form_arrives_as_it_was_written(world: World, step: int, length: bool) -> None:
    file = EVERY_BYTE * min(step, 4000)
    body = PART + file + f"\r\n--{LINE}--\r\nepilogue\x00".encode()
    framing = ("content-length", str(len(body))) if length else ("transfer-encoding", "chunked")

    said = whole(EVERY_BYTE)
    got = world.ask("POST", "/v1/files", said, pieces(body, step), (*FORM, framing))

    assert (got.status, got.body) == (200, EVERY_BYTE)
    assert world.arrived == body
    assert world.heard[0].fields()["content-type"] == FORM[0][1]


@pytest.mark.parametrize("kind", ["application/sdp", "audio/mpeg", "text/plain; charset=utf-16"])
def test_a_body_of_any_kind_passes_both_ways(world: World, kind: str) -> None:
    fields = (("content-type", kind), ("content-language", "de-CH"))

    got = world.post(EVERY_BYTE, whole(EVERY_BYTE, 201, fields), fields, "/v1/realtime/calls")

    assert (got.status, got.body, got.field("content-type")) == (201, EVERY_BYTE, kind)
    assert world.arrived == EVERY_BYTE


def test_events_of_any_kind_pass_as_they_came(world: World) -> None:
    call = b'{"model":"gpt-image-1","stream":true}'

    for name, stream in STREAMS.items():
        body = stream.asked()
        said = events(*pieces(body, max(97, len(body) // 50)))

        got = world.post(call, said, path="/v1/images/generations")

        assert (got.status, got.body, got.torn) == (200, body, False), name
        assert got.field("content-type") == "text/event-stream; charset=utf-8", name


def test_a_legacy_stream_may_be_cut_at_any_byte(world: World) -> None:
    call = b'{"model":"gpt-3.5-turbo-instruct","prompt":"x","stream":true}'

    for at in range(1, len(LEGACY)):
        got = world.post(call, cut(LEGACY, at), path="/v1/completions")

        assert (got.body, got.torn) == (LEGACY, False), at


def test_a_reply_may_be_cut_at_any_byte(world: World) -> None:
    body = REPLIES["lone high surrogate, behind"]

    for low, high in pairwise(range(len(body))):
        said = chunked((body[:low], body[low:high], body[high:]))

        assert world.post(b"{}", said, JSON, "/v1/evals").body == body


def test_the_fields_that_describe_a_reply_pass_and_the_accounts_do_not(world: World) -> None:
    passed = {
        "x-request-id": "req_0af3",
        "openai-processing-ms": "0042",
        "openai-version": "2020-10-01",
        "openai-poll-after-ms": "1500",
        "x-ratelimit-remaining-tokens-usage-based": "1",
        "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT",
        "content-disposition": "attachment; filename=\"a 'b'.bin\"",
        "content-range": "bytes 5-9/10",
        "content-encoding": "gzip",
        "etag": 'W/"x"',
        "location": "/v1/realtime/calls/rtc_1",
    }
    kept_back = {"openai-organization": "org-ours", "set-cookie": "a=b", "cf-ray": "9", "via": "x"}
    said = whole(EVERY_BYTE, 206, (*passed.items(), *kept_back.items()))

    got = world.ask("GET", "/v1/files/file-1/content", said, (), ())

    assert got.body == EVERY_BYTE
    assert {name: got.field(name) for name in passed} == passed
    assert {name for name, _ in got.fields}.isdisjoint(kept_back)


def test_an_address_elsewhere_does_not_pass(world: World) -> None:
    for address in ("https://elsewhere.example/x", "//elsewhere.example/x", "x"):
        got = world.post(b"{}", whole(b"", 302, (("location", address),)), JSON, "/v1/files")

        assert (got.status, got.field("location")) == (302, None)


def test_only_what_describes_a_request_goes_on(world: World) -> None:
    passed = {
        "range": "bytes=5-9",
        "if-range": '"x"',
        "if-none-match": '"x", "y"',
        "if-modified-since": "Wed, 21 Oct 2026 07:28:00 GMT",
        "openai-beta": "assistants=v2",
        "idempotency-key": "k",
        "x-stainless-custom-poll-interval": "5",
        "user-agent": "Ünique/1.0  (two  blanks)",
        "accept": "application/binary",
    }
    kept_back = {"cookie": "a=b", "openai-organization": "org-client", "x-forwarded-for": "::1"}

    world.ask(
        "GET", "/v1/files/file-1/content", whole(b""), (), (*passed.items(), *kept_back.items())
    )

    fields = world.heard[0].fields()
    assert {name: fields.get(name) for name in passed} == passed
    assert fields.keys().isdisjoint(kept_back)
    assert fields["authorization"] == "Bearer sk-upstream-secret"
