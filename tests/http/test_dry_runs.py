"""`POST /v1/route`: the decision on a call of any API, and nothing of the call itself."""

from typing import Any

import orjson
import pytest

from gateway.access.directory import Directory
from gateway.access.doorman import Doorman
from gateway.catalog import Tier
from gateway.principal import Terms
from tests.access.fakes import made
from tests.fakes import FULL, MINI, NANO, FakeAssessor, FakeKeys
from tests.flow.scenes import HARD
from tests.http.edge import edge, post

HI = [{"role": "user", "content": "Hi"}]
CHAT = {"model": "auto", "messages": HI}
RESPONSES = {"model": "auto", "input": "Hi"}
MESSAGES = {"model": "auto", "max_tokens": 500, "system": "Be brief.", "messages": HI}
ANTHROPIC = "anthropic-version: 2023-06-01"


def dry(body: dict[str, Any], *fields: str) -> bytes:
    return post(orjson.dumps(body), *fields, path="/v1/route")


@pytest.mark.parametrize(
    ("body", "fields", "api"),
    [
        (CHAT, (), "chat"),
        ({**CHAT, "stream": True}, (), "chat"),
        (RESPONSES, (), "responses"),
        (MESSAGES, (ANTHROPIC,), "chat"),
    ],
    ids=["chat", "stream", "responses", "messages"],
)
async def test_every_apis_body_is_told_its_decision_and_nothing_is_sent(
    body: dict[str, Any], fields: tuple[str, ...], api: str
) -> None:
    async with edge(assessor=FakeAssessor(HARD)) as e:
        said = await e.ask(dry(body, *fields))

    told = orjson.loads(said.body)
    assert (said.status, said.headers["content-type"]) == (200, "application/json")
    assert (told["object"], told["api"], told["requested"]) == ("route", api, "auto")
    assert (told["tier"], told["model"], told["reason"]) == ("full", FULL.name, "quality")
    assert [c["model"] for c in told["candidates"]] == [NANO.name, MINI.name, FULL.name]
    assert [step["tier"] for step in told["plan"]] == ["full", "mini", "nano"]
    assert told["predicted"]["completion_tokens"] == 100
    assert told["would_change_it"]
    assert e.requests == []
    assert e.recorder.calls == []
    assert e.flow.decisions.count == 0


async def test_what_the_caller_says_is_heeded() -> None:
    async with edge(assessor=FakeAssessor(HARD)) as e:
        said = await e.ask(dry(CHAT, "x-gateway-quality: 0"))

    told = orjson.loads(said.body)
    assert (told["tier"], told["weights"]["dial"], told["limits"]["quality"]) == ("nano", 0.0, 0.0)


async def test_a_call_that_would_be_refused_is_refused_with_the_figures() -> None:
    async with edge() as e:
        tight = await e.ask(dry(CHAT, "x-gateway-max-cost-usd: 0.00000001"))
        unknown = await e.ask(dry({**CHAT, "model": "nope"}))

    assert (tight.status, tight.error["code"]) == (400, "no_feasible_tier")
    assert "is over the $0.00000001 cap" in tight.error["message"]
    assert (unknown.status, unknown.error["code"]) == (404, "model_not_found")


async def test_a_key_sees_no_more_than_it_may_call() -> None:
    record, key = made("small", terms=Terms(tiers=frozenset({Tier.NANO})))
    async with edge(assessor=FakeAssessor(HARD)) as e:
        e.plane.door = Doorman(Directory(), FakeKeys(), e.clock, records=(record,))
        without = await e.ask(dry(CHAT))
        said = await e.ask(dry(CHAT, f"authorization: Bearer {key.decode()}"))
        pinned = await e.ask(
            dry({**CHAT, "model": "full"}, f"authorization: Bearer {key.decode()}")
        )

    assert without.status == 401
    assert [c["tier"] for c in orjson.loads(said.body)["candidates"]] == ["nano"]
    assert pinned.status in (403, 404)


async def test_nobody_learns_from_calls_that_are_only_looked_at() -> None:
    async with edge(assessor=FakeAssessor(HARD)) as e:
        first = await e.ask(dry(CHAT, "x-gateway-deadline-ms: 1500"))
        for _ in range(30):
            await e.ask(dry(CHAT, "x-gateway-deadline-ms: 1500"))
        last = await e.ask(dry(CHAT, "x-gateway-deadline-ms: 1500"))

    seen = [{**orjson.loads(said.body), "id": ""} for said in (first, last)]
    assert seen[0] == seen[1]
