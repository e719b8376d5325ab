"""Conversations made shorter, and responses counted: where the response itself would go."""

import itertools
from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.call import NO_WISHES, Call
from gateway.catalog import Tier
from gateway.errors import CallerError
from gateway.flow.passage import Routed
from gateway.ports import Request
from gateway.principal import Principal
from tests.fakes import FULL, NANO, FakeAssessor, FakeReply, assessment, catalog, deployment
from tests.flow.passages import Place, reply
from tests.http.edge import edge, post
from tests.http.test_responses import answered, client

COMPACT, COUNT = "/v1/responses/compact", "/v1/responses/input_tokens"
USER = {"type": "message", "id": "msg_u", "role": "user", "content": "Hi"}
SEALED = {"type": "compaction", "id": "cmp_1", "encrypted_content": "c2VhbGVk"}
COMPACTED: dict[str, Any] = {
    "id": "resp_c",
    "object": "response.compaction",
    "created_at": 1,
    "output": [*({**USER, "id": f"msg_{n}"} for n in range(20)), SEALED],
    "usage": {"input_tokens": 900, "output_tokens": 30, "total_tokens": 930},
}
HARD = FakeAssessor(assessment(quality=(0.3, 0.5, 0.95)))


def upstream(request: Request) -> FakeReply:
    reply: Any = COMPACTED
    if request.path == "/responses/input_tokens":
        reply = {"object": "response.input_tokens", "input_tokens": 900}
    if request.path == "/responses":
        return answered(request)
    return FakeReply(200, ((b"content-type", b"application/json"),), (orjson.dumps(reply),))


async def test_a_conversation_is_made_shorter_on_the_tier_it_deserves_and_paid_for() -> None:
    body = b'{ "input" :"Hi",  "model":"auto","x":1.50 , "stream":true}'

    async with edge(upstream, assessor=HARD) as e:
        said = await e.ask(post(body, path=COMPACT))
        ended = (await e.recorder.after(1))[0]

    assert said.body == orjson.dumps(COMPACTED)
    assert (said.headers["x-gateway-tier"], said.headers["x-gateway-cache"]) == (
        "full",
        "bypass; state",
    )
    assert e.requests[0].path == "/responses/compact"
    assert e.requests[0].body == body.replace(b'"auto"', b'"gpt-4.1"')
    assert not e.requests[0].stream
    assert ended.cost == 900 * FULL.price.prompt + 30 * FULL.price.completion


async def test_what_was_made_shorter_is_continued_where_that_happened() -> None:
    async with edge(upstream) as e, client(e) as made:
        await made.responses.compact(model="mini", input="Hi")
        for item in COMPACTED["output"][-1:]:
            await made.responses.create(model="auto", input=[item], store=False)
        await made.responses.create(model="auto", input="Hi", previous_response_id="resp_c")

    assert [request.deployment.model.name for request in e.requests] == ["gpt-4.1-mini"] * 3


async def test_the_earlier_answer_decides_where_it_is_made_shorter_and_counted() -> None:
    async with edge(upstream) as e, client(e) as made:
        await made.responses.create(model="mini", input="Hi")
        await made.responses.compact(model="auto", previous_response_id="resp_1")
        raw = await made.responses.input_tokens.with_raw_response.count(
            model="auto", previous_response_id="resp_1"
        )

    assert [request.deployment.model.name for request in e.requests] == ["gpt-4.1-mini"] * 3
    assert raw.headers["x-gateway-tier"] == "mini"


async def test_it_cannot_be_cut_so_a_cap_refuses_it() -> None:
    body = orjson.dumps({"model": "full", "input": "Hi"})
    cap = "x-gateway-max-cost-usd: 0.1"

    async with edge(upstream) as e:
        response = await e.ask(post(body, cap, path="/v1/responses"))
        shorter = await e.ask(post(body, cap, path=COMPACT))

    assert (response.status, shorter.status) == (200, 400)
    assert b'"no_feasible_tier"' in shorter.body
    assert b"max_output_tokens" in e.requests[0].body


async def test_an_unknown_model_is_spelled_as_for_responses() -> None:
    async with edge(upstream) as e:
        said = await e.ask(post(orjson.dumps({"model": "no-such", "input": "Hi"}), path=COMPACT))

    assert (said.status, orjson.loads(said.body)["error"]["param"]) == (400, "model")


@pytest.mark.parametrize("name", ["auto", "openai/auto", "full", "auto:nitro"])
async def test_tokens_are_counted_where_the_response_would_go_for_nothing(name: str) -> None:
    body = b'{ "model":"%b", "input" :"Hi","models":["mini"]}' % name.encode()

    async with edge(upstream, assessor=HARD) as e:
        said = await e.ask(post(body, path=COUNT))
        real = await e.ask(post(body, path="/v1/responses"))
        ended = (await e.recorder.after(2))[0]

    counted, response = e.requests
    assert said.status == real.status == 200
    assert counted.deployment == response.deployment
    assert (counted.path, counted.body) == ("/responses/input_tokens", response.body)
    assert said.headers["x-gateway-tier"] == real.headers["x-gateway-tier"]
    assert (ended.cost, ended.area, ended.model) == (0, "responses", counted.deployment.model.name)


async def test_a_count_says_only_what_must_be_changed() -> None:
    azure = replace(
        catalog(),
        tiers={t: d for t, d in catalog().tiers.items() if t.label != "nano"}
        | {min(catalog().tiers): (deployment(NANO, upstream_model="my-nano"),)},
    )
    plain = b'{"model" : "gpt-4.1-nano", "input":"Hi"}'
    bodies = [plain, b'{"input":"Hi"}', b'{"model":"o9-preview","input":"Hi"}', b"no json"]

    async with edge(upstream, where=azure) as e:
        for body in bodies:
            await e.ask(post(body, path=COUNT))

    assert [request.body for request in e.requests] == [
        plain.replace(b"gpt-4.1-nano", b"my-nano"),
        *bodies[1:],
    ]


async def test_a_count_goes_round_what_is_down() -> None:
    async with edge(upstream) as e:
        tiers = e.flow.parts.catalog.tiers
        e.flow.health.rested(tiers[min(tiers)][0], 60.0, e.clock.now())
        around = await e.ask(post(b'{"model":"auto","input":"Hi"}', path=COUNT))

        for only, _ in itertools.product(tiers.values(), range(50)):
            e.flow.health.failed(only[0], e.clock.now())
        nowhere = await e.ask(post(b'{"model":"auto","input":"Hi"}', path=COUNT))

    assert (around.status, around.headers["x-gateway-tier"]) == (200, "mini")
    assert (nowhere.status, nowhere.error["code"]) == (503, "upstreams_exhausted")


async def test_a_key_may_count_on_its_own_tiers_only() -> None:
    place = Place(reply(b"{}"))
    document = {"model": "auto", "input": "Hi"}

    async def count(principal: Principal, model: str) -> None:
        asked = {**document, "model": model}
        body = orjson.dumps(asked)
        call = Call("req", body, asked, model, False, False, NO_WISHES, (), 0.0, principal)
        routed = Routed(replace(call, api="responses"), frozenset())
        path = "/responses/input_tokens"
        await place.ask(path, asked, principal=principal, routed=routed)

    await count(Principal(tiers=frozenset({Tier.MINI})), "auto")
    for forbidden in ("full", "gpt-4.1", "o9-preview"):
        with pytest.raises(CallerError):
            await count(Principal(tiers=frozenset({Tier.MINI})), forbidden)

    assert [r.deployment.model.name for r in place.upstream.requests] == ["gpt-4.1-mini"]
