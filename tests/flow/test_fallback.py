"""An attempt that fails is made elsewhere: where, for which reasons, and what is said of it."""

import asyncio
from collections.abc import Callable

import orjson
import pytest

from gateway.catalog import Capability, Catalog, Tier
from gateway.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamsExhausted,
    UpstreamTimeout,
    UpstreamTruncated,
    UpstreamUnreachable,
)
from tests.fakes import (
    EVENT_HEAD,
    FULL,
    JSON_HEAD,
    MINI,
    NANO,
    FakeReply,
    assessment,
    catalog,
    deployment,
    model,
    wishes,
)
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    DONE,
    ERROR_FRAME,
    STREAMED,
    Answered,
    body,
    error,
    in_turn,
    stream,
    whole,
)
from tests.flow.scenes import HARD, MIDDLING, settle

HTML = b"<html><body>Bad gateway</body></html>"
REFUSED = UpstreamUnreachable("connection refused")
CUT = UpstreamTruncated("connection lost")

Failure = tuple[Callable[[], Answered], str]
FAILURES: dict[str, Failure] = {
    "refused": (lambda: REFUSED, "upstream_unreachable"),
    "late": (lambda: UpstreamTimeout("no byte"), "upstream_timeout"),
    "429": (lambda: error(429), "upstream_rate_limited"),
    "500": (lambda: error(500), "upstream_5xx"),
    "503": (lambda: error(503), "upstream_5xx"),
    "529": (lambda: error(529), "upstream_5xx"),
    "408": (lambda: error(408), "upstream_4xx"),
    "no quota": (lambda: error(429, "insufficient_quota"), "upstream_rate_limited"),
    "dead key": (lambda: error(401, "invalid_api_key"), "upstream_auth"),
    "forbidden": (lambda: error(403), "upstream_auth"),
    "too long": (lambda: error(400, "context_length_exceeded"), "upstream_4xx"),
    "no such model": (lambda: error(404, "model_not_found"), "upstream_4xx"),
    "moved": (lambda: FakeReply(302, (), (b"",)), "upstream_broken"),
    "broken error": (lambda: FakeReply(500, JSON_HEAD, (CUT,)), "upstream_truncated"),
}
WHOLE_FAILURES: dict[str, Failure] = FAILURES | {
    "broken JSON": (lambda: whole(b'{"choices":['), "upstream_broken"),
    "no completion": (lambda: whole(b'{"object":"list"}'), "upstream_broken"),
    "an error with status 200": (lambda: whole(b'{"error":{"message":"x"}}'), "upstream_broken"),
    "HTML": (
        lambda: FakeReply(200, ((b"content-type", b"text/html"),), (HTML,)),
        "upstream_broken",
    ),
    "no type": (lambda: FakeReply(200, (), (body(),)), "upstream_broken"),
    "truncated": (lambda: whole(body()[:20], CUT), "upstream_truncated"),
    "broken gzip": (
        lambda: whole(b"not gzip", headers=((b"content-encoding", b"gzip"),)),
        "upstream_broken",
    ),
}
STREAM_FAILURES: dict[str, Failure] = FAILURES | {
    "an error event": (lambda: stream(ERROR_FRAME, DONE), "upstream_broken"),
    "empty": (lambda: FakeReply(200, EVENT_HEAD, ()), "upstream_truncated"),
    "only [DONE]": (lambda: stream(DONE), "upstream_truncated"),
    "no JSON": (lambda: stream(b"data: {oops\n\n"), "upstream_broken"),
    "whole": (lambda: whole(), "upstream_broken"),
    "compressed": (
        lambda: stream(STREAMED, headers=((b"content-encoding", b"gzip"),)),
        "upstream_broken",
    ),
    "cut before the first event": (lambda: stream(b": hello\n\n", CUT), "upstream_truncated"),
}


@pytest.mark.parametrize("name", WHOLE_FAILURES)
async def test_a_whole_call_that_fails_is_answered_elsewhere(world: MakeWorld, name: str) -> None:
    failure, kind = WHOLE_FAILURES[name]
    place = world(in_turn(failure(), whole()), where=catalog(spares=1))

    client = await place.ask()

    assert client.body == body()
    assert place.upstream.tried() == [NANO.name, f"{NANO.name}-spare0"]
    assert place.outcomes() == [kind, "ok"]
    ended = place.ended(client)
    assert (ended.reason, ended.attempts, ended.outcome) == ("fallback", 2, "ok")


@pytest.mark.parametrize("name", STREAM_FAILURES)
async def test_a_stream_that_fails_before_its_first_event_is_answered_elsewhere(
    world: MakeWorld, name: str
) -> None:
    failure, kind = STREAM_FAILURES[name]
    place = world(in_turn(failure(), stream()), where=catalog(spares=1))

    client = await place.ask(stream=True)

    assert client.body == STREAMED
    assert place.outcomes() == [kind, "ok"]
    assert place.ended(client).reason == "fallback"
    assert all(r.aborted or r.whole for r in place.upstream.replies[:-1])


async def test_behind_the_chosen_tier_comes_the_one_above(world: MakeWorld) -> None:
    place = world(in_turn(REFUSED, whole()))

    client = await place.ask()

    assert place.upstream.tried() == [NANO.name, MINI.name]
    ended = place.ended(client)
    assert (ended.reason, ended.tier, ended.model) == ("escalated", Tier.MINI, MINI.name)
    assert ended.cost == 100 * 400 + 20 * 1600


async def test_behind_those_above_come_those_below(world: MakeWorld) -> None:
    place = world(in_turn(REFUSED, REFUSED, whole()), thinks=MIDDLING)

    client = await place.ask()

    assert place.upstream.tried() == [MINI.name, FULL.name, NANO.name]
    assert place.ended(client).reason == "downgraded"


async def test_a_named_model_is_not_replaced(world: MakeWorld) -> None:
    place = world(in_turn(REFUSED))

    client = await place.ask("gpt-4.1-mini")

    assert client.error is REFUSED
    assert place.upstream.tried() == [MINI.name]


async def test_the_callers_further_models_come_last_and_nothing_twice(world: MakeWorld) -> None:
    place = world(in_turn(REFUSED, REFUSED, whole()))

    said = wishes(models=("mini", "gpt-4.1", "full", "nano"))
    client = await place.ask("gpt-4.1-mini", said=said)

    assert place.upstream.tried() == [MINI.name, FULL.name, NANO.name]
    assert place.ended(client).model == NANO.name


async def test_a_missing_model_is_the_callers_mistake_when_the_caller_named_it(
    world: MakeWorld,
) -> None:
    for name in ("gpt-4.1-mini", "gpt-4.1-mini:nitro"):
        place = world(in_turn(error(404, "model_not_found")), where=catalog(spares=1))

        client = await place.ask(name)

        assert (client.answer.status, len(place.upstream.requests)) == (404, 1)


async def test_a_missing_model_is_ours_when_the_caller_named_a_tier(world: MakeWorld) -> None:
    place = world(in_turn(error(404, "model_not_found"), whole()), where=catalog(spares=1))

    client = await place.ask("mini")

    assert (client.answer.status, len(place.upstream.requests)) == (200, 2)


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_what_the_caller_did_wrong_is_wrong_everywhere(world: MakeWorld, status: int) -> None:
    place = world(in_turn(error(status, "invalid_value")), where=catalog(spares=1))

    client = await place.ask()

    assert client.answer.status == status
    assert place.outcomes() == ["upstream_4xx"]
    assert place.ended(client).outcome == "upstream_4xx"


async def test_nobody_answering_is_said_with_all_reasons(world: MakeWorld) -> None:
    place = world(in_turn(REFUSED, UpstreamBroken("x"), UpstreamTimeout("y")))

    client = await place.ask()

    assert isinstance(client.error, UpstreamsExhausted)
    assert "(upstream_unreachable, upstream_broken, upstream_timeout)" in client.error.message
    assert client.error.retry_after == 1
    ended = place.ended(client)
    assert (ended.outcome, ended.status, ended.attempts) == ("upstream_exhausted", 503, 3)


async def test_the_last_error_reply_says_more_than_a_lost_connection(world: MakeWorld) -> None:
    place = world(in_turn(error(500, message="first"), error(503, message="second"), REFUSED))

    client = await place.ask()

    assert client.answer.status == 503
    assert orjson.loads(client.body)["error"]["message"] == "second"
    assert place.ended(client).outcome == "upstream_5xx"


async def test_a_full_deployment_is_passed_by(world: MakeWorld) -> None:
    tight = (
        deployment(NANO, "one", max_parallel=1),
        deployment(NANO, "two", max_parallel=1),
    )
    gate = asyncio.Event()
    where = Catalog({Tier.NANO: tight, Tier.MINI: (deployment(MINI),)})
    place = world(lambda _: whole(gate.wait, body()), where=where)

    async with asyncio.TaskGroup() as tasks:
        for text in ("first", "second", "third"):
            place.client(place.call(text=text)).start(tasks)
        await settle()
        gate.set()

    assert place.upstream.tried() == ["one", "two", MINI.name]


async def test_a_deployment_that_filled_up_meanwhile_is_passed_by(world: MakeWorld) -> None:
    tight = (deployment(MINI, "one"), deployment(MINI, "two", max_parallel=1))
    gate, late = asyncio.Event(), asyncio.Event()
    names: list[str] = []

    def answering(request: object) -> FakeReply | UpstreamError:
        names.append(place.upstream.tried()[-1])
        return whole(late.wait, CUT) if len(names) == 1 else whole(gate.wait, body())

    place = world(answering, where=Catalog({Tier.MINI: tight}))

    async with asyncio.TaskGroup() as tasks:
        first = place.client(place.call(text="first")).start(tasks)
        second = place.client(place.call(text="second")).start(tasks)
        await settle()
        late.set()
        await settle()
        gate.set()

    assert names == ["one", "two"]
    assert first.error is CUT
    assert second.answer.status == 200


async def test_a_tier_that_cannot_do_it_is_no_fallback(world: MakeWorld) -> None:
    blind = model("blind", FULL.price, can=Capability.NONE)
    models = {Tier.MINI: MINI, Tier.FULL: blind}
    seen = assessment(needs=Capability.VISION)
    place = world(in_turn(REFUSED), where=catalog(models), thinks=seen)

    client = await place.ask()

    assert client.error is REFUSED


async def test_a_hard_call_that_failed_at_the_top_is_better_answered_below(
    world: MakeWorld,
) -> None:
    place = world(in_turn(error(500), whole()), thinks=HARD)

    client = await place.ask()

    assert place.upstream.tried() == [FULL.name, MINI.name]
    assert place.ended(client).reason == "downgraded"
