"""A reply that is not streamed reaches the client byte for byte, errors included."""

import gzip
from itertools import pairwise

import pytest

from tests.fidelity.answered import REFUSED, error_replies, whole_replies
from tests.fidelity.world import JSON, Got, Said, World, chunked, living, whole

CALL = b'{"model":"gpt-4.1-mini","messages":[]}'
ROUTED = b'{"model":"auto","messages":[]}'
REPLIES = whole_replies()
ERRORS = error_replies()
# Statuses that are the caller's business: nothing is tried elsewhere, nothing is kept back.
PASSED = (400, 402, 404, 405, 406, 408, 409, 413, 418, 422, 429, 451, 499, 500, 501, 503, 529, 599)


def ours(got: Got) -> set[str]:
    return {name for name, _ in got.fields if name.startswith("x-gateway-")}


def test_the_corpus_is_large() -> None:
    assert len(set(REPLIES.values())) > 200


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_passes_as_it_came(world: World, name: str) -> None:
    got = world.post(CALL, whole(REPLIES[name]))

    assert got.status == 200
    assert got.body == REPLIES[name]
    assert not got.torn


@pytest.mark.parametrize("name", [name for name in REPLIES if len(REPLIES[name]) < 200])
def test_a_routed_calls_reply_passes_as_it_came_in_pieces(world: World, name: str) -> None:
    body = REPLIES[name]
    cuts = [0, 1, len(body) // 2, len(body)]

    got = world.post(ROUTED, chunked(body[low:high] for low, high in pairwise(cuts)))

    assert (got.status, got.body) == (200, body)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_reply_is_an_error_in_openais_words(world: World, name: str) -> None:
    got = world.post(CALL, whole(REFUSED[name]))

    assert got.status == 502
    assert got.field("content-type") == "application/json"
    assert got.body.startswith(b'{"error":{"message":"The upstream')
    assert got.body.endswith(b'"type":"upstream_error","param":null,"code":"upstream_broken"}}')


def test_a_reply_that_ends_early_is_never_passed_on(world: World) -> None:
    said = whole(b'{"choices":[]}')
    torn = Said((said.pieces[0][:-3],), cut=True)

    got = world.post(CALL, torn)

    assert got.status == 502
    assert b'"code":"upstream_truncated"' in got.body


@pytest.mark.parametrize("status", PASSED)
@pytest.mark.parametrize("name", ["usual", "members beside"])
def test_an_error_passes_with_its_status(world: World, status: int, name: str) -> None:
    got = world.post(CALL, whole(ERRORS[name], status))

    assert (got.status, got.body) == (status, ERRORS[name])


@pytest.mark.parametrize("stream", [b"", b',"stream":true'])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_passes_as_it_came(world: World, name: str, stream: bytes) -> None:
    got = world.post(b'{"model":"gpt-4.1"%b}' % stream, whole(ERRORS[name], 400))

    assert (got.status, got.body) == (400, ERRORS[name])
    assert got.field("content-type") == "application/json"


def test_an_errors_own_type_passes(world: World) -> None:
    said = whole(b'{"error":{}}', 422, (("content-type", "application/problem+json; charset=x"),))

    got = world.post(CALL, said)

    assert got.field("content-type") == "application/problem+json; charset=x"


def test_an_error_about_our_own_key_is_not_the_clients() -> None:
    said = b'{"error":{"message":"Incorrect API key provided: sk-upst*cret"}}'

    # A deployment with a dead key is left alone for a while: this takes a world of its own.
    with living() as world:
        missing = world.post(b'{"model":"nano"}', whole(said, 401))
        barred = world.post(b'{"model":"full"}', whole(said, 403))

    assert (missing.status, barred.status) == (502, 502)
    assert b"sk-" not in missing.body + barred.body


def test_a_key_that_an_error_quotes_is_blotted_out(world: World) -> None:
    got = world.post(CALL, whole(b'{"error":{"message":"for sk-upstream-secret"},"x":1.0}', 400))

    assert got.body == b'{"error":{"message":"for ***"},"x":1.0}'


def test_the_fields_clients_read_pass_and_the_others_do_not(world: World) -> None:
    passed = {
        "x-request-id": "req_0af3",
        "openai-processing-ms": "0042",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-ratelimit-remaining-tokens-usage-based": "1",
        "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT",
        "retry-after-ms": "1.5",
        "x-should-retry": "true",
        "content-language": "de-CH",
    }
    kept_back = {
        "set-cookie": "__cf_bm=x; path=/",
        "openai-organization": "org-ours",
        "openai-project": "proj_ours",
        "server": "cloudflare",
        "cf-ray": "9",
        "alt-svc": 'h3=":443"',
        "strict-transport-security": "max-age=1",
        "access-control-expose-headers": "X-Request-ID",
        "x-gateway-model": "of an inner gateway",
        "via": "1.1 x",
        "keep-alive": "timeout=5",
    }

    got = world.post(
        CALL, whole(b'{"choices":[]}', fields=(*JSON, *passed.items(), *kept_back.items()))
    )

    assert {name: got.field(name) for name in passed} == passed
    assert [value for name, value in got.fields if name == "x-gateway-model"] == ["gpt-4.1-mini"]
    assert {name for name, _ in got.fields}.isdisjoint(kept_back.keys() - {"x-gateway-model"})
    assert len(ours(got)) >= 8


def test_fields_keep_their_order_their_case_and_their_bytes(world: World) -> None:
    fields = (
        ("X-RateLimit-B", "Bé  b"),
        ("Content-Type", "APPLICATION/JSON ;charset=UTF-8"),
        ("x-ratelimit-a", ""),
        ("X-Request-ID", 'a "quoted" one'),
    )

    got = world.post(CALL, whole(b'{"choices":[]}', fields=fields))

    kept = [field for field in got.fields if field[0] in {n.lower() for n, _ in fields}]
    assert kept == [(name.lower(), value) for name, value in fields]


def test_a_compressed_reply_passes_compressed(world: World) -> None:
    body = gzip.compress(b'{"choices":[],"x":1.0}')

    got = world.post(CALL, whole(body, fields=(*JSON, ("content-encoding", "gzip"))))

    assert (got.status, got.body) == (200, body)
    assert got.field("content-encoding") == "gzip"


def test_a_kept_reply_is_the_same_reply(world: World) -> None:
    body = b'{ "choices":[ ],"x":1.0,"y":"\\ud83d" }\n'
    kept = (*JSON, ("x-gateway-cache", "force"))
    first = world.post(ROUTED, whole(body), kept)

    again = world.post(ROUTED, whole(b'{"choices":[]}'), kept)

    assert (first.field("x-gateway-cache"), again.field("x-gateway-cache")) == ("miss", "hit")
    assert first.body == again.body == body
    assert world.heard == []
