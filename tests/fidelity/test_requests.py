"""A request arrives upstream byte for byte, but for what routing must change."""

import pytest

from tests.fidelity.asked import (
    KNOBS,
    OPTIONS,
    REFUSED,
    STREAMED,
    Request,
    all_requests,
)
from tests.fidelity.world import PATH, Got, World, events, whole

REQUESTS = all_requests()
ANSWER = b'{"choices":[]}'
FRAMES = (
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
)


def ask(world: World, body: bytes, *fields: tuple[str, str]) -> Got:
    return world.post(body, whole(ANSWER), (("content-type", "application/json"), *fields))


def chosen(got: Got) -> bytes:
    model = got.field("x-gateway-model")
    assert model is not None
    return model.encode()


def test_the_corpus_is_large() -> None:
    bodies = {shape.marked for shape in (*REQUESTS.values(), *KNOBS, *STREAMED)}

    assert len(bodies) > 250


@pytest.mark.parametrize("name", REQUESTS)
def test_a_call_that_names_its_model_arrives_untouched(world: World, name: str) -> None:
    body = REQUESTS[name].sent(b"gpt-4.1")

    got = ask(world, body)

    assert (got.status, got.body) == (200, ANSWER)
    assert world.arrived == body


@pytest.mark.parametrize("name", REQUESTS)
def test_a_routed_call_arrives_with_another_model_and_nothing_else_changed(
    world: World, name: str
) -> None:
    got = ask(world, REQUESTS[name].sent(b"auto"))

    assert (got.status, got.body) == (200, ANSWER)
    assert world.arrived == REQUESTS[name].arrives(chosen(got))


@pytest.mark.parametrize(
    "requested", ["nano", "mini", "full", "auto:floor", "auto:nitro", "gpt-4o"]
)
def test_every_name_that_routes_is_replaced_in_place(world: World, requested: str) -> None:
    shape = REQUESTS["lone high surrogate, between"]

    got = ask(world, shape.sent(requested.encode()))

    assert world.arrived == shape.arrives(chosen(got))


def test_an_escaped_model_name_is_replaced_in_place(world: World) -> None:
    got = ask(world, b'{"model" : "\\u0061uto" ,"x":1.0}')

    assert world.arrived == b'{"model" : "%b" ,"x":1.0}' % chosen(got)


def test_of_two_models_the_last_counts_and_both_are_replaced(world: World) -> None:
    got = ask(world, b'{"model":["x"],"a":1.0,"model":"auto"}')

    assert world.arrived == b'{"model":"%b","a":1.0,"model":"%b"}' % ((chosen(got),) * 2)


@pytest.mark.parametrize("model", [b"auto", b"gpt-4.1-mini"])
@pytest.mark.parametrize("shape", KNOBS, ids=lambda shape: shape.name)
def test_our_knobs_go_no_further(world: World, shape: Request, model: bytes) -> None:
    got = ask(world, shape.sent(model))

    assert world.arrived == shape.arrives(chosen(got))


@pytest.mark.parametrize("model", [b"auto", b"gpt-4.1-mini"])
@pytest.mark.parametrize("shape", STREAMED, ids=lambda shape: shape.name)
def test_a_stream_is_asked_for_its_usage_and_nothing_else(
    world: World, shape: Request, model: bytes
) -> None:
    got = world.post(shape.sent(model), events(*FRAMES))

    assert (got.status, got.body) == (200, b"".join(FRAMES))
    assert world.arrived == shape.arrives(chosen(got))


@pytest.mark.parametrize(("written", "arrives"), OPTIONS)
@pytest.mark.parametrize("model", [b"auto", b"gpt-4.1-mini"])
def test_a_streams_own_options_keep_their_spelling(
    world: World, model: bytes, written: str, arrives: str
) -> None:
    frame = b'{"x":1.0, "stream_options" : %b,"stream":true,"model":"%b"}'

    got = world.post(frame % (written.encode(), model), events(*FRAMES))

    assert world.arrived == frame % (arrives.encode(), chosen(got))


def test_a_cost_cap_changes_the_limit_and_nothing_else(world: World) -> None:
    body = b'{"max_completion_tokens" : 30000.0 ,"x":1.0,"model":"gpt-4.1"}'

    ask(world, body, ("x-gateway-max-cost-usd", "0.008"))

    head, _, tail = world.arrived.partition(b'"max_completion_tokens" : ')
    limit, _, rest = tail.partition(b" ")
    assert (head, rest) == (b"{", b',"x":1.0,"model":"gpt-4.1"}')
    assert 0 < int(limit) < 30_000


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_call_is_refused_and_never_sent(world: World, name: str) -> None:
    got = ask(world, REFUSED[name])

    assert got.status == 400
    assert got.body.startswith(b'{"error":{"message":"')
    assert world.heard == []


def test_a_path_without_its_version_arrives_at_the_same_place(world: World) -> None:
    got = world.post(b'{"model":"gpt-4.1"}', whole(ANSWER), path="/chat/completions")

    assert got.body == ANSWER
    assert world.heard[0].head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


def test_a_query_does_not_go_on(world: World) -> None:
    got = world.post(b'{"model":"gpt-4.1"}', whole(ANSWER), path=f"{PATH}?api-version=1")

    assert got.body == ANSWER
    assert world.heard[0].head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


def test_only_what_describes_the_client_goes_on(world: World) -> None:
    passed = {
        "user-agent": "Ünique/1.0  (two  blanks)",
        "x-stainless-lang": "python",
        "x-stainless-odd": 'a;b="c"',
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "openai-beta": "assistants=v2",
        "idempotency-key": "stainless-node-retry-1",
        "x-client-request-id": "mine",
        "accept": "*/*",
    }
    kept_back = {
        "authorization": "Bearer sk-the-gateways-own",
        "cookie": "a=b",
        "x-forwarded-for": "10.0.0.1",
        "x-api-key": "k",
        "openai-organization": "org-client",
        "openai-project": "proj-client",
        "x-gateway-quality": "0.5",
        "x-session-id": "s",
        "origin": "https://example.com",
        "x-anything": "else",
    }

    ask(world, b'{"model":"gpt-4.1"}', *passed.items(), *kept_back.items())

    fields = world.heard[0].fields()
    assert {name: fields.get(name) for name in passed} == passed
    assert fields["authorization"] == "Bearer sk-upstream-secret"
    assert fields.keys().isdisjoint(kept_back.keys() - {"authorization"})
